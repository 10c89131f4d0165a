-- Every look at the timeline on behalf of an unsure attempt; absence needs several complete ones.
CREATE TABLE reconcile_reads (
    id INTEGER PRIMARY KEY,
    attempt_id INTEGER NOT NULL REFERENCES attempts (id),
    at TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    boottime REAL NOT NULL,
    complete INTEGER NOT NULL CHECK (complete IN (0, 1)),
    resources INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT;
CREATE INDEX reconcile_reads_by_attempt ON reconcile_reads (attempt_id, id);

-- Posts of the account that no attempt of this database made (an older life of it, or a person).
CREATE TABLE foreign_posts (
    x_post_id TEXT PRIMARY KEY,
    text_key TEXT NOT NULL,
    created_at TEXT NOT NULL,
    seen_at TEXT NOT NULL
) STRICT;
CREATE INDEX foreign_posts_by_text ON foreign_posts (text_key);
