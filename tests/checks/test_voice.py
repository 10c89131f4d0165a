"""Voice: reasons per trait, a threshold, and a profile whose versions never change."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from sqlite_utils import Database

from engine.checks.voice import check, load_profile, score
from engine.clock import FakeClock
from engine.errors import UsageError
from engine.store import voice as voices
from tests.benchmarks import voice as benchmark

PROFILE = load_profile()
PLAIN = "Bitcoin is at $67,432, down 2.3% in 24 hours. The blocks carry on."


@pytest.mark.parametrize(
    ("text", "trait"),
    [
        ("WAKE UP PEOPLE, BITCOIN MOVED AGAIN!", "calm"),
        ("What a day!!! The chart did things!!!", "calm"),
        ("Bitcoin is a rocket ship and nothing can stop it.", "sober"),
        ("wagmi frens, diamond hands only", "own_words"),
        ("We leverage synergies to empower stakeholders in the ecosystem.", "plain"),
        ("Bloodbath. Everything is going to zero and we are doomed.", "hopeful"),
        ("You should buy the dip before it is too late.", "modest"),
        ("Only idiots do not see it. Cry harder, losers.", "kind"),
        ("You won't believe what happens next. Stay tuned.", "candid"),
        ("A quiet day 🚀🚀🚀🔥 on the chart.", "emoji"),
        ("A quiet day on the chart. #a #b #c #d", "hashtags"),
        ("BTC 67432 / -2.3% / H 69280 / L 66950", "flow"),
        ("Join us. Imagine your future. Vote and reply!", "selling"),
        ("Bitcoin isn't just money, it's a mirror.", "rhetoric"),
        ("It may perhaps be considered that it could remain so.", "hedging"),
        (
            "The aforementioned considerations, notwithstanding prior disclosures, are unquestionable.",
            "stilted",
        ),
        ("Three plans: 1) tea 2) toast 3) nap", "list"),
        ("ngl btc is kinda mid fr", "slang"),
        ("Our team is delighted to share this with our valued followers.", "house"),
        ("Soldiers, the enemy is at the trenches, and the battle is holy.", "grand"),
        ("It was " + "and then it was so " * 9 + "and that was it.", "flow"),
    ],
)
def test_each_fault_is_named_by_its_trait(text: str, trait: str) -> None:
    findings = check(text, PROFILE, "price", 0.6)
    assert f"voice.{trait}" in {finding.rule for finding in findings}
    assert all(f.severity == "reject" and f.message for f in findings)
    assert all(0 <= f.start < f.end <= len(text) for f in findings)


def test_a_calm_post_scores_full_and_has_no_finding() -> None:
    assert score(PLAIN, PROFILE, "price").total == 1.0
    assert check(PLAIN, PROFILE, "price", 0.6) == []


def test_several_small_faults_add_up() -> None:
    one = score("A huge day for tea.", PROFILE, "joke").total
    three = score("A huge, massive, incredible day for tea.", PROFILE, "joke").total
    assert 0.6 < one < 1 and three < 0.6


def test_the_threshold_decides() -> None:
    text = "A huge day for tea."
    assert check(text, PROFILE, "joke", 0.6) == []
    assert [f.rule for f in check(text, PROFILE, "joke", 0.9)] == ["voice.sober"]


def test_a_quoted_headline_is_not_our_voice() -> None:
    text = '"BITCOIN EXPLODES IN INSANE RALLY!" — CoinDesk\n\nWorth a read, at walking speed.'
    assert check(text, PROFILE, "news", 0.6) == []
    assert check(text, PROFILE, "joke", 0.6)


def test_words_match_whole_and_with_any_apostrophe() -> None:
    assert score("We observe the serene gmail.", PROFILE, "joke").total == 1.0
    assert score("You won’t believe it.", PROFILE, "joke").total < 0.6


def test_an_operator_changes_what_counts() -> None:
    strict = replace(PROFILE, emoji_max=0)
    assert (
        score("Good morning ☕", strict, "joke").total
        < score("Good morning ☕", PROFILE, "joke").total
    )


def test_the_profile_survives_its_json() -> None:
    assert voices.VoiceProfile.from_dict(PROFILE.to_dict()) == PROFILE


@pytest.mark.parametrize(
    "change",
    [{"tone": "calm"}, {"emoji_max": -1}, {"emoji_max": True}, {"name": ""}, {"colour": "blue"}, {"marks": []}],
)  # fmt: skip
def test_a_broken_profile_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="voice profile cannot be read"):
        voices.VoiceProfile.from_dict({**PROFILE.to_dict(), **change})


def test_versions_stand_over_the_shipped_profile(db: Database, clock: FakeClock) -> None:
    assert voices.current(db) == PROFILE
    drier = replace(PROFILE, emoji_max=0)
    assert voices.save(db, drier, "ana", clock.now(), note="no emoji") == 1
    assert voices.save(db, PROFILE, "ana", clock.now()) == 2
    assert voices.current(db) == PROFILE
    assert [(v.number, v.profile.emoji_max, v.note) for v in voices.versions(db)] == [
        (2, 1, ""),
        (1, 0, "no emoji"),
    ]


def test_saving_the_same_voice_again_is_refused(db: Database, clock: FakeClock) -> None:
    with pytest.raises(UsageError, match="in force already"):
        voices.save(db, PROFILE, "ana", clock.now())


@pytest.mark.parametrize(
    "sql", ["UPDATE voice_profiles SET note = 'x'", "DELETE FROM voice_profiles"]
)
def test_a_saved_version_never_changes(db: Database, clock: FakeClock, sql: str) -> None:
    voices.save(db, replace(PROFILE, emoji_max=0), "ana", clock.now())
    with pytest.raises(sqlite3.IntegrityError, match="never"):
        db.conn.execute(sql)


def test_held_out_examples_are_judged_well() -> None:
    """The figures in docs/performance.md, kept from slipping."""
    result = benchmark.report()
    assert result["held_out"]["off"] + result["held_out"]["on"] >= 60
    assert result["held_out"]["precision"][0] >= 0.9
    assert result["held_out"]["recall"][0] >= 0.9
    assert result["fresh"]["precision"][0] >= 0.9
