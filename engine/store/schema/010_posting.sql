-- The queue and the posting protocol (facts: reliability-and-security §2). Every rule that must
-- hold whatever a caller does is a constraint or a trigger here.

ALTER TABLE posts ADD COLUMN text_key TEXT NOT NULL DEFAULT '';
CREATE INDEX posts_by_text_key ON posts (text_key);
CREATE INDEX posts_due ON posts (COALESCE(not_before, scheduled_for, approved_at), id)
    WHERE state = 'approved';

-- What people (and the autonomy level) said of which exact text.
CREATE TABLE decisions (
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts (id),
    revision INTEGER NOT NULL,
    body_sha256 TEXT NOT NULL,
    decision TEXT NOT NULL CHECK (decision IN ('approved', 'rejected', 'edited', 'withdrawn')),
    by_kind TEXT NOT NULL CHECK (by_kind IN ('operator', 'autonomy')),
    actor TEXT NOT NULL,
    reason TEXT,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX decisions_by_post ON decisions (post_id, id);
CREATE TRIGGER decisions_stay BEFORE UPDATE ON decisions
BEGIN SELECT RAISE(ABORT, 'decisions are history'); END;
CREATE TRIGGER decisions_are_kept BEFORE DELETE ON decisions
BEGIN SELECT RAISE(ABORT, 'decisions are history'); END;

-- One row per intent to send, committed before anything is sent.
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    post_id INTEGER NOT NULL REFERENCES posts (id),
    revision INTEGER NOT NULL,
    body_sha256 TEXT NOT NULL,
    publisher TEXT NOT NULL,
    account TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    boot_id TEXT NOT NULL,
    started_at TEXT NOT NULL,
    started_boottime REAL NOT NULL,
    deadline_boottime REAL NOT NULL,  -- CLOCK_BOOTTIME of boot_id, seconds
    newest_known_id TEXT,  -- newest own id on X known when the attempt began
    outcome TEXT CHECK (outcome IN (
        'posted', 'not_sent', 'refused', 'unknown', 'held', 'absent', 'abandoned')),
    reason TEXT,
    duplicate INTEGER NOT NULL DEFAULT 0 CHECK (duplicate IN (0, 1)),  -- X says: same text
    x_post_id TEXT UNIQUE,
    finished_at TEXT,
    unknown_at TEXT,
    resolved_at TEXT,
    skew_s REAL,  -- X's clock less ours, read from the id
    CHECK ((outcome IS NULL) = (finished_at IS NULL)),
    CHECK ((outcome IS 'posted') = (x_post_id IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX attempts_one_open_per_account ON attempts (account) WHERE finished_at IS NULL;
CREATE UNIQUE INDEX attempts_posted_once ON attempts (post_id) WHERE outcome = 'posted';
CREATE INDEX attempts_by_post ON attempts (post_id, id);
CREATE INDEX attempts_by_account ON attempts (account, started_at);
CREATE INDEX attempts_unsolved ON attempts (outcome) WHERE outcome IN ('unknown', 'held');

CREATE TRIGGER attempts_need_an_approved_post BEFORE INSERT ON attempts
WHEN NOT EXISTS (
    SELECT 1 FROM posts WHERE id = NEW.post_id AND state = 'approved'
    AND revision = NEW.revision AND body_sha256 = NEW.body_sha256)
BEGIN SELECT RAISE(ABORT, 'only an approved text may be attempted'); END;
CREATE TRIGGER attempts_outcomes BEFORE UPDATE OF outcome ON attempts
WHEN COALESCE(OLD.outcome, 'open') || '>' || COALESCE(NEW.outcome, 'open') NOT IN (
    'open>posted', 'open>not_sent', 'open>refused', 'open>unknown',
    'unknown>posted', 'unknown>not_sent', 'unknown>refused', 'unknown>held', 'unknown>absent',
    'held>posted', 'held>absent', 'held>abandoned')
BEGIN SELECT RAISE(ABORT, 'illegal change of an attempt''s outcome'); END;
CREATE TRIGGER attempts_keep_their_intent BEFORE UPDATE OF
    id, uuid, post_id, revision, body_sha256, publisher, account, epoch, boot_id, started_at,
    started_boottime, deadline_boottime, newest_known_id ON attempts
BEGIN SELECT RAISE(ABORT, 'the intent of an attempt is never changed'); END;
CREATE TRIGGER attempts_are_kept BEFORE DELETE ON attempts
BEGIN SELECT RAISE(ABORT, 'attempts are history'); END;

-- The states of a post. engine/posting/states.py draws the same pairs; a test compares them.
CREATE TRIGGER posts_begin_as_drafts BEFORE INSERT ON posts
WHEN NEW.state <> 'draft' OR NEW.revision <> 1
BEGIN SELECT RAISE(ABORT, 'a post begins as a draft, revision 1'); END;
CREATE TRIGGER posts_transitions BEFORE UPDATE OF state ON posts
WHEN OLD.state <> NEW.state AND OLD.state || '>' || NEW.state NOT IN (
    'draft>validated', 'draft>rejected', 'draft>expired',
    'validated>pending_approval', 'validated>rejected', 'validated>expired', 'validated>draft',
    'pending_approval>approved', 'pending_approval>rejected', 'pending_approval>expired',
    'pending_approval>draft',
    'approved>publishing', 'approved>expired', 'approved>pending_approval',
    'publishing>posted', 'publishing>approved', 'publishing>failed', 'publishing>unknown',
    'unknown>posted', 'unknown>held', 'unknown>failed', 'unknown>approved',
    'held>posted', 'held>approved', 'held>abandoned')
BEGIN SELECT RAISE(ABORT, 'illegal change of a post''s state'); END;
CREATE TRIGGER posts_change_their_text_as_new_drafts BEFORE UPDATE OF text, body_sha256, revision
ON posts
WHEN (OLD.text <> NEW.text OR OLD.body_sha256 <> NEW.body_sha256 OR OLD.revision <> NEW.revision)
    AND NOT (OLD.state IN ('draft', 'validated', 'pending_approval') AND NEW.state = 'draft'
             AND NEW.revision = OLD.revision + 1)
BEGIN SELECT RAISE(ABORT, 'a text changes only as a new revision before approval'); END;
CREATE TRIGGER posts_are_approved_by_a_decision BEFORE UPDATE OF state ON posts
WHEN OLD.state = 'pending_approval' AND NEW.state = 'approved' AND NOT EXISTS (
    SELECT 1 FROM decisions WHERE post_id = NEW.id AND revision = NEW.revision
    AND body_sha256 = NEW.body_sha256 AND decision = 'approved')
BEGIN SELECT RAISE(ABORT, 'an approval needs a decision on this very text'); END;
CREATE TRIGGER posts_are_published_by_an_attempt BEFORE UPDATE OF state ON posts
WHEN OLD.state = 'approved' AND NEW.state = 'publishing' AND NOT EXISTS (
    SELECT 1 FROM attempts WHERE post_id = NEW.id AND finished_at IS NULL
    AND body_sha256 = NEW.body_sha256)
BEGIN SELECT RAISE(ABORT, 'publishing needs an open attempt'); END;
CREATE TRIGGER posts_are_posted_by_an_attempt BEFORE UPDATE OF state ON posts
WHEN OLD.state <> 'posted' AND NEW.state = 'posted' AND NOT EXISTS (
    SELECT 1 FROM attempts WHERE post_id = NEW.id AND outcome = 'posted'
    AND x_post_id = NEW.x_post_id)
BEGIN SELECT RAISE(ABORT, 'a posted post needs an attempt that says so'); END;
CREATE TRIGGER posts_keep_their_x_id BEFORE UPDATE OF x_post_id ON posts
WHEN OLD.x_post_id IS NOT NULL AND OLD.x_post_id IS NOT NEW.x_post_id
BEGIN SELECT RAISE(ABORT, 'the id on X is never changed'); END;
CREATE TRIGGER posts_are_kept BEFORE DELETE ON posts
BEGIN SELECT RAISE(ABORT, 'posts are history'); END;

-- A waiting post whose text is to be written anew: asked by an operator, or stale.
CREATE TABLE regenerations (
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts (id),
    revision INTEGER NOT NULL,
    cause TEXT NOT NULL CHECK (cause IN ('operator', 'stale')),
    note TEXT NOT NULL,
    actor TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    finished_at TEXT
) STRICT;
CREATE UNIQUE INDEX regenerations_one_open ON regenerations (post_id) WHERE finished_at IS NULL;

-- Who runs, and since when.
CREATE TABLE runner (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL,
    holder TEXT NOT NULL,
    taken_at TEXT
) STRICT;
INSERT INTO runner (id, epoch, holder) VALUES (1, 0, 'nobody yet');
CREATE TRIGGER runner_epochs_grow BEFORE UPDATE OF epoch ON runner WHEN NEW.epoch <= OLD.epoch
BEGIN SELECT RAISE(ABORT, 'an epoch only grows'); END;

CREATE TABLE kill_switch (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    stopped INTEGER NOT NULL CHECK (stopped IN (0, 1)),
    reason TEXT NOT NULL DEFAULT '',
    actor TEXT NOT NULL DEFAULT '',
    changed_at TEXT
) STRICT;
INSERT INTO kill_switch (id, stopped) VALUES (1, 0);

-- What an account has been told by X.
CREATE TABLE accounts (
    account TEXT PRIMARY KEY,
    blocked_until TEXT,
    blocked_reason TEXT,
    reads_blocked_until TEXT
) STRICT;
