"""The documents say what the stored runs say, and name what was not run."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clock import SystemClock
from engine.config import Config
from engine.lab import patterns, quality, report
from engine.lab.choice import choose
from engine.lab.plan import Plan
from engine.lab.report import Evidence
from engine.llm.scripted import ScriptedModel
from engine.store import templates
from engine.store.bench import BenchCall
from engine.store.database import opened
from tests.lab.conftest import Ran

Bench = Callable[..., Ran]


def call(model: str, seconds: float, verdict: str | None, kind: str = "joke") -> BenchCall:
    return BenchCall(
        0, "warm", model, kind, "auto", 1, 0, 0, 1, "free", "ok" if verdict else "error",
        seconds, True, 0.0, verdict=verdict,
    )  # fmt: skip


def calls(model: str, seconds: float, accepted: int, n: int) -> list[BenchCall]:
    return [call(model, seconds, "pass" if at < accepted else "reject") for at in range(n)]


def test_the_choice_is_time_per_accepted_post_not_speed() -> None:
    """Four times as fast, but accepted once in ten: the slower one is chosen."""
    found = choose([*calls("fast", 1.0, 5, 50), *calls("good", 4.0, 48, 50)])
    assert found.option is not None and found.option.model == "good"
    assert found.option.seconds_per_accepted == pytest.approx(200 / 48)


def test_alike_or_too_few_is_no_clear_choice() -> None:
    alike = choose([*calls("a", 2.0, 40, 50), *calls("b", 2.0, 41, 50)])
    assert alike.option is None and "overlap" in alike.reason
    both = choose([*calls("a", 2.0, 40, 50), *calls("b", 2.0, 41, 50), *calls("c", 9.0, 9, 50)])
    assert both.option is None and "told apart from the first" in both.reason
    few = choose([*calls("a", 1.0, 10, 10), *calls("b", 9.0, 10, 10)])
    assert few.option is None and "20 calls" in few.reason


def test_an_option_that_never_wrote_one_kind_is_not_chosen() -> None:
    never = [call("a", 1.0, "reject", "price") for _ in range(30)]
    found = choose([*calls("a", 1.0, 30, 30), *never, *calls("b", 9.0, 30, 30)])
    assert found.option is not None and found.option.model == "b"


def test_errors_cost_time_and_are_no_posts() -> None:
    found = choose([*calls("a", 1.0, 20, 20), *[call("a", 10.0, None)] * 10])
    assert found.options[0].seconds_per_accepted == pytest.approx(120 / 20)
    assert found.options[0].acceptance.n == 30


def test_the_document_holds_figures_method_gaps_and_the_command(bench_on: Bench) -> None:
    ran = bench_on(
        Config(), build=lambda name: ScriptedModel(), models=["scripted:scripted"], repeats=20
    )
    text = report.document([Evidence(ran.run, ran.calls)])
    assert "**scripted:scripted with recipe menu**" in text
    assert "20 of 20 (84 to 100 %)" in text
    assert "ollama:llama3:8b" in text.split("## Not run")[1]
    assert "Content type price." in text
    command = report.command(Plan.from_dict(ran.run.plan))
    assert command in text and "--models scripted:scripted --types joke" in command


def test_patterns_fill_the_seeds_score_with_its_n(bench_on: Bench, lab: Path) -> None:
    """Two vetted jokes and two answers that are none: 0.5 over 4 beside the template."""

    def build(name: str) -> ScriptedModel:
        good = json.dumps({"text": "Patience is a strategy. Bitcoin is a long game."})
        return ScriptedModel([good, good, "no JSON", good, "no JSON"], model="scripted")

    bench_on(Config(), build=build, models=["scripted:scripted"], repeats=4, recipes=["free"])
    with opened(lab) as db:
        assert patterns.fill_scores(db) == 1
        joke = templates.by_name(db, "Crypto joke")
        text = patterns.document(db, SystemClock().now())
    assert joke is not None
    assert (joke.performance_score, joke.performance_n) == (0.5, 4)
    assert "joke: not enough data" in text and "2 of 4" in text


# -- quality ---------------------------------------------------------------------------------


def test_variety_of_equal_and_of_different_texts() -> None:
    """Numbers do not make a text new."""
    same = quality.variety([f"Bitcoin is at ${n},000 today, calm as ever." for n in range(60, 70)])
    other = quality.variety(
        ["Blocks come and go.", "A node hums at night.", "Patience pays no fees.", "Keys, not ads."]
    )
    assert same.near.hits == same.near.n == 10 and other.near.hits == 0
    assert same.self_bleu == pytest.approx(1.0)
    assert same.compression is not None and other.compression is not None
    assert other.self_bleu is not None and other.distinct_2 == 1.0
    assert other.self_bleu < 0.5 and same.compression > other.compression


def test_distinct_n_by_hand() -> None:
    words = [["a", "b", "a"], ["a", "b", "c"]]
    assert quality.distinct(words, 1) == pytest.approx(3 / 6)
    assert quality.distinct(words, 2) == pytest.approx(3 / 4)
    assert quality.distinct([["a"]], 2) is None


def test_bleu_by_hand() -> None:
    """Precisions 3/4, (1+1)/(3+1), (0+1)/(2+1), (0+1)/(1+1); lengths equal, no penalty."""
    found = quality.bleu(["the", "cat", "sat", "here"], [["the", "cat", "has", "sat"]])
    expected = (3 / 4 * 2 / 4 * 1 / 3 * 1 / 2) ** 0.25
    assert found == pytest.approx(expected)
    short = quality.bleu(["the", "cat"], [["the", "cat", "has", "sat"]])
    assert short == pytest.approx(math.exp(1 - 4 / 2))


@given(st.lists(st.text(max_size=40), min_size=2, max_size=6))
def test_any_texts_have_figures_within_bounds(texts: list[str]) -> None:
    found: Any = quality.variety(texts)
    for share in (found.distinct_1, found.distinct_2, found.self_bleu):
        assert share is None or 0 <= share <= 1 + 1e-9
    assert 0 <= found.near.hits <= found.near.n == len(texts)
