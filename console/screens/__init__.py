"""The screens, one module each: what a page under ``pages/`` draws."""
