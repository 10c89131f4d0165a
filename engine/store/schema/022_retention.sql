-- What rests on a snapshot or a headline is found by index: rows that nothing rests on are
-- forgotten after market.keep_days.
CREATE INDEX posts_by_snapshot ON posts (snapshot_id) WHERE snapshot_id IS NOT NULL;
CREATE INDEX post_revisions_by_snapshot ON post_revisions (snapshot_id)
    WHERE snapshot_id IS NOT NULL;
CREATE INDEX generation_params_by_snapshot ON generation_params (snapshot_id)
    WHERE snapshot_id IS NOT NULL;
CREATE INDEX market_events_by_snapshot ON market_events (snapshot_id);
CREATE INDEX market_events_by_previous ON market_events (previous_snapshot_id);
CREATE INDEX posts_by_news_item ON posts (news_item_id) WHERE news_item_id IS NOT NULL;
CREATE INDEX news_items_by_original ON news_items (duplicate_of) WHERE duplicate_of IS NOT NULL;
