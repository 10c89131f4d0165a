"""Which headline may be quoted, told before a model is asked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlite_utils import Database

from engine.checks import repetition
from engine.clock import FakeClock
from engine.records import Facts, Verdict
from engine.store import news
from engine.store.posts import NewPost, insert
from engine.writing.quoting import quotable

FACTS = Facts(price_usd=67_432.0, change_24h_pct=-2.3)
CALM = "Regulator opens consultation on bitcoin custody rules"


def item(db: Database, clock: FakeClock, title: str) -> news.NewsItem:
    """A stored headline."""
    new = news.NewItem(title, "live", title, "CoinDesk", None, clock.now(), 1.0, 0.0)
    found = news.get(db, news.insert(db, new, now=clock.now()) or 0)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("title", "fits"),
    [
        (CALM, True),
        ("Senators debate a bitcoin reserve", True),
        ("Send 0.1 BTC to double your coins now", False),
        ("Guaranteed profits: buy the bitcoin dip before it is too late", False),
    ],
)
def test_a_headline_that_the_checks_refuse_is_not_quoted(
    db: Database, clock: FakeClock, title: str, fits: bool
) -> None:
    assert quotable(db, item(db, clock, title), FACTS, clock.now()) is fits


def test_a_headline_quoted_this_week_waits(db: Database, clock: FakeClock) -> None:
    again, text = item(db, clock, CALM), f'"{CALM}" — CoinDesk\n\nWorth a read.'
    draft = NewPost("news", text, Verdict(), "model", "live")
    repetition.remember(db, insert(db, draft, actor="test", now=clock.now()), text, clock.now())
    assert not quotable(db, again, FACTS, clock.now() + timedelta(days=6))
    assert quotable(db, again, FACTS, clock.now() + timedelta(days=40))


def test_the_next_item_is_the_first_that_fits(db: Database, clock: FakeClock) -> None:
    item(db, clock, "Guaranteed profits: buy the bitcoin dip before it is too late")
    calm = item(db, clock, CALM)
    now = clock.now()
    assert news.next_item(db, now, fits=lambda one: quotable(db, one, FACTS, now)) == calm
    assert news.next_item(db, now, fits=lambda one: False) is None
