-- Experiments: what was registered, and which arm each slot got before anything was written
-- (facts: experiments §2.2).
CREATE TABLE experiments (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('writing', 'schedule', 'aa', 'holdout')),
    spec TEXT NOT NULL,  -- canonical JSON, frozen
    spec_hash TEXT NOT NULL,
    seed TEXT NOT NULL,  -- secret until the end, then shown
    seed_hash TEXT NOT NULL,  -- SHA-256 of the seed, shown from the start
    state TEXT NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'stopped')),
    started_at TEXT NOT NULL,
    started_by TEXT NOT NULL,
    stopped_at TEXT,
    stopped_by TEXT,
    stop_reason TEXT,
    CHECK ((state = 'stopped') = (stopped_at IS NOT NULL AND stop_reason IS NOT NULL))
) STRICT;
-- two at once would fight over slots; the holdout takes its share first and beside them
CREATE UNIQUE INDEX experiments_one_runs ON experiments (state)
WHERE state = 'running' AND kind <> 'holdout';
CREATE UNIQUE INDEX experiments_one_holdout ON experiments (state)
WHERE state = 'running' AND kind = 'holdout';
CREATE TRIGGER experiments_are_frozen BEFORE UPDATE OF
    id, name, kind, spec, spec_hash, seed, seed_hash, started_at, started_by ON experiments
BEGIN SELECT RAISE(ABORT, 'a registered experiment is never changed; start a new one'); END;
CREATE TRIGGER experiments_end_once BEFORE UPDATE ON experiments WHEN OLD.state = 'stopped'
BEGIN SELECT RAISE(ABORT, 'a stopped experiment stays stopped'); END;
CREATE TRIGGER experiments_are_kept BEFORE DELETE ON experiments
BEGIN SELECT RAISE(ABORT, 'experiments are history'); END;

CREATE TABLE assignments (
    id INTEGER PRIMARY KEY,
    experiment_id INTEGER NOT NULL REFERENCES experiments (id),
    spec_hash TEXT NOT NULL,
    block_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    stratum TEXT NOT NULL,
    unit TEXT NOT NULL,  -- slot key, or local day for schedules
    slot_id INTEGER REFERENCES slots (id),  -- NULL: the unit is a day
    slot_at TEXT NOT NULL,
    arm TEXT NOT NULL,
    propensity TEXT NOT NULL,  -- JSON, arm: probability before the draw
    assigned_at TEXT NOT NULL,
    UNIQUE (experiment_id, unit),
    UNIQUE (experiment_id, block_id, position),
    UNIQUE (experiment_id, block_id, arm)
) STRICT;
CREATE INDEX assignments_by_stratum ON assignments (experiment_id, stratum, id);
CREATE INDEX assignments_by_slot ON assignments (slot_id) WHERE slot_id IS NOT NULL;
CREATE INDEX slots_by_day ON slots (local_date, id);
CREATE TRIGGER assignments_come_first BEFORE INSERT ON assignments
WHEN NEW.slot_id IS NOT NULL AND EXISTS (SELECT 1 FROM posts WHERE slot_id = NEW.slot_id)
BEGIN SELECT RAISE(ABORT, 'an arm is given before anything is written'); END;
CREATE TRIGGER assignments_follow_the_spec BEFORE INSERT ON assignments
WHEN NOT EXISTS (
    SELECT 1 FROM experiments WHERE id = NEW.experiment_id AND state = 'running'
    AND spec_hash = NEW.spec_hash)
BEGIN SELECT RAISE(ABORT, 'only a running experiment assigns, by its own spec'); END;
CREATE TRIGGER assignments_stay BEFORE UPDATE ON assignments
BEGIN SELECT RAISE(ABORT, 'an assignment is never changed'); END;
CREATE TRIGGER assignments_are_kept BEFORE DELETE ON assignments
BEGIN SELECT RAISE(ABORT, 'assignments are history'); END;

-- Each draw of the content mix with what it was drawn from.
CREATE TABLE mix_draws (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('content', 'hashtags', 'tone')),
    day TEXT NOT NULL,  -- UTC
    seed INTEGER NOT NULL,
    posterior TEXT NOT NULL,  -- JSON, arm: [mean, sd, posts]
    weights TEXT NOT NULL,  -- JSON, arm: probability
    drawn_at TEXT NOT NULL,
    UNIQUE (kind, day)
) STRICT;
CREATE TRIGGER mix_draws_stay BEFORE UPDATE ON mix_draws
BEGIN SELECT RAISE(ABORT, 'a draw is never changed'); END;
CREATE TRIGGER mix_draws_are_kept BEFORE DELETE ON mix_draws
BEGIN SELECT RAISE(ABORT, 'draws are history'); END;

-- What each slot was given by a draw, and how likely that was.
CREATE TABLE choices (
    id INTEGER PRIMARY KEY,
    slot_id INTEGER NOT NULL REFERENCES slots (id),
    kind TEXT NOT NULL CHECK (kind IN ('content', 'hashtags', 'tone')),
    arm TEXT NOT NULL,
    propensity REAL NOT NULL CHECK (propensity > 0 AND propensity <= 1),
    draw_id INTEGER REFERENCES mix_draws (id),  -- NULL: by hand, or evenly
    chosen_at TEXT NOT NULL,
    UNIQUE (slot_id, kind)
) STRICT;
CREATE INDEX choices_by_kind ON choices (kind, id);
CREATE TRIGGER choices_stay BEFORE UPDATE ON choices
BEGIN SELECT RAISE(ABORT, 'a choice is never changed'); END;
CREATE TRIGGER choices_are_kept BEFORE DELETE ON choices
BEGIN SELECT RAISE(ABORT, 'choices are history'); END;
