"""Which headline may be quoted: told before a model is asked to comment on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlite_utils import Database

from engine.checks import repetition
from engine.checks.verdict import CheckContext, run_checks
from engine.records import Facts, Headline
from engine.store import settings, voice
from engine.store.news import NewsItem
from engine.writing import echo


def quotable(db: Database, item: NewsItem, facts: Facts, now: datetime) -> bool:
    """Whether every check passes the quotation alone: a headline may claim what nobody can prove,
    break the policy, or have been quoted this week already."""
    headline = Headline(item.title, item.source, item.url)
    context = CheckContext(
        "news",
        replace(facts, headline=headline),
        voice.current(db),
        settings.get(db, "content.voice_threshold"),
        repetition.History(db, now),
    )
    return run_checks(echo.quoted(item.title, item.source), context).outcome == "pass"
