"""The same joke is not told twice, and a menu of phrases does not run dry."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from engine.checks import repetition
from engine.checks.repetition import NEAR, NEAR_MASKED, History, fingerprint, jaccard, remember
from engine.records import Verdict
from engine.store.fingerprints import mask
from engine.store.posts import NewPost, insert
from tests.checks.attacks import load_clean

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LINE = "The market is a patient teacher of small lessons"


def post(db: Database, text: str, age: timedelta = timedelta(days=1)) -> int:
    """A remembered post of that age; answers its id."""
    draft = NewPost("price", text, Verdict(), "model", "live")
    post_id = insert(db, draft, actor="test", now=NOW - age)
    remember(db, post_id, text, NOW - age)
    return post_id


def rules(db: Database, text: str, **history: int) -> set[str]:
    found = repetition.check(text, History(db, NOW, **history))
    return {finding.rule.removeprefix("repetition.") for finding in found}


def test_an_empty_history_has_nothing_against_anything(db: Database) -> None:
    assert rules(db, "Bitcoin at $67,000, up 2% today.") == set()


@pytest.mark.parametrize(
    "again",
    [
        "Why do nodes never argue? They reach consensus.",
        "why do NODES never argue?! They reach consensus 😂 #Bitcoin",
        "Why do nоdes never argue? They reach consensus.",  # a Cyrillic o
    ],
)
def test_the_same_words_are_refused_for_thirty_days(db: Database, again: str) -> None:
    post(db, "Why do nodes never argue? They reach consensus.", timedelta(days=29))
    assert "exact" in rules(db, again)


def test_after_thirty_days_a_text_is_free_again(db: Database) -> None:
    post(db, "Why do nodes never argue? They reach consensus.", timedelta(days=31))
    assert rules(db, "Why do nodes never argue? They reach consensus.") == set()


def test_other_numbers_make_no_new_post_within_a_week(db: Database) -> None:
    post(db, "Bitcoin at $67,000, up 2.3% in 24 hours.", timedelta(days=6))
    assert "masked" in rules(db, "Bitcoin at $61,250, up 1.1% in 24 hours.")


def test_after_a_week_the_form_is_free_again(db: Database) -> None:
    post(db, "Bitcoin at $67,000, up 2.3% in 24 hours.", timedelta(days=8))
    assert rules(db, "Bitcoin at $61,250, up 1.1% in 24 hours.") == set()


def test_a_sentence_beside_new_numbers_is_found_with_its_place(db: Database) -> None:
    first = post(db, f"Bitcoin at $67,000, up 2%. {LINE}.")
    text = f"BTC slips to $64,000 after a wild night at the desk. {LINE}."
    (finding,) = repetition.check(text, History(db, NOW))
    assert finding.rule == "repetition.sentence"
    assert text[finding.start : finding.end] == LINE
    assert str(first) in finding.message


def test_sentences_that_carry_numbers_may_come_again(db: Database) -> None:
    post(db, "Bitcoin at $67,000, up 2% in 24 hours. Blocks hum along like old trains at night.")
    assert (
        rules(db, "Bitcoin at $64,000, up 1% in 24 hours. Rain outside, coffee inside today.")
        == set()
    )


def test_shuffled_words_are_near(db: Database) -> None:
    post(db, "The chart is loud, the chain is calm, and patience lives in between, says my node.")
    assert "near" in rules(
        db, "Patience lives in between: the chain is calm, the chart is loud, says my old node."
    )


def test_one_changed_word_and_new_numbers_are_near_when_masked(db: Database) -> None:
    words = "a quiet desk watches the screen while miners hum and traders yawn near the window"
    post(db, f"Bitcoin holds $67,100 as {words}, up 2.2% since 8 am")
    assert "near_masked" in rules(db, f"Bitcoin keeps $64,350 as {words}, up 1.7% since 9 am")


def test_a_worn_opening_is_refused(db: Database) -> None:
    subjects = ["a badger", "two owls", "my aunt", "the moon"]
    for age, subject in enumerate(subjects[:3]):
        post(
            db, f"Fun fact incoming: {subject} never sold a coin number {age}", timedelta(hours=age)
        )
    assert "opening" in rules(db, f"Fun fact incoming: {subjects[3]} pays no fees whatsoever")
    assert rules(db, "A fresh start: the moon pays no fees whatsoever") == set()


def test_a_worn_ending_is_refused(db: Database) -> None:
    for age, words in enumerate(["Owls hoot", "Cats purr", "Kettles whistle softly"]):
        post(db, f"{words} while the blocks roll on. 🧡", timedelta(hours=age))
    assert "ending" in rules(db, "My neighbor sings in the shower, and the blocks roll on. #HODL")


def test_openings_with_a_price_may_come_more_often(db: Database) -> None:
    for age in range(5):
        post(
            db,
            f"Bitcoin at $6{age},000: {['owl', 'cat', 'dog', 'cow', 'hen'][age]} approves",
            timedelta(hours=age),
        )
    assert rules(db, "Bitcoin at $71,000: nobody at this table is surprised") == set()


def test_emoji_patterns_and_hashtag_sets_wear_out(db: Database) -> None:
    animals = ["owl", "cat", "dog", "cow", "hen", "fox"]
    for age, animal in enumerate(animals):
        post(
            db,
            f"{animal} number {age} likes its {animals[-age]} very much 🚀🧡 #One #Two",
            timedelta(hours=age),
        )
    assert {"emoji", "hashtags"} <= rules(
        db, "Something else entirely happened here 🚀🧡 #Two #One"
    )
    assert rules(db, "Something else entirely happened here 🧡 #One") == set()


def test_one_house_hashtag_is_only_warned_about(db: Database) -> None:
    for age in range(15):
        post(
            db,
            f"{chr(97 + age) * 5} {chr(98 + age) * 6} {chr(99 + age) * 7} {chr(100 + age) * 4} #Bitcoin",
            timedelta(hours=age),
        )
    found = repetition.check("Something else entirely happened here #Bitcoin", History(db, NOW))
    assert [(finding.rule, finding.severity) for finding in found] == [
        ("repetition.hashtags", "warn")
    ]


def test_a_post_is_not_compared_with_itself(db: Database) -> None:
    own = post(db, f"{LINE}. Bitcoin hums at $67,000.")
    assert rules(db, f"{LINE}. Bitcoin hums at $67,000.", exclude_post_id=own) == set()


def test_an_edited_post_is_remembered_as_edited(db: Database) -> None:
    own = post(db, "The first version spoke of owls and kettles.")
    remember(db, own, "The second version speaks of trains and tea.", NOW)
    assert rules(db, "The first version spoke of owls and kettles.") == set()
    assert "exact" in rules(db, "The second version speaks of trains and tea.")


def test_a_database_that_cannot_answer_is_an_error_never_a_pass(db: Database) -> None:
    db.close()
    (finding,) = repetition.check("Anything at all goes here", History(db, NOW))
    assert (finding.rule, finding.severity) == ("repetition.error", "error")


def test_missing_tables_are_an_error_too() -> None:
    bare = Database(memory=True)
    (finding,) = repetition.check("Anything at all goes here", History(bare, NOW))
    bare.close()
    assert finding.severity == "error"


def test_six_posts_a_day_from_a_menu_are_not_starved(db: Database) -> None:
    """Thirty days from 40 jokes, 60 mottoes, 60 stances and 30 price phrases: none runs dry."""
    rng = random.Random(3)
    nouns = [
        f"{a}{b}"
        for a in ("ka", "lo", "mi", "ru", "te", "vo", "xa")
        for b in ("ban", "dor", "fel", "gim", "hut", "jor", "lap", "nev")
    ]
    menus = {
        kind: [" ".join(rng.sample(nouns, 8)).capitalize() + "." for _ in range(size)]
        for kind, size in (("joke", 40), ("motto", 60), ("stance", 60), ("phrase", 30))
    }
    openers = [
        "Bitcoin at",
        "BTC now",
        "One coin:",
        "Price check:",
        "On the screen:",
        "Today's tag:",
    ]
    day = ["phrase", "motto", "joke", "phrase", "stance", "motto"]
    for slot in range(30 * len(day)):
        kind = day[slot % len(day)]
        now = NOW + timedelta(hours=4 * slot)
        for _ in range(60):
            line = rng.choice(menus[kind])
            head = (
                f"{rng.choice(openers)} ${rng.randint(50, 90)},{rng.randint(100, 999)}. "
                if kind == "phrase"
                else ""
            )
            if kind == "stance":
                head = f"{' '.join(rng.sample(nouns, 7)).capitalize()}, says a feed. "
            found = repetition.check(head + line, History(db, now))
            if not found:
                break
        else:
            pytest.fail(f"slot {slot} ({kind}) found nothing new: {[f.rule for f in found]}")
        draft = NewPost("price", head + line, Verdict(), "model", "live")
        remember(db, insert(db, draft, actor="test", now=now), head + line, now)


def test_clean_posts_do_not_repeat_each_other(db: Database) -> None:
    posts = [clean.text for clean in load_clean() if clean.kind in ("joke", "motivation", "news")]
    refused = []
    for age, text in enumerate(posts):
        if rules(db, text) & {"exact", "masked", "near", "near_masked", "sentence"}:
            refused.append(text)
        post(db, text, timedelta(minutes=age))
    assert refused == []


WORDS = st.sampled_from(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "the",
        "is",
        "of",
        "bitcoin",
        "12",
        "37",
        "99",
    ]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=9).map(" ".join)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(TEXTS, min_size=1, max_size=25, unique=True), TEXTS)
def test_near_duplicates_are_exactly_those_of_brute_force(
    db: Database, texts: list[str], probe: str
) -> None:
    """The index finds a near post if and only if comparing with every post does."""
    for table in ("fingerprint_words", "fingerprints"):
        db.conn.execute(f"DELETE FROM {table}")
    ages = [timedelta(days=1 + number) for number in range(len(texts))]
    for text, age in zip(texts, ages, strict=True):
        post(db, text, age)
    found = rules(db, probe) & {"exact", "masked", "near", "near_masked"}
    probe_words = fingerprint(probe).words
    near = masked = False
    for text, age in zip(texts, ages, strict=True):
        words = fingerprint(text).words
        near |= (
            age <= timedelta(days=30) and jaccard(frozenset(words), frozenset(probe_words)) >= NEAR
        )
        masked |= age <= timedelta(days=7) and (
            jaccard(frozenset(mask(words)), frozenset(mask(probe_words))) >= NEAR_MASKED
        )
    assert bool(found) == (near or masked)


def test_fingerprints_do_not_change_between_versions() -> None:
    """What is stored must still be found after an upgrade."""
    mark = fingerprint("Bitcoin at $67,000 🚀 #HODL. The blocks roll on and on.")
    assert (mark.exact, mark.opening) == (2203262258075752813, 5216982055788881061)
    assert mark.words == ("67000", "and", "at", "bitcoin", "blocks", "on", "roll", "the")


def test_sameness_rises_when_posts_repeat(db: Database) -> None:
    rng = random.Random(5)
    vocabulary = [
        f"{a}{b}" for a in "bdfgklm" for b in ("are", "ilo", "ump", "ong", "eck", "ady", "ush")
    ]
    for day in range(7, 14):
        post(db, " ".join(rng.choices(vocabulary, k=14)), timedelta(days=day, hours=1))
    for day in range(7):
        post(
            db,
            "the same tired words again and again in the same tired order",
            timedelta(days=day, hours=1),
        )
    earlier, later = repetition.sameness(db, NOW, timedelta(days=14))
    assert (earlier.posts, later.posts) == (7, 7)
    assert earlier.words == later.words
    assert later.compression > earlier.compression
    assert later.distinct_1 < earlier.distinct_1
    assert later.distinct_2 < earlier.distinct_2


def test_sameness_of_nothing_is_nothing(db: Database) -> None:
    assert repetition.sameness(db, NOW, timedelta(days=14)) == []
