"""Hostile text stays text; figures carry what makes them honest."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import words

HOSTILE = [
    "<script>alert(1)</script>", "![x](https://evil.example/a.png)", "[free](https://evil.example)",
    "https://evil.example", "www.evil.example", "me@evil.example", ":red[big]", ":material/delete:",
    ":smile:", "$\\frac{1}{2}$", "# heading", "- list", "1. list", "> quote", "`code`", "~~gone~~",
    "**bold** _it_", "| a | b |\n|---|---|", "&lt;b&gt;", "a\n\n\nb", "    code", "\t tab", "* * *",
    "\\", "]", "[", "x]y", "mailto:a@b.example", "ftp://evil.example",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_every_mark_of_markdown_is_escaped(text: str) -> None:
    shown = words.plain(text)
    unescaped = re.sub(r"\\[!-/:-@\[-`{-~]", "", shown)
    assert not re.search(r"[!-/:-@\[-`{-~]", unescaped)


@given(st.text(max_size=300))
def test_plain_text_keeps_every_visible_character(text: str) -> None:
    shown = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", words.plain(text))
    visible = "".join(shown.replace("\u2060", "").split())
    assert visible == "".join(text.replace("\u2060", "").split())


@given(
    st.text(max_size=80),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80), st.just("green")), max_size=6),
)
def test_highlights_never_add_or_lose_a_character_nor_nest(
    text: str, spans: list[tuple[int, int, str]]
) -> None:
    shown = words.highlighted(text, spans)  # type: ignore[arg-type]
    bare = re.sub(r"(?<!\\):green-background\[((?:\\.|[^\]\\])*)\]", r"\1", shown)
    assert bare.replace("\u2060", "").replace("  \n\u00a0", "\n") is not None
    flat = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", bare)
    assert "".join(flat.replace("\u2060", "").split()) == "".join(
        text.replace("\u2060", "").split()
    )


def test_addresses_are_broken_so_that_no_link_is_made() -> None:
    assert "https\u2060" in words.plain("see https://evil.example")
    assert "www\u2060" in words.plain("www.evil.example")
    assert "@\u2060" in words.plain("me@evil.example")


NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "seconds, said",
    [
        (0.4, "400 ms"),
        (4, "4.0 s"),
        (42, "42 s"),
        (720, "12 min"),
        (7_200, "2 h"),
        (200_000, "2 days"),
    ],
)
def test_durations_are_said_in_their_largest_sensible_unit(seconds: float, said: str) -> None:
    assert words.span(seconds) == said


def test_times_are_local_and_carry_utc_beside_them() -> None:
    vilnius = ZoneInfo("Europe/Vilnius")
    assert words.local(NOW, vilnius, now=NOW) == "14:00"
    assert words.local(NOW - timedelta(days=2), vilnius, now=NOW) == "Fri 14:00"
    assert words.local(NOW - timedelta(days=40), vilnius, now=NOW) == "13 Oct 2026 15:00"
    assert words.utc(NOW) == "2026-11-22 12:00:00 UTC"
    assert words.ago(NOW - timedelta(milliseconds=435), NOW) == "just now"
    assert words.ago(NOW - timedelta(seconds=4.4), NOW) == "4 s ago"
    assert words.ago(NOW - timedelta(minutes=12), NOW) == "12 min ago"
    assert words.ago(NOW + timedelta(minutes=23), NOW) == "in 23 min"
    assert words.ago(None, NOW) == "never"


def test_a_share_says_its_sample_or_that_there_is_too_little() -> None:
    assert words.share(304, 312, least=30) == "97.4 % of 312"
    assert words.share(12, 12, least=73) == "not enough data (12 of 73)"
    assert words.share(0, 0) == "not enough data (0 of 1)"


def test_money_and_signs_are_written_alike_everywhere() -> None:
    assert words.usd(67432.18) == "$67,432.18"
    assert words.usd(None) == "–"
    assert words.pct(-2.31, signed=True) == "−2.31 %"


@pytest.mark.parametrize("state", ["held", "posted", "pending_approval", "something new"])
def test_every_state_has_a_word_an_icon_and_a_colour(state: str) -> None:
    word = words.post_word(state)
    assert word.text and word.icon.startswith(":material/") and word.color
