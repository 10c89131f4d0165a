-- Runs of the prompt suite, one row a result, and the runs blessed as what is expected.

CREATE TABLE suite_runs (
    id INTEGER PRIMARY KEY,
    suite TEXT NOT NULL,
    suite_sha256 TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'done')),
    actor TEXT NOT NULL,
    created_at TEXT NOT NULL,
    finished_at TEXT
) STRICT;

CREATE TABLE suite_results (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES suite_runs (id),
    case_name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    model TEXT NOT NULL,
    version_id INTEGER NOT NULL REFERENCES template_versions (id),
    recipe TEXT NOT NULL,
    repeat INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('pass', 'fail', 'error')),
    reason TEXT NOT NULL DEFAULT '',
    text TEXT NOT NULL DEFAULT '',
    seconds REAL NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (run_id, case_name, model, version_id, recipe, repeat),
    CHECK ((outcome = 'pass') <= (length(text) > 0)),
    CHECK ((outcome <> 'pass') <= (length(reason) > 0))
) STRICT;

-- The newest row of a suite and label is in force; a baseline never moves by itself.
CREATE TABLE suite_baselines (
    id INTEGER PRIMARY KEY,
    suite TEXT NOT NULL,
    label TEXT NOT NULL,
    run_id INTEGER NOT NULL REFERENCES suite_runs (id),
    reason TEXT NOT NULL CHECK (length(reason) > 0),
    actor TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX suite_baselines_in_force ON suite_baselines (suite, label, id);
CREATE TRIGGER suite_baselines_stay BEFORE UPDATE ON suite_baselines
BEGIN SELECT RAISE(ABORT, 'baselines are history'); END;
