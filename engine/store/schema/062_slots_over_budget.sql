-- A slot whose post did not fit the budget ends as skipped, also when it was filled before: only
-- when a post is about to be sent is it known what the month has left.

DROP TRIGGER slots_change_legally;
CREATE TRIGGER slots_change_legally BEFORE UPDATE OF state ON slots
WHEN NEW.state <> OLD.state AND NOT (
    (OLD.state = 'due' AND NEW.state IN ('claimed', 'missed', 'skipped'))
    OR (OLD.state = 'claimed' AND NEW.state IN ('due', 'filled', 'missed', 'skipped'))
    OR (OLD.state = 'filled' AND NEW.state = 'skipped' AND NEW.post_id = OLD.post_id
        AND NEW.reason LIKE 'budget:%'
        AND (SELECT state FROM posts WHERE id = OLD.post_id) = 'expired')
)
BEGIN SELECT RAISE(ABORT, 'a slot cannot change to this state from its own'); END;
