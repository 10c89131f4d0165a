-- Headlines, cleaned before they are stored. One row a link; near-duplicates point at the first.

CREATE TABLE news_items (
    id INTEGER PRIMARY KEY,
    link_sha256 TEXT NOT NULL UNIQUE,
    world TEXT NOT NULL CHECK (world IN ('live', 'sample', 'replay')),
    title TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    source TEXT NOT NULL,
    url TEXT,
    published_at TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    relevance REAL NOT NULL CHECK (relevance BETWEEN 0 AND 1),
    sentiment_lexicon REAL NOT NULL CHECK (sentiment_lexicon BETWEEN -1 AND 1),
    sentiment_model REAL CHECK (sentiment_model BETWEEN -1 AND 1),  -- NULL: no model was asked
    flags TEXT NOT NULL DEFAULT '[]',  -- instruction patterns seen in the title
    duplicate_of INTEGER REFERENCES news_items (id),
    claimed_at TEXT  -- NULL: free to be used, once
) STRICT;
CREATE INDEX news_items_by_time ON news_items (world, published_at);
