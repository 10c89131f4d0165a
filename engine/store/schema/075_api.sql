-- The REST API: tokens (hashes only), rate limits, and answers kept for repeated requests.

CREATE TABLE api_tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    scopes TEXT NOT NULL,  -- names, separated by spaces
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at TEXT,
    revoked_at TEXT,
    last_used_at TEXT
) STRICT;

CREATE TABLE api_buckets (
    name TEXT PRIMARY KEY,  -- token:ID or address:IP
    level REAL NOT NULL,
    at TEXT NOT NULL
) STRICT;

CREATE TABLE api_requests (
    token_id TEXT NOT NULL REFERENCES api_tokens (id),
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,  -- SHA-256 of method, path and body
    run TEXT NOT NULL,  -- which life of the runner took it
    state TEXT NOT NULL CHECK (state IN ('working', 'done')),
    status INTEGER,
    body TEXT,
    created_at TEXT NOT NULL,
    PRIMARY KEY (token_id, key),
    CHECK ((state = 'done') <= (status IS NOT NULL AND body IS NOT NULL))
) STRICT;
CREATE INDEX api_requests_by_time ON api_requests (created_at);
