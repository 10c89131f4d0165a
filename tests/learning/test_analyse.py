"""``analyse`` and ``simulate``: tables in, one honest answer out."""

from __future__ import annotations

import dataclasses
import json
import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.learning.analyse import Plan, Posted, compare
from engine.learning.evidence import log_e_path
from engine.service.cli import main
from tests.learning.material import START, outcomes, pairs_with, write_csv

KEYS = {
    "pairs", "ratio", "ci_low", "ci_high", "e_value", "p_always_valid", "srm_e_value", "p_better",
    "p_at_least_1_40", "state", "sentence",
}  # fmt: skip


@pytest.fixture
def ask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command with --json; answers (exit code, the answer, stderr)."""

    def run(*words: object) -> tuple[int, dict[str, Any], str]:
        code = main([*map(str, words), "--json"], {"BTCBUZZ_DB": str(tmp_path / "x.db")})
        out, err = capsys.readouterr()
        return code, json.loads(out, parse_constant=pytest.fail) if out else {}, err

    return run


def test_a_lift_is_found_and_said_with_all_its_parts(ask: Any, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "a.csv", outcomes(days=28, lift=1.6))
    code, answer, _ = ask("analyse", file)
    assert code == 0 and answer.keys() >= KEYS
    assert answer["pairs"] == 112
    assert answer["ci_low"] < 1.6 < answer["ci_high"]
    assert answer["ci_low"] < answer["ratio"] < answer["ci_high"]
    assert answer["sentence"] == (
        f"LLM vs template, 112 mature pairs in 28 days: {answer['ratio']:.2f}x (95% always-valid "
        f"{answer['ci_low']:.2f}x to {answer['ci_high']:.2f}x). Better than baseline: shown. "
        f"At least +40%: not shown (P = {answer['p_at_least_1_40']:.2f}). Harm: excluded. "
        "State: better."
    )


def test_e_is_the_one_of_the_definition(ask: Any, tmp_path: Path) -> None:
    """By hand on 25 known differences."""
    d = list(np.random.default_rng(4).normal(0.2, 1, 25))
    _, answer, _ = ask("analyse", write_csv(tmp_path / "a.csv", pairs_with(d)))
    path = log_e_path(np.array(d))
    assert answer["e_value"] == pytest.approx(math.exp(path[-1]), rel=1e-4)
    assert answer["p_always_valid"] == pytest.approx(min(1, math.exp(-path.max())), rel=1e-4)
    assert answer["ratio"] == pytest.approx(math.exp(np.mean(d)), rel=1e-4)


def test_only_the_first_snapshot_from_48_hours_on_counts(ask: Any, tmp_path: Path) -> None:
    """Younger and later ages of the same posts change no tested number (property 4)."""
    rows = outcomes(days=20)
    _, one, _ = ask("analyse", write_csv(tmp_path / "a.csv", rows, ages=(48.5,)))
    _, many, _ = ask("analyse", write_csv(tmp_path / "b.csv", rows, ages=(168, 1, 47.9, 24, 48.5)))
    assert one == many


def test_immature_posts_change_no_tested_number(ask: Any, tmp_path: Path) -> None:
    rows = outcomes(days=20)
    young = [
        dataclasses.replace(row, block=f"y{row.block}", age_hours=20.0, likes=10**6) for row in rows
    ]
    file = write_csv(tmp_path / "a.csv", rows)
    _, before, _ = ask("analyse", file)
    with file.open("a") as out:
        for row in young:
            out.write(
                f"{row.block},{row.arm},{row.posted_at.isoformat()},20,9,{row.likes},0,0,0,0\n"
            )
    assert ask("analyse", file)[1] == before


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ("", "not enough data"),
        ("1,A,2026-09-07T08:00:00Z,50,100,1,0,0,0,0\n", "not enough data"),
        ("1,A,2026-09-07T08:00:00Z,5,100,1,0,0,0,0\n1,B,2026-09-08T08:00:00Z,5,0,0,0,0,0,0\n", "immature"),
        ("1,A,2026-09-07T08:00:00Z,50,0,0,0,0,0,0\n1,B,2026-09-08T08:00:00Z,50,0,0,0,0,0,\n", "not enough data"),
    ],
)  # fmt: skip
def test_too_little_is_a_state_and_no_number(
    ask: Any, tmp_path: Path, body: str, state: str
) -> None:
    file = tmp_path / "a.csv"
    file.write_text(
        "block_id,arm,posted_at,age_hours,impressions,likes,reposts,replies,quotes,bookmarks\n"
        + body
    )
    code, answer, _ = ask("analyse", file)
    assert (code, answer["state"]) == (0, state)
    assert answer["ratio"] is answer["ci_low"] is answer["ci_high"] is answer["p_better"] is None
    assert "not enough data" in answer["sentence"]


GOOD = "1,A,2026-09-07T08:00:00Z,50,100,1,0,0,0,0\n"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "lacks the columns block_id"),
        ("block_id,arm\n1,A\n", "lacks the columns posted_at"),
        ("HEAD" + GOOD + GOOD, "line 3: block 1, arm A has two rows"),
        ("HEAD" + GOOD + GOOD.replace("07T", "08T"), "line 3: block 1 already has a post of arm A"),
        ("HEAD" + GOOD.replace("100", "-1"), "line 2: impressions '-1' is not a whole number"),
        ("HEAD" + GOOD.replace("100", "nan"), "impressions 'nan' is not a whole number"),
        ("HEAD" + GOOD.replace("100", "1.5"), "impressions '1.5' is not a whole number"),
        ("HEAD" + GOOD.replace("50", "soon"), "age_hours 'soon' is not a number"),
        ("HEAD" + GOOD.replace("2026-09-07T08:00:00Z", "Monday"), "posted_at 'Monday' is not a time"),
        ("HEAD" + GOOD.replace(",A,", ",,"), "arm is empty"),
        ("HEAD1,A\n", "wrong number of columns"),
        ("HEAD" + GOOD.replace("\n", ",7\n"), "wrong number of columns"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        ("HEAD" + '1,"A\n', "is not a CSV file"),
    ],
)  # fmt: skip
def test_a_bad_file_is_one_clear_sentence(
    ask: Any, tmp_path: Path, content: str | bytes, complaint: str
) -> None:
    head = "block_id,arm,posted_at,age_hours,impressions,likes,reposts,replies,quotes,bookmarks\n"
    file = tmp_path / "bad.csv"
    raw = content if isinstance(content, bytes) else content.replace("HEAD", head).encode()
    file.write_bytes(raw)
    code, answer, err = ask("analyse", file)
    assert (code, answer) == (2, {})
    assert complaint in err and err.count("\n") == 1


def test_a_missing_file_is_bad_usage(ask: Any, tmp_path: Path) -> None:
    assert ask("analyse", tmp_path / "none.csv")[0] == 2


def test_times_without_a_zone_are_utc_and_a_byte_order_mark_is_no_column(
    ask: Any, tmp_path: Path
) -> None:
    file = write_csv(tmp_path / "a.csv", outcomes(days=14))
    plain = ask("analyse", file)[1]
    file.write_text("\ufeff" + file.read_text().replace("+00:00", ""))
    assert ask("analyse", file)[1] == plain


def test_three_arms_are_each_held_against_the_first_with_holm(ask: Any, tmp_path: Path) -> None:
    rows = outcomes(days=28, lift=2.0)
    third = [
        dataclasses.replace(row, arm="small", likes=row.likes)
        for row in outcomes(days=28, seed=2)
        if row.arm == "LLM"
    ]
    _, answer, _ = ask("analyse", write_csv(tmp_path / "a.csv", rows + third))
    assert [part["arm"] for part in answer["comparisons"]] == ["LLM", "small"] or [
        part["arm"] for part in answer["comparisons"]
    ] == ["small", "LLM"]
    p = [part["p_always_valid"] for part in answer["comparisons"]]
    assert min(part["p_holm"] for part in answer["comparisons"]) == pytest.approx(2 * min(p))


# -- states ----------------------------------------------------------------------------------


def test_a_lost_arm_makes_it_invalid_and_no_estimate_is_given() -> None:
    """Every third post of the model never became mature: the split gives it away."""
    rows = outcomes(days=60, lift=1.5)
    kept = [row for i, row in enumerate(rows) if row.arm == "template" or i % 3]
    result = compare(kept, "template", "LLM")
    assert (result.state, result.ratio) == ("invalid", None)
    assert "lose posts unequally" in result.sentence


def test_rates_up_and_totals_down_is_mixed() -> None:
    result = compare(outcomes(days=60, lift=1.6, reach=0.25), "template", "LLM")
    assert result.state == "mixed"


def test_harm_is_shown_before_the_minimum_run_time_and_a_lift_is_not() -> None:
    harmful = compare(outcomes(days=10, slots=24, lift=0.4), "template", "LLM")
    assert (harmful.state, harmful.lights.harm) == ("harm", "shown")
    early = compare(outcomes(days=10, slots=24, lift=2.5), "template", "LLM")
    assert (early.state, early.lights.better) == ("collecting", "not shown")
    assert early.ci_low and early.ci_low > 1


@pytest.mark.parametrize(
    ("lift", "days", "slots", "state"),
    [
        (3.0, 60, 8, "KPI shown"),
        (1.5, 60, 8, "better"),
        (1.0, 60, 96, "equivalent"),
        (0.95, 60, 8, "KPI excluded"),
        (1.2, 60, 1, "inconclusive"),
        (1.2, 20, 2, "collecting"),
    ],
)
def test_states_name_what_is_shown(lift: float, days: int, slots: int, state: str) -> None:
    result = compare(outcomes(days=days, slots=slots, lift=lift, seed=6), "template", "LLM")
    assert result.state == state
    assert result.sentence.endswith(f"State: {state}.")


def test_a_registered_plan_sets_the_minimum_and_the_end() -> None:
    rows = outcomes(days=20, slots=4, lift=1.1)
    assert compare(rows, "template", "LLM", Plan(max_days=20)).state == "inconclusive"
    assert compare(rows, "template", "LLM", Plan(min_days=30)).state == "collecting"
    assert compare([], "template", "LLM", posted=Posted(3)).state == "immature"


def test_posts_read_late_are_kept_and_flagged() -> None:
    rows = outcomes(days=14)
    rows[0] = dataclasses.replace(rows[0], age_hours=90)
    result = compare(rows, "template", "LLM")
    assert (result.late, result.pairs) == (1, 56)


def test_days_and_weekends_are_those_of_the_posts() -> None:
    rows = [
        dataclasses.replace(row, posted_at=START + timedelta(minutes=i))
        for i, row in enumerate(outcomes(days=28))
    ]
    result = compare(rows, "template", "LLM")
    assert (result.days, result.state) == (1, "collecting")


# -- simulate --------------------------------------------------------------------------------


def test_simulate_answers_both_ways_of_looking(ask: Any) -> None:
    code, answer, _ = ask(
        "simulate", "--runs", 200, "--days", 30, "--posts-per-day", 4, "--lift", 2, "--seed", 3
    )
    assert code == 0
    assert answer.keys() == {"runs", "ours", "welch_daily"}
    assert answer["runs"] == 200
    assert 0.9 < answer["ours"]["verdict_rate"] <= 1
    assert 5 < answer["ours"]["median_days"] < 20


def test_simulate_repeats_itself_and_has_no_median_of_nothing(ask: Any) -> None:
    words = ("simulate", "--runs", 3, "--days", 2, "--posts-per-day", 1, "--lift", 1, "--seed", 3)
    assert ask(*words)[1] == ask(*words)[1]
    assert ask(*words)[1]["ours"] == {"verdict_rate": 0, "median_days": None}


@pytest.mark.parametrize(
    "bad", [("--runs", 0), ("--days", 1), ("--lift", "nan"), ("--lift", 0), ("--runs", 10**9)]
)
def test_simulate_refuses_nonsense(ask: Any, bad: tuple[str, object]) -> None:
    code, answer, err = ask("simulate", *bad)
    assert (code, answer) == (2, {}) and err
