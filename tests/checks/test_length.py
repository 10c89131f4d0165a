"""Weighted length and links as X counts them, exact on X's own suite and linear in time."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.checks import length
from engine.checks.length import Weight, compose, weigh
from engine.checks.urls import MAX_URL, MOST_LINKS, find_urls
from tests.conftest import SHARED

SUITE = SHARED / "data" / "twitter-text"


def cases(file: str, *sections: str) -> list[Any]:
    """Cases of X's suite; one that skips where the suite is not beside this checkout."""
    path: Path = SUITE / file
    if not path.exists():
        why = pytest.mark.skip(reason=f"X's suite ({file}) is not beside this checkout")
        return [pytest.param({}, marks=[why, pytest.mark.data])]
    import yaml

    tests = yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]
    return [
        pytest.param(case, id=f"{section}: {case['description']}"[:90], marks=pytest.mark.data)
        for section in sections
        for case in tests[section]
    ]


@pytest.mark.parametrize(
    "case",
    cases(
        "validate.yml",
        "WeightedTweetsWithDiscountedEmojiCounterTest",
        "UnicodeDirectionalMarkerCounterTest",
    ),
)
def test_weights_are_those_of_the_suite(case: dict[str, Any]) -> None:
    expected = case["expected"]
    assert weigh(case["text"]) == Weight(expected["weightedLength"], expected["valid"])


@pytest.mark.parametrize("case", cases("validate.yml", "WeightedTweetsCounterTest"))
def test_weights_without_emoji_sequences_are_those_of_config_v2(case: dict[str, Any]) -> None:
    expected = case["expected"]
    counted = weigh(case["text"], emoji_sequences=False)
    assert counted == Weight(expected["weightedLength"], expected["valid"])


@pytest.mark.parametrize("case", cases("extract.yml", "urls", "tco_urls_with_params"))
def test_links_are_those_of_the_suite(case: dict[str, Any]) -> None:
    assert [url.url for url in find_urls(case["text"])] == case["expected"]


@pytest.mark.parametrize(
    "case", cases("extract.yml", "urls_with_indices", "urls_with_directional_markers")
)
def test_links_stand_where_the_suite_says(case: dict[str, Any]) -> None:
    expected = [(url["url"], *url["indices"]) for url in case["expected"]]
    assert [(url.url, url.start, url.end) for url in find_urls(case["text"])] == expected


@pytest.mark.data
def test_every_top_level_domain_of_the_suite_makes_a_link() -> None:
    listed = [param.values[0] for param in cases("tlds.yml", "country", "generic")]
    if listed == [{}]:
        pytest.skip("X's suite (tlds.yml) is not beside this checkout")
    wrong = [
        case["description"]
        for case in listed
        if [url.url for url in find_urls(case["text"])] != case["expected"]
    ]
    assert (len(listed), wrong) == (1574, [])


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("Bitcoin", 7),
        ("Bitcoin’s “calm” – yes — really", 31),
        ("…", 2),
        ("•→₿™", 8),
        ("$67,000.50 and v1.2", 19),
        ("bitcoin.org", 23),
        ("See BTC.com/x?y=1 now", 4 + 23 + 4),
        ("比特币", 6),
        ("e\u0301", 1),
        ("🚀", 2),
        ("👍🏽", 2),
        ("🇺🇸", 2),
        ("🇦🇦", 4),  # no such flag: two letters
        ("👨‍👩‍👧‍👦", 2),
        ("❤️‍🔥", 2),  # Emoji 13.1, newer than X's list
        ("🧑🏽‍🎄", 2),
        ("🫠🫡🫶🏿", 6),  # Emoji 14
        ("🐦‍🔥🙂‍↕️", 4),  # Emoji 15.1
        ("🏴󠁧󠁢󠁷󠁬󠁳󠁿", 2),
        ("7️⃣", 2),
        ("©️©", 3),
    ],
)
def test_examples(text: str, weight: int) -> None:
    assert weigh(text) == Weight(weight, True)


def test_a_chain_of_more_than_four_emoji_is_no_single_emoji() -> None:
    assert weigh("\u200d".join(["👩"] * 5)).weight == 2 + 1 + 2


@pytest.mark.parametrize("text", ["", "a\ufffe", "a\ufeff", "a\uffff", "x" * 281])
def test_what_x_would_not_take_is_invalid(text: str) -> None:
    assert not weigh(text).valid


def test_280_fit_and_281_do_not() -> None:
    assert length.check("x" * 280) == []
    (finding,) = length.check("x" * 281)
    assert (finding.rule, finding.severity, finding.end) == ("length.limit", "reject", 281)
    assert "281 of 280" in finding.message


def test_the_place_of_a_refused_code_point_is_given() -> None:
    (finding,) = length.check("Bitcoin\ufeff is up")
    assert (finding.rule, finding.start, finding.end) == ("length.invalid", 7, 8)


def test_blank_text_is_empty() -> None:
    assert [finding.rule for finding in length.check(" \n ")] == ["length.empty"]


def test_a_link_longer_than_x_takes_is_none() -> None:
    assert find_urls("https://a.co/" + "b" * MAX_URL) == []


def test_links_are_counted_up_to_a_bound() -> None:
    assert len(find_urls("a.co " * (MOST_LINKS + 500))) == MOST_LINKS


def test_domains_ignore_case() -> None:
    assert [url.url for url in find_urls("A.COM b.МОСКВА")] == ["A.COM", "b.МОСКВА"]


@pytest.mark.parametrize("marks", ["\u0301\u0316", "\u0316\u0301", "\u0345\u0327\u0301"])
def test_composing_is_nfc_however_long_the_marks(marks: str) -> None:
    text = "e" + marks[0] * 60 + marks[1:] * 60 + "a" + marks * 40
    assert compose(text) == unicodedata.normalize("NFC", text)


HOSTILE: dict[str, Callable[[int], str]] = {
    "dots": lambda n: "a." * (n // 2),
    "chained domains": lambda n: "a.co." * (n // 5),
    "underscored domains": lambda n: "_a.com" * (n // 6),
    "links": lambda n: "http://a.co " * (n // 12),
    "open brackets": lambda n: "a.co/(" * (n // 6),
    "brackets in one path": lambda n: "a.co/" + "(" * n,
    "queries": lambda n: "a.co?!" * (n // 6),
    "protocols": lambda n: "http://" * (n // 7),
    "at signs": lambda n: "@" * n,
    "hyphens": lambda n: "a-" * (n // 2),
    "one long host": lambda n: "abcdefghij." * (n // 11) + "com",
    "one long label": lambda n: "あ" * n + ".com",
    "other scripts": lambda n: "a.中国" * (n // 4),
    "punycode": lambda n: "a.xn--" * (n // 6),
    "joined emoji": lambda n: "👨\u200d" * (n // 2),
    "half flags": lambda n: "🇦" * n,
    "marks": lambda n: "a" + "\u0301" * (n // 2) + "\u0316" * (n // 2),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_costs_time_in_proportion(name: str) -> None:
    """Four times the text takes nothing like the sixteen times of a quadratic search."""
    small, large = (HOSTILE[name](size) for size in (12_500, 50_000))
    assert cost(large) < 9 * max(cost(small), 0.000_5)


def cost(text: str) -> float:
    """Processor seconds of one weighing, the best of three."""
    times = []
    for _ in range(3):
        start = time.process_time()
        weigh(text)
        times.append(time.process_time() - start)
    return min(times)
