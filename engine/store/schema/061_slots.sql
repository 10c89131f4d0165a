-- Slots end in a named state and stay there; marks of time never move back (facts: reliability
-- §2.1, §2.5).

CREATE TRIGGER slots_change_legally BEFORE UPDATE OF state ON slots
WHEN NEW.state <> OLD.state AND NOT (
    (OLD.state = 'due' AND NEW.state IN ('claimed', 'missed', 'skipped'))
    OR (OLD.state = 'claimed' AND NEW.state IN ('due', 'filled', 'missed', 'skipped'))
)
BEGIN SELECT RAISE(ABORT, 'a slot cannot change to this state from its own'); END;

CREATE TRIGGER slots_end_explained BEFORE UPDATE OF state ON slots
WHEN NEW.state IN ('filled', 'missed', 'skipped')
    AND (NEW.finished_at IS NULL OR (NEW.state = 'filled' AND NEW.post_id IS NULL))
BEGIN SELECT RAISE(ABORT, 'a finished slot needs its time, and a filled one its post'); END;

CREATE TRIGGER slots_keep_their_key BEFORE UPDATE OF slot_key ON slots
WHEN NEW.slot_key <> OLD.slot_key
BEGIN SELECT RAISE(ABORT, 'a slot keeps its key'); END;

CREATE TRIGGER slots_are_kept BEFORE DELETE ON slots
WHEN OLD.state <> 'due' OR OLD.tries > 0
BEGIN SELECT RAISE(ABORT, 'only an untouched slot may be planned away'); END;

CREATE TABLE high_water_marks (
    name TEXT PRIMARY KEY,  -- planned:<schedule id>, swept
    at TEXT NOT NULL
) STRICT;

CREATE TRIGGER high_water_marks_never_fall BEFORE UPDATE ON high_water_marks
WHEN NEW.at < OLD.at
BEGIN SELECT RAISE(ABORT, 'a high-water mark never moves back'); END;
