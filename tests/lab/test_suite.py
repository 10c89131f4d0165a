"""The prompt suite: three outcomes, a blessed baseline, a verdict that needs data."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from defusedxml import ElementTree as ET
from sqlite_utils import Database

from engine.clock import SystemClock
from engine.errors import ModelBadReply, ModelUnreachable, UsageError
from engine.lab import assertions, suite_report
from engine.lab import suite as lab
from engine.lab.assertions import Demand
from engine.lab.suite_report import SuiteReport
from engine.llm.scripted import Script, ScriptedModel
from engine.store import suite as rows
from engine.store.database import opened
from engine.store.suite import SuiteResult

GOOD = "Patience is a strategy. Bitcoin is a long game."
CHECKS = {"kind": "checks"}
NAME = "scripted:scripted"


@pytest.fixture
def db(lab: Path) -> Any:
    with opened(lab) as database:
        yield database


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., lab.Suite]:
    """A suite file of one motivation case on recipe free, read back."""

    def write(*expect: dict[str, Any], **over: Any) -> lab.Suite:
        case = {"name": "one", "content_type": "motivation", "moment": 0, "expect": list(expect)}
        path = tmp_path / "mine.json"
        path.write_text(json.dumps({"repeats": 1, "recipes": ["free"], "cases": [case], **over}))
        return lab.read(path)

    return write


def outcome_of(db: Database, suite: lab.Suite, script: Script) -> SuiteReport:
    """Run with a scripted model whose answers are wrapped as the recipe asks."""
    run_id = lab.run(db, suite, {NAME: ScriptedModel(script)}, actor="t", clock=SystemClock())
    return suite_report.report(suite, run_id, rows.results(db, run_id))


def said(text: str) -> str:
    return json.dumps({"text": text})


@pytest.mark.parametrize(
    ("demand", "text", "outcome"),
    [
        (CHECKS, GOOD, "pass"),
        (CHECKS, "Buy now, guaranteed 10x gains by Friday!", "fail"),
        ({"kind": "contains", "value": "PATIENCE"}, GOOD, "pass"),
        ({"kind": "contains", "value": "lambo"}, GOOD, "fail"),
        ({"kind": "lacks", "value": "lambo"}, GOOD, "pass"),
        ({"kind": "lacks", "value": "patience"}, GOOD, "fail"),
        ({"kind": "matches", "value": r"game\."}, GOOD, "pass"),
        ({"kind": "matches", "value": r"^\d"}, GOOD, "fail"),
        ({"kind": "lacks_match", "value": r"\d"}, GOOD, "pass"),
        ({"kind": "lacks_match", "value": "long"}, GOOD, "fail"),
        ({"kind": "max_weight", "value": 280}, GOOD, "pass"),
        ({"kind": "max_weight", "value": 20}, GOOD, "fail"),
        ({"kind": "min_weight", "value": 200}, GOOD, "fail"),
        ({"kind": "max_seconds", "value": 30}, GOOD, "pass"),
        ({"kind": "max_seconds", "value": 0}, GOOD, "fail"),
    ],
)
def test_each_kind_of_assertion(
    db: Database, written: Any, demand: dict[str, Any], text: str, outcome: str
) -> None:
    report = outcome_of(db, written(demand), [said(text)])
    assert report.cases[0].outcome == outcome


@pytest.mark.parametrize(
    "failure",
    [
        ModelUnreachable("away"),
        ModelBadReply("empty", "nothing"),
        ModelBadReply("truncated", "cut"),
    ],
)
def test_a_model_that_fails_is_an_error_never_a_pass(
    db: Database, written: Any, failure: Exception
) -> None:
    """Even where only the absence of something is demanded (promptfoo#10953)."""
    report = outcome_of(db, written({"kind": "lacks", "value": "anything"}), [failure])
    assert (report.outcome, report.count("error"), report.count("pass")) == ("error", 1, 0)
    assert not report.good


def test_an_answer_that_is_no_post_fails(db: Database, written: Any) -> None:
    report = outcome_of(db, written({"kind": "lacks", "value": "anything"}), ["not the JSON"])
    assert report.cases[0].outcome == "fail"


def test_repeats_must_be_distinct_where_that_is_demanded(db: Database, written: Any) -> None:
    """What is demanded of all repeats decides the case, but is not counted among its texts."""
    strict = written({"kind": "distinct", "value": 0.6}, CHECKS, repeats=2)
    other = [said(GOOD), said("Quiet days teach more than loud ones do.")]
    case = outcome_of(db, strict, other).cases[0]
    assert (case.outcome, case.rate.n) == ("pass", 2)
    assert assertions.broken_across(Demand("distinct", 0.6), ["a", "a"]) is not None
    texts = results(2, 0)
    together = replace(texts[0], repeat=lab.ACROSS, outcome="fail", reason="alike")
    judged = suite_report.report(strict, 1, [*texts, together]).cases[0]
    assert (judged.outcome, judged.n_pass, judged.rate.n) == ("fail", 2, 2)


def results(passes: int, fails: int, case: str = "one", errors: int = 0) -> list[SuiteResult]:
    def one(repeat: int, outcome: Any) -> SuiteResult:
        return SuiteResult(
            case, "joke", NAME, 1, "free", repeat, outcome,
            "" if outcome == "pass" else "why", "text", 0.1,
        )  # fmt: skip

    kinds = ["pass"] * passes + ["fail"] * fails + ["error"] * errors
    return [one(at, kind) for at, kind in enumerate(kinds)]


@pytest.mark.parametrize(
    ("now", "before", "trend"),
    [
        (results(20, 0), None, "no baseline"),
        (results(4, 0), results(20, 0), "not enough data"),
        (results(20, 0), results(20, 0), "no regression"),
        (results(19, 1), results(20, 0), "no regression"),
        (results(10, 10), results(20, 0), "regression"),
        (results(10, 0, errors=10), results(20, 0), "regression"),
        (results(20, 0), results(10, 10), "improved"),
    ],
)
def test_a_verdict_against_the_baseline(
    written: Any, now: list[SuiteResult], before: list[SuiteResult] | None, trend: str
) -> None:
    report = suite_report.report(written(CHECKS), 2, now, (1, before) if before else None)
    assert report.trend == trend


def test_a_missing_case_is_not_a_passing_case(written: Any) -> None:
    before = [*results(10, 0), *results(10, 0, case="two")]
    report = suite_report.report(written(CHECKS), 2, results(10, 0), (1, before))
    assert report.missing == ("two",)
    assert not report.good


def test_many_cases_raise_no_false_alarm(written: Any) -> None:
    """One case of twenty with p just under 5 % by itself does not stand among all."""
    names = [f"case {n}" for n in range(20)]
    before = [item for name in names for item in results(10, 0, case=name)]
    now = [item for name in names[1:] for item in results(10, 0, case=name)]
    report = suite_report.report(
        written(CHECKS), 2, [*now, *results(6, 4, case=names[0])], (1, before)
    )
    assert all(case.trend != "regression" for case in report.cases)


def test_blessing_is_recorded_and_never_moves_by_itself(db: Database, written: Any) -> None:
    suite = written(CHECKS)
    first = outcome_of(db, suite, [said(GOOD)])
    now = SystemClock().now()
    rows.bless(db, first.run_id, "production", reason="looks right", actor="me", now=now)
    outcome_of(db, suite, [said(GOOD)])
    found = rows.baseline(db, suite.name, "production")
    assert found is not None and (found.run_id, found.actor) == (first.run_id, "me")
    assert rows.baseline(db, suite.name, "staging") is None
    with pytest.raises(UsageError, match="reason"):
        rows.bless(db, first.run_id, "production", reason=" ", actor="me", now=now)


def test_junit_says_what_failed(db: Database, written: Any) -> None:
    suite = written({"kind": "contains", "value": "<lambo> & co"}, require=1)
    report = outcome_of(db, suite, [said(GOOD)])
    root = ET.fromstring(suite_report.to_junit([report]))
    node = root.find("testsuite")
    assert node is not None and (node.get("failures"), node.get("errors")) == ("1", "0")
    told = node.find("testcase/failure")
    assert told is not None and "<lambo> & co" in (told.text or "")


@pytest.mark.parametrize(
    "spoil",
    [
        {"cases": []},
        {"repeats": 0},
        {"require": 0},
        {"recipes": ["wild"]},
        {"cases": [{"name": "a", "content_type": "poem", "expect": [CHECKS]}]},
        {"cases": [{"name": "a", "content_type": "joke", "expect": []}]},
        {"cases": [{"name": "a", "content_type": "joke", "expect": [{"kind": "vibes"}]}]},
        {"cases": [{"name": "a", "content_type": "joke", "expect": [{"kind": "contains"}]}]},
        {
            "cases": [
                {"name": "a", "content_type": "joke", "expect": [{"kind": "matches", "value": "("}]}
            ]
        },
    ],
)
def test_a_wrong_suite_file_is_refused_with_its_place(written: Any, spoil: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"mine\.json"):
        written(CHECKS, **spoil)


def test_shipped_suites_cover_every_kind_of_post() -> None:
    suites = [lab.read(path) for path in lab.shipped()]
    kinds = {case.content_type for suite in suites for case in suite.cases}
    assert kinds == {"price", "joke", "motivation", "news"}
