-- What the operator must hear of: one open row for a kind and key, however often it is raised.
CREATE TABLE alert_events (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    message TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    count INTEGER NOT NULL DEFAULT 1,
    last_sent_at TEXT,  -- last notice that reached every channel
    tries INTEGER NOT NULL DEFAULT 0,  -- failed deliveries of the notice now due
    retry_at TEXT,
    resolved_at TEXT,
    recovery_sent_at TEXT
) STRICT;
CREATE UNIQUE INDEX alert_events_open ON alert_events (kind, key) WHERE resolved_at IS NULL;
CREATE INDEX alert_events_by_time ON alert_events (opened_at, id);
CREATE INDEX alert_events_by_resolution ON alert_events (resolved_at);

-- Small facts of the running service that must outlive a restart.
CREATE TABLE service_state (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;
