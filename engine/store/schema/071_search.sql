-- Full-text search over every text a post ever had. Revisions never change, so the index only
-- grows: engine/store/search.py feeds it (a trigger may not: the schema is untrusted).

CREATE VIRTUAL TABLE posts_search USING fts5 (
    text, content = 'post_revisions', content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2'
);
