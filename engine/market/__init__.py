"""The market: sources, the consensus snapshot, trend, news, events, replay."""
