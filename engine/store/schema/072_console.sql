-- What the console looks up by template.
CREATE INDEX posts_by_template ON posts (prompt_template_id, id);
