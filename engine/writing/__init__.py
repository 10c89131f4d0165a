"""Writing: templates, components, recipes, generation, fallback."""
