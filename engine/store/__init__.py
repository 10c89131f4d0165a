"""One SQLite database: opening it safely, its schema, and one module of SQL per noun."""
