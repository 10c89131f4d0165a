-- What the repetition check remembers of each post (engine/checks/repetition.py). Hashes are 63-bit integers.

CREATE TABLE fingerprints (
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL UNIQUE REFERENCES posts (id),
    at TEXT NOT NULL,
    exact INTEGER NOT NULL,  -- all words
    masked INTEGER NOT NULL,  -- all words, numbers masked
    opening INTEGER NOT NULL,
    ending INTEGER NOT NULL,
    emoji INTEGER NOT NULL,
    hashtags INTEGER NOT NULL,
    words TEXT NOT NULL  -- the set of words, sorted, one space between
) STRICT;
CREATE INDEX fingerprints_by_time ON fingerprints (at, id);
CREATE INDEX fingerprints_by_exact ON fingerprints (exact, at);
CREATE INDEX fingerprints_by_masked ON fingerprints (masked, at);

-- Sentences of prose, to find one used again.
CREATE TABLE fingerprint_sentences (
    sentence INTEGER NOT NULL,
    day INTEGER NOT NULL,  -- days since 1970-01-01
    fingerprint_id INTEGER NOT NULL REFERENCES fingerprints (id) ON DELETE CASCADE,
    PRIMARY KEY (sentence, day, fingerprint_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX fingerprint_sentences_by_post ON fingerprint_sentences (fingerprint_id);

-- Every different word of each post, to find near-duplicates. No foreign key: its check would need a second index as
-- large as this one; engine/store/fingerprints.py removes the words with their fingerprint.
CREATE TABLE fingerprint_words (
    word INTEGER NOT NULL,
    day INTEGER NOT NULL,
    fingerprint_id INTEGER NOT NULL,
    PRIMARY KEY (word, day, fingerprint_id)
) STRICT, WITHOUT ROWID;
