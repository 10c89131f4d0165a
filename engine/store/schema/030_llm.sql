-- Answers kept so that the same question need not be asked twice. Only operators' experiments
-- use this; scheduled posts never do.

CREATE TABLE response_cache (
    key TEXT PRIMARY KEY,  -- sha256 of everything that shapes the text, and the repeat's number
    answer TEXT NOT NULL,  -- JSON
    bytes INTEGER NOT NULL,
    used_at TEXT NOT NULL
) STRICT;
CREATE INDEX response_cache_by_use ON response_cache (used_at, key);
