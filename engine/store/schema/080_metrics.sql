-- What readers did: counts at fixed ages, each written once and never changed (facts: experiments
-- §2.4, x-api §2 "Metrics"). Dry-run posts have none.
CREATE TABLE metrics (
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts (id),
    age_h INTEGER NOT NULL CHECK (age_h IN (1, 6, 24, 48, 168)),  -- the age it stands for
    age_hours REAL NOT NULL CHECK (age_hours >= age_h),  -- the age it was read at
    taken_at TEXT NOT NULL,
    impressions INTEGER NOT NULL CHECK (impressions >= 0),
    likes INTEGER NOT NULL CHECK (likes >= 0),
    reposts INTEGER NOT NULL CHECK (reposts >= 0),
    replies INTEGER NOT NULL CHECK (replies >= 0),
    quotes INTEGER NOT NULL CHECK (quotes >= 0),
    bookmarks INTEGER NOT NULL CHECK (bookmarks >= 0),
    link_clicks INTEGER,  -- private: X gives these for 30 days
    profile_clicks INTEGER,
    source TEXT NOT NULL CHECK (source IN ('x', 'csv')),
    UNIQUE (post_id, age_h)
) STRICT;
CREATE TRIGGER metrics_need_a_post_on_x BEFORE INSERT ON metrics
WHEN NOT EXISTS (
    SELECT 1 FROM posts WHERE id = NEW.post_id AND state = 'posted' AND publisher = 'x')
BEGIN SELECT RAISE(ABORT, 'only a post on X has engagement'); END;
CREATE TRIGGER metrics_stay BEFORE UPDATE ON metrics
BEGIN SELECT RAISE(ABORT, 'a snapshot is never changed'); END;
CREATE TRIGGER metrics_are_kept BEFORE DELETE ON metrics
BEGIN SELECT RAISE(ABORT, 'snapshots are history'); END;

-- Posts that X says are gone: nothing more is read of them, what was read stays.
CREATE TABLE gone_posts (
    post_id INTEGER PRIMARY KEY REFERENCES posts (id),
    noticed_at TEXT NOT NULL
) STRICT;
CREATE TRIGGER gone_posts_stay BEFORE UPDATE ON gone_posts
BEGIN SELECT RAISE(ABORT, 'what is gone stays gone'); END;

CREATE TABLE followers (
    id INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    day TEXT NOT NULL,  -- UTC
    taken_at TEXT NOT NULL,
    followers INTEGER NOT NULL CHECK (followers >= 0),
    UNIQUE (account, day)
) STRICT;
CREATE TRIGGER followers_stay BEFORE UPDATE ON followers
BEGIN SELECT RAISE(ABORT, 'a count is never changed'); END;
CREATE TRIGGER followers_are_kept BEFORE DELETE ON followers
BEGIN SELECT RAISE(ABORT, 'counts are history'); END;
