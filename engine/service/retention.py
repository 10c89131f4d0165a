"""What is forgotten: rows that nothing rests on. What was said, decided, sent, paid or measured stays."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlite_utils import Database

from engine.store import jobs, news, settings, snapshots

JOB_RUNS_KEPT = timedelta(days=14)


def forget(db: Database, now: datetime) -> None:
    """Forget what is too old, a bounded number of rows at a time. Meant for a job every few
    minutes; ``now`` must be trusted."""
    market = now - timedelta(days=float(settings.get(db, "market.keep_days")))
    jobs.prune(db, now - JOB_RUNS_KEPT)
    snapshots.prune(db, market)
    news.prune(db, market)
