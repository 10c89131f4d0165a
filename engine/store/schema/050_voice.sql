-- The brand voice as an operator edited it: every version stays, the newest is in force.
CREATE TABLE voice_profiles (
    id INTEGER PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE CHECK (number >= 1),
    profile TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL
) STRICT;
CREATE TRIGGER voice_profiles_are_immutable BEFORE UPDATE ON voice_profiles
BEGIN SELECT RAISE(ABORT, 'a voice version is never changed; save a new one'); END;
CREATE TRIGGER voice_profiles_stay BEFORE DELETE ON voice_profiles
BEGIN SELECT RAISE(ABORT, 'a voice version is never deleted'); END;
