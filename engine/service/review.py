"""An operator's own text, judged as a model's would be: same facts, same checks."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from sqlite_utils import Database

from engine.checks import repetition
from engine.checks.verdict import CheckContext, run_checks
from engine.records import Facts, Headline, Verdict
from engine.store import news, settings, snapshots, voice
from engine.store.posts import Post


def facts_of(db: Database, post: Post) -> Facts | None:
    """What may be said in ``post``: its snapshot's facts, with its headline if it has one."""
    snapshot = snapshots.get(db, post.snapshot_id) if post.snapshot_id else None
    facts = snapshot.facts if snapshot else None
    item = news.get(db, post.news_item_id) if post.news_item_id else None
    if item is None:
        return facts
    return dataclasses.replace(
        facts or Facts(), headline=Headline(item.title, item.source, item.url)
    )


def judge(db: Database, post: Post, text: str, *, now: datetime) -> Verdict:
    """The verdict on ``text`` as the next revision of ``post``."""
    return run_checks(
        text,
        CheckContext(
            post.content_type,
            facts_of(db, post),
            voice.current(db),
            settings.get(db, "content.voice_threshold"),
            repetition.History(db, now, exclude_post_id=post.id),
        ),
    )
