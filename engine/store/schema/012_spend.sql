-- Money: one row per call that X bills, reserved before the call and returned if it was refused.
CREATE TABLE spend (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    publisher TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('post', 'post_url', 'read', 'own_read', 'user_read', 'returned')),
    quantity INTEGER NOT NULL,
    usd_micros INTEGER NOT NULL,  -- millionths of a US dollar
    attempt_id INTEGER REFERENCES attempts (id)
) STRICT;
CREATE INDEX spend_by_time ON spend (publisher, at, usd_micros);
CREATE TRIGGER spend_stays BEFORE UPDATE ON spend
BEGIN SELECT RAISE(ABORT, 'spending is history'); END;
CREATE TRIGGER spend_is_kept BEFORE DELETE ON spend
BEGIN SELECT RAISE(ABORT, 'spending is history'); END;
