"""Banks: enough lines, each its own, each passing the project's own checks."""

from __future__ import annotations

import random

import pytest

from engine.checks.length import weigh
from engine.checks.voice import load_profile
from engine.records import CONTENT_TYPES, Facts
from engine.writing import banks, phrases
from tests.writing.markets import HEADLINES
from tests.writing.test_recipes import judged

LINES = [
    *(("joke", line) for line in banks.jokes()),
    *(("motivation", line) for line in banks.motivation()),
    *(("news", line) for line in banks.news_stances()),
]
BACKUPS = [post for name in CONTENT_TYPES for post in banks.backup_posts(name)]
MARKETS = {
    "up": Facts(price_usd=67_432.0, change_24h_pct=2.3, high_24h=68_000.0, low_24h=65_500.0),
    "down": Facts(price_usd=67_432.0, change_24h_pct=-2.3, high_24h=69_280.0, low_24h=66_950.0),
    "flat": Facts(price_usd=67_432.0, change_24h_pct=0.1, high_24h=67_900.0, low_24h=66_950.0),
    "no_change": Facts(price_usd=67_432.0),
}


@pytest.mark.parametrize(
    ("lines", "least"),
    [(banks.jokes(), 160), (banks.motivation(), 180), (banks.news_stances(), 160)],
    ids=["jokes", "motivation", "news"],
)
def test_a_bank_is_large_and_without_doubles(lines: tuple[banks.Line, ...], least: int) -> None:
    assert len(lines) >= least
    assert len({line.id for line in lines}) == len({line.text for line in lines}) == len(lines)


@pytest.mark.parametrize(
    ("content_type", "line"), LINES, ids=lambda value: getattr(value, "id", "")
)
def test_every_line_passes_our_own_checks(content_type: str, line: banks.Line) -> None:
    assert weigh(line.text).weight <= 240
    assert "#" not in line.text
    assert judged(line.text, Facts(), content_type) == []


@pytest.mark.parametrize("post", BACKUPS, ids=lambda post: post.id)
def test_every_backup_post_passes_our_own_checks(post: banks.BackupPost) -> None:
    facts = MARKETS[post.when[0]] if post.when else Facts()
    assert phrases.usable(post.text, post.when, phrases.Market(facts))
    text = phrases.fill(post.text, phrases.values(facts))
    assert judged(text, facts, post.content_type) == []


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_there_are_at_least_twelve_backup_posts_of_each_type(content_type: str) -> None:
    assert len(banks.backup_posts(content_type)) >= 12


@pytest.mark.parametrize("facts", MARKETS.values(), ids=MARKETS)
def test_a_backup_price_post_exists_for_every_market(facts: Facts) -> None:
    market = phrases.Market(facts)
    assert any(phrases.usable(p.text, p.when, market) for p in banks.backup_posts("price"))


@pytest.mark.parametrize(
    ("title", "theme"),
    [
        ("SEC sues exchange over registration", "regulation"),
        ("Hashrate slips as miners unplug", "mining"),
        ("Exchange hacked, funds stolen", "security"),
        ("Fed holds rates, inflation cools", "macro"),
        ("A quiet weekend", "generic"),
    ],
)
def test_headlines_find_their_theme(title: str, theme: str) -> None:
    assert banks.theme_of(title) == theme


@pytest.mark.parametrize("sentiment", ["positive", "negative", "neutral"])
@pytest.mark.parametrize("headline", HEADLINES)
def test_stances_fit_the_mood_of_a_headline(headline: object, sentiment: str) -> None:
    """A grim headline never gets a cheerful line; neutral lines fit any."""
    found = banks.stances(getattr(headline, "title"), sentiment)  # noqa: B009
    assert len(found) >= 8
    assert {line.sentiment for line in found} <= {sentiment, "neutral"}


def test_hashtag_sets_are_small_and_fit_the_type() -> None:
    rng = random.Random(1)
    for content_type in CONTENT_TYPES:
        drawn = {banks.choose_hashtags(rng, content_type) for _ in range(200)}
        assert len(drawn) >= 4 and () in drawn
        assert all(len(tags) <= 2 for tags in drawn)
    assert ("#CryptoHumor",) not in {banks.choose_hashtags(rng, "news") for _ in range(200)}


def test_worn_out_hashtag_sets_wait() -> None:
    drawn = {
        banks.choose_hashtags(random.Random(n), "price", lambda tags: tags != ("#BTC",))
        for n in range(20)
    }
    assert drawn == {("#BTC",)}


def test_every_line_has_a_tone_of_the_shipped_voice() -> None:
    lines = (*banks.jokes(), *banks.motivation(), *banks.news_stances())
    assert {line.tone for line in lines} == set(load_profile().tone)
