-- What happened in the market, each with the snapshots that prove it, and what the event engine
-- remembers between two looks.

CREATE TABLE market_events (
    id INTEGER PRIMARY KEY,
    world TEXT NOT NULL CHECK (world IN ('live', 'sample', 'replay')),
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    at TEXT NOT NULL,
    direction TEXT CHECK (direction IN ('up', 'down')),
    priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 100),
    sentence TEXT NOT NULL,
    content_type TEXT NOT NULL
        CHECK (content_type IN ('price', 'joke', 'motivation', 'news')),
    fact_keys TEXT NOT NULL,
    detail TEXT NOT NULL,
    snapshot_id INTEGER NOT NULL REFERENCES snapshots (id),
    previous_snapshot_id INTEGER NOT NULL REFERENCES snapshots (id),
    claimed_at TEXT  -- NULL: nobody has written about it yet
) STRICT;
CREATE INDEX market_events_by_time ON market_events (world, at);

CREATE TABLE event_states (
    world TEXT PRIMARY KEY CHECK (world IN ('live', 'sample', 'replay')),
    state TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
