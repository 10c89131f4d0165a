-- People who may use the console, their sign-ins (for the throttle) and OIDC's allow-list.

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 64),
    password_hash TEXT,  -- argon2id; NULL: signs in by OIDC only
    role TEXT NOT NULL CHECK (role IN ('viewer', 'editor', 'approver', 'admin')),
    disabled_at TEXT,
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

-- Identities of an OIDC provider that may enter: any account of the provider is not enough.
CREATE TABLE allowed_identities (
    id INTEGER PRIMARY KEY,
    issuer TEXT NOT NULL,
    email TEXT NOT NULL COLLATE NOCASE,
    user_id INTEGER NOT NULL REFERENCES users (id),
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (issuer, email)
) STRICT;

CREATE TABLE sign_ins (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL COLLATE NOCASE,
    outcome TEXT NOT NULL CHECK (outcome IN ('ok', 'wrong', 'throttled')),
    at TEXT NOT NULL
) STRICT;
CREATE INDEX sign_ins_by_name ON sign_ins (name, at);
CREATE INDEX sign_ins_by_time ON sign_ins (at);
