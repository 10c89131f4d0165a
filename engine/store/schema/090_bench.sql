-- Benchmark runs and every measured call of them: a finished call is a row at once, so that a
-- crash costs the call in flight and nothing else.

CREATE TABLE bench_runs (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('bench', 'drift')),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'cancelled', 'failed')),
    cancel INTEGER NOT NULL DEFAULT 0 CHECK (cancel IN (0, 1)),  -- somebody asked to stop
    plan TEXT NOT NULL,  -- JSON, engine.lab.plan
    plan_sha256 TEXT NOT NULL,
    context TEXT NOT NULL DEFAULT '{}',  -- JSON: machine, models, method
    planned INTEGER NOT NULL,
    worker TEXT,  -- boot id, process id and its start: who runs it
    actor TEXT NOT NULL,
    error TEXT,
    created_at TEXT NOT NULL,
    finished_at TEXT
) STRICT;
CREATE INDEX bench_runs_by_plan ON bench_runs (plan_sha256, id);
CREATE INDEX bench_runs_by_state ON bench_runs (state, id);

CREATE TABLE bench_calls (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES bench_runs (id),
    place INTEGER NOT NULL,  -- the call's number in the plan's order; cold calls count down from -1
    phase TEXT NOT NULL CHECK (phase IN ('cold', 'warm')),
    model TEXT NOT NULL,
    content_type TEXT NOT NULL,
    recipe TEXT NOT NULL,  -- as asked for, auto included
    version_id INTEGER NOT NULL REFERENCES template_versions (id),
    repeat INTEGER NOT NULL,
    moment INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    recipe_used TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('ok', 'error', 'truncated', 'empty')),
    error TEXT,
    raw_text TEXT NOT NULL DEFAULT '',
    text TEXT NOT NULL DEFAULT '',
    verdict TEXT CHECK (verdict IN ('pass', 'reject', 'error')),
    rules TEXT NOT NULL DEFAULT '[]',  -- rules of findings that stop the text
    voice_score REAL,
    wall_s REAL NOT NULL,
    ttft_s REAL,
    answer_s REAL,
    load_s REAL,
    prefill_s REAL,
    decode_s REAL,
    prompt_tokens INTEGER,
    cached_tokens INTEGER,
    output_tokens INTEGER,
    cache_defeated INTEGER NOT NULL CHECK (cache_defeated IN (0, 1)),
    harness_s REAL NOT NULL,  -- what we spent around the model's call
    created_at TEXT NOT NULL,
    UNIQUE (run_id, place),
    CHECK ((outcome <> 'ok') <= (verdict IS NULL))
) STRICT;
