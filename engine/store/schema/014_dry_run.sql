-- The local stand-in for X: what a dry run "posted".
CREATE TABLE dry_run_posts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    text TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE TRIGGER dry_run_posts_stay BEFORE UPDATE ON dry_run_posts
BEGIN SELECT RAISE(ABORT, 'dry-run posts are append-only'); END;
CREATE TRIGGER dry_run_posts_are_kept BEFORE DELETE ON dry_run_posts
BEGIN SELECT RAISE(ABORT, 'dry-run posts are append-only'); END;
