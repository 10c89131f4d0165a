-- The core of one post's life: settings, snapshots, templates, generations, posts, slots.
-- Times are UTC ISO-8601 TEXT of fixed width (engine.clock.iso). The seed's columns keep their
-- names; the rest stands beside them.

CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    updated_by TEXT NOT NULL
) STRICT;

CREATE TABLE snapshots (
    id INTEGER PRIMARY KEY,
    as_of TEXT NOT NULL,
    world TEXT NOT NULL CHECK (world IN ('live', 'sample', 'replay')),
    price_usd REAL NOT NULL CHECK (price_usd > 0),
    spread_pct REAL NOT NULL DEFAULT 0,
    facts TEXT NOT NULL,
    quotes TEXT NOT NULL,
    notes TEXT NOT NULL DEFAULT '[]',
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX snapshots_by_time ON snapshots (world, as_of);
CREATE TRIGGER snapshots_are_immutable BEFORE UPDATE ON snapshots
BEGIN SELECT RAISE(ABORT, 'a snapshot is never changed'); END;

CREATE TABLE prompt_templates (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    template TEXT NOT NULL,
    purpose TEXT NOT NULL,
    created_at TEXT NOT NULL,
    last_used TEXT,
    performance_score REAL,
    performance_n INTEGER NOT NULL DEFAULT 0,
    archived_at TEXT
) STRICT;

CREATE TABLE template_versions (
    id INTEGER PRIMARY KEY,
    template_id INTEGER NOT NULL REFERENCES prompt_templates (id),
    number INTEGER NOT NULL CHECK (number >= 1),
    system TEXT NOT NULL,
    body TEXT NOT NULL,
    variables TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    sha256 TEXT NOT NULL,
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (template_id, number)
) STRICT;
CREATE TRIGGER template_versions_are_immutable BEFORE UPDATE ON template_versions
BEGIN SELECT RAISE(ABORT, 'a template version is never changed; save a new one'); END;
CREATE TRIGGER template_versions_stay BEFORE DELETE ON template_versions
BEGIN SELECT RAISE(ABORT, 'a template version is never deleted'); END;

-- Who made which version which label, when and why; the newest row of a label is in force.
CREATE TABLE template_promotions (
    id INTEGER PRIMARY KEY,
    template_id INTEGER NOT NULL REFERENCES prompt_templates (id),
    label TEXT NOT NULL,
    version_id INTEGER REFERENCES template_versions (id),
    previous_version_id INTEGER REFERENCES template_versions (id),
    reason TEXT NOT NULL CHECK (length(reason) > 0),
    evidence TEXT,
    actor TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX template_promotions_in_force ON template_promotions (template_id, label, id);
CREATE TRIGGER template_promotions_stay BEFORE UPDATE ON template_promotions
BEGIN SELECT RAISE(ABORT, 'promotions are history'); END;
CREATE TRIGGER template_promotions_are_kept BEFORE DELETE ON template_promotions
BEGIN SELECT RAISE(ABORT, 'promotions are history'); END;

CREATE TABLE schedules (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    zone TEXT NOT NULL,
    times TEXT NOT NULL,  -- ["08:00", …] local
    days TEXT NOT NULL DEFAULT '[1,2,3,4,5,6,7]',  -- ISO weekdays
    content_type TEXT CHECK (content_type IN ('price', 'joke', 'motivation', 'news')),  -- NULL: mix
    enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE slots (
    id INTEGER PRIMARY KEY,
    slot_key TEXT NOT NULL UNIQUE,  -- schedule id + local date + HH:MM: a repeated hour is one slot
    schedule_id INTEGER REFERENCES schedules (id),
    local_date TEXT NOT NULL,
    local_time TEXT NOT NULL,
    zone TEXT NOT NULL,
    due_at TEXT NOT NULL,
    content_type TEXT NOT NULL CHECK (content_type IN ('price', 'joke', 'motivation', 'news')),
    state TEXT NOT NULL DEFAULT 'due'
        CHECK (state IN ('due', 'claimed', 'filled', 'missed', 'skipped')),
    reason TEXT,
    post_id INTEGER,
    tries INTEGER NOT NULL DEFAULT 0,
    retry_at TEXT,
    claimed_at TEXT,
    finished_at TEXT,
    created_at TEXT NOT NULL,
    CHECK ((state IN ('missed', 'skipped')) <= (reason IS NOT NULL))
) STRICT;
CREATE INDEX slots_by_state ON slots (state, due_at, id);
CREATE INDEX slots_by_time ON slots (due_at, id);

CREATE TABLE posts (
    id INTEGER PRIMARY KEY,
    slot_id INTEGER REFERENCES slots (id),
    content_type TEXT NOT NULL CHECK (content_type IN ('price', 'joke', 'motivation', 'news')),
    text TEXT NOT NULL,
    body_sha256 TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1 CHECK (revision >= 1),
    state TEXT NOT NULL DEFAULT 'draft' CHECK (state IN (
        'draft', 'validated', 'pending_approval', 'approved', 'publishing', 'posted',
        'rejected', 'expired', 'unknown', 'held', 'failed', 'abandoned')),
    state_reason TEXT,
    snapshot_id INTEGER REFERENCES snapshots (id),
    news_item_id INTEGER,
    world TEXT NOT NULL CHECK (world IN ('live', 'sample', 'replay')),
    verdict TEXT NOT NULL CHECK (verdict IN ('pass', 'reject', 'error')),
    findings TEXT NOT NULL DEFAULT '[]',
    origin TEXT NOT NULL CHECK (origin IN ('model', 'backup', 'operator')),
    is_llm_generated INTEGER NOT NULL CHECK (is_llm_generated IN (0, 1)),
    prompt_template_id INTEGER REFERENCES prompt_templates (id),
    template_version_id INTEGER REFERENCES template_versions (id),
    model_name TEXT,
    recipe TEXT,
    generation_time REAL,
    generation_attempts INTEGER NOT NULL DEFAULT 1,
    flags TEXT NOT NULL DEFAULT '[]',
    voice_score REAL,
    policy_version TEXT,
    hashtags TEXT NOT NULL DEFAULT '[]',
    scheduled_for TEXT,
    expires_at TEXT,
    not_before TEXT,
    approved_by TEXT,
    approved_at TEXT,
    publisher TEXT,
    account TEXT,
    x_post_id TEXT UNIQUE,
    posted_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    CHECK ((state = 'posted') <= (x_post_id IS NOT NULL AND posted_at IS NOT NULL)),
    CHECK ((state = 'rejected') <= (state_reason IS NOT NULL)),
    CHECK ((state IN ('approved', 'publishing')) <= (approved_by IS NOT NULL))
) STRICT;
CREATE INDEX posts_by_state ON posts (state, scheduled_for, id);
CREATE INDEX posts_by_time ON posts (created_at, id);
CREATE INDEX posts_by_posted_at ON posts (posted_at, id) WHERE posted_at IS NOT NULL;
CREATE INDEX posts_by_body ON posts (body_sha256);
CREATE INDEX posts_by_slot ON posts (slot_id);

-- Every text a post ever had.
CREATE TABLE post_revisions (
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts (id),
    revision INTEGER NOT NULL,
    text TEXT NOT NULL,
    body_sha256 TEXT NOT NULL,
    snapshot_id INTEGER REFERENCES snapshots (id),
    verdict TEXT NOT NULL,
    findings TEXT NOT NULL,
    actor TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (post_id, revision)
) STRICT;
CREATE TRIGGER post_revisions_are_immutable BEFORE UPDATE ON post_revisions
BEGIN SELECT RAISE(ABORT, 'a revision is never changed'); END;

CREATE TABLE generation_params (
    id INTEGER PRIMARY KEY,
    post_id INTEGER REFERENCES posts (id),
    model_name TEXT NOT NULL,
    temperature REAL,
    max_tokens INTEGER,
    top_p REAL,
    prompt_id INTEGER REFERENCES prompt_templates (id),
    raw_prompt TEXT NOT NULL,
    completion_time REAL NOT NULL,  -- wall seconds
    created_at TEXT NOT NULL,
    draft_key TEXT NOT NULL,  -- one key for all candidates of one draft
    candidate INTEGER NOT NULL DEFAULT 1,
    purpose TEXT NOT NULL,  -- post, playground, bench, suite, sentiment, api
    content_type TEXT,
    backend TEXT NOT NULL,
    recipe TEXT,
    template_version_id INTEGER REFERENCES template_versions (id),
    snapshot_id INTEGER REFERENCES snapshots (id),
    seed INTEGER,
    options TEXT NOT NULL,
    model_digest TEXT,
    server_version TEXT,
    prompt_tokens INTEGER,
    cached_tokens INTEGER,
    output_tokens INTEGER,
    ttft_s REAL,
    load_s REAL,
    prefill_s REAL,
    decode_s REAL,
    done_reason TEXT,
    from_cache INTEGER NOT NULL DEFAULT 0 CHECK (from_cache IN (0, 1)),
    outcome TEXT NOT NULL CHECK (outcome IN ('ok', 'error', 'empty', 'truncated')),
    error TEXT,
    raw_text TEXT NOT NULL,
    text TEXT,  -- raw_text after placeholders were filled
    verdict TEXT CHECK (verdict IN ('pass', 'reject', 'error')),
    findings TEXT NOT NULL DEFAULT '[]'
) STRICT;
CREATE INDEX generation_params_by_post ON generation_params (post_id);
CREATE INDEX generation_params_by_draft ON generation_params (draft_key);
CREATE INDEX generation_params_by_time ON generation_params (created_at, id);

-- The runner's pulse and the state of its parts, one row each.
CREATE TABLE heartbeats (
    part TEXT PRIMARY KEY,
    at TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    boottime REAL NOT NULL,
    pid INTEGER NOT NULL,
    detail TEXT NOT NULL DEFAULT '{}'
) STRICT;

CREATE TABLE breakers (
    name TEXT PRIMARY KEY,  -- backend:model
    state TEXT NOT NULL CHECK (state IN ('closed', 'open', 'half_open')),
    failures INTEGER NOT NULL DEFAULT 0,
    cooling_s REAL NOT NULL DEFAULT 0,
    open_until TEXT,
    reason TEXT,
    updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE job_runs (
    id INTEGER PRIMARY KEY,
    job TEXT NOT NULL,
    started_at TEXT NOT NULL,
    seconds REAL NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('ok', 'error')),
    error TEXT
) STRICT;
CREATE INDEX job_runs_by_job ON job_runs (job, id);
