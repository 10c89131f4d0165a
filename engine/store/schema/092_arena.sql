-- Blind votes between two texts of one benchmark run, written on one moment by two contenders.

CREATE TABLE arena_votes (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES bench_runs (id),
    left_place INTEGER NOT NULL,
    right_place INTEGER NOT NULL,
    choice TEXT NOT NULL CHECK (choice IN ('left', 'right', 'tie')),
    voter TEXT NOT NULL,
    created_at TEXT NOT NULL,
    CHECK (left_place <> right_place)
) STRICT;
-- One person judges a pair once, whichever side the texts stand on.
CREATE UNIQUE INDEX arena_votes_once
ON arena_votes (voter, run_id, min(left_place, right_place), max(left_place, right_place));
