"""A suite run read: pass, fail or error for each case and in all, intervals, and whether it got
worse than the blessed baseline.

Regression: Fisher's exact test, one-sided, on the totals; single cases by Holm's correction, so
that many cases do not raise false alarms. Below :data:`LEAST` results on either side there is no
verdict. A case that is missing from this run is said to be missing, never to pass.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from engine.lab.statistics import Rate, fisher_less
from engine.lab.suite import ACROSS, Suite
from engine.store.suite import SuiteResult

Outcome = Literal["pass", "fail", "error"]
Trend = Literal["no baseline", "not enough data", "regression", "no regression", "improved"]

LEAST = 5
ALPHA = 0.05

_Key = tuple[str, str, str]  # case, model, recipe: versions are what is compared


@dataclass(frozen=True)
class CaseReport:
    """One case with one model, version and recipe. ``reasons``: what failed how often;
    ``seconds``: all its calls together."""

    case: str
    content_type: str
    model: str
    version_id: int
    recipe: str
    n_pass: int
    n_fail: int
    n_error: int
    outcome: Outcome
    reasons: tuple[tuple[str, int], ...]
    trend: Trend
    p_value: float | None
    seconds: float

    @property
    def rate(self) -> Rate:
        """Passes of all results: an error is not a pass."""
        return Rate(self.n_pass, self.n_pass + self.n_fail + self.n_error)


@dataclass(frozen=True)
class SuiteReport:
    """The whole run."""

    suite: str
    run_id: int
    outcome: Outcome
    trend: Trend
    p_value: float | None
    baseline_run_id: int | None
    missing: tuple[str, ...]
    cases: tuple[CaseReport, ...]

    @property
    def good(self) -> bool:
        return self.outcome == "pass" and self.trend != "regression" and not self.missing

    def count(self, name: Outcome) -> int:
        """Results with that outcome."""
        return int(sum(getattr(case, f"n_{name}") for case in self.cases))


def report(
    suite: Suite,
    run_id: int,
    results: Sequence[SuiteResult],
    baseline: tuple[int, Sequence[SuiteResult]] | None = None,
) -> SuiteReport:
    """``baseline``: id and results of the blessed run."""
    before = _rates(baseline[1]) if baseline else {}
    groups: dict[tuple[str, str, int, str], list[SuiteResult]] = {}
    for result in results:
        key = (result.case_name, result.model, result.version_id, result.recipe)
        groups.setdefault(key, []).append(result)
    cases = [_case(group, suite.require, before) for group in groups.values()]
    cases = _corrected(cases)
    total = Rate(sum(c.n_pass for c in cases), sum(c.rate.n for c in cases))
    known = {(case.case, case.model, case.recipe) for case in cases}
    matched = [before[key] for key in before if key in known]
    old = Rate(sum(rate.hits for rate in matched), sum(rate.n for rate in matched))
    trend, p_value = _trend(total, old if baseline else None)
    if any(case.trend == "regression" for case in cases):
        trend = "regression"
    outcomes = {case.outcome for case in cases}
    return SuiteReport(
        suite=suite.name,
        run_id=run_id,
        outcome="fail" if "fail" in outcomes else "error" if "error" in outcomes else "pass",
        trend=trend,
        p_value=p_value,
        baseline_run_id=baseline[0] if baseline else None,
        missing=tuple(sorted({key[0] for key in before} - {case.case for case in cases})),
        cases=tuple(cases),
    )


def to_json(item: SuiteReport) -> dict[str, Any]:
    """What ``prompts test --json`` answers for one suite."""
    return {
        "suite": item.suite,
        "run_id": item.run_id,
        "verdict": item.outcome,
        "n_pass": item.count("pass"),
        "n_fail": item.count("fail"),
        "n_error": item.count("error"),
        "regression": item.trend,
        "p_value": item.p_value,
        "baseline_run_id": item.baseline_run_id,
        "missing_cases": list(item.missing),
        "cases": [_case_json(case) for case in item.cases],
    }


def to_junit(reports: Sequence[SuiteReport]) -> str:
    """JUnit XML: a suite a file, a testcase a case, model, version and recipe; how it compares
    with the baseline is a property of the suite."""
    root = ET.Element("testsuites", name="prompts")
    for item in reports:
        cases = item.cases
        node = ET.SubElement(
            root, "testsuite", name=item.suite, tests=str(len(cases)), skipped="0",
            failures=str(sum(case.outcome == "fail" for case in cases)),
            errors=str(sum(case.outcome == "error" for case in cases)),
            time=f"{sum(case.seconds for case in cases):.3f}",
        )  # fmt: skip
        told = {"regression": item.trend, "run": item.run_id, "baseline": item.baseline_run_id}
        properties = ET.SubElement(node, "properties")
        for name, value in told.items():
            ET.SubElement(properties, "property", name=name, value=str(value))
        for case in cases:
            child = ET.SubElement(
                node, "testcase", name=f"{case.case} [{case.model}, {case.recipe}]",
                classname=f"{item.suite}.{case.content_type}", time=f"{case.seconds:.3f}",
            )  # fmt: skip
            if case.outcome != "pass":
                tag = "failure" if case.outcome == "fail" else "error"
                passed = f"{case.n_pass} of {case.rate.n} passed"
                detail = ET.SubElement(child, tag, message=_xml(passed))
                detail.text = _xml("\n".join(f"{n} x {why}" for why, n in case.reasons))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def to_text(item: SuiteReport) -> str:
    """Lines for a terminal."""
    against = f" (run {item.baseline_run_id})" if item.baseline_run_id else ""
    lines = [
        f"{item.suite}, run {item.run_id}: {item.outcome}; {item.count('pass')} pass, "
        f"{item.count('fail')} fail, {item.count('error')} error; {item.trend}{against}"
    ]
    for case in item.cases:
        low, high = case.rate.interval.low, case.rate.interval.high
        lines.append(
            f"  {case.outcome:5} {case.case} [{case.model}, {case.recipe}] "
            f"{case.n_pass} of {case.rate.n} ({100 * low:.0f} to {100 * high:.0f} %)"
        )
        lines += [f"        {n} x {why}" for why, n in case.reasons[:3]]
    lines += [f"  missing: {name}" for name in item.missing]
    return "\n".join(lines)


def _case(group: list[SuiteResult], require: float, before: dict[_Key, Rate]) -> CaseReport:
    """Counts are of single texts; what was demanded of all together decides the outcome too."""
    first = group[0]
    single = [item for item in group if item.repeat != ACROSS]
    together = {item.outcome for item in group if item.repeat == ACROSS}
    counts = {name: sum(item.outcome == name for item in single) for name in _OUTCOMES}
    n = len(single)
    if (n - counts["fail"]) / n < require or "fail" in together:
        outcome: Outcome = "fail"
    else:
        outcome = "error" if counts["error"] or "error" in together else "pass"
    reasons = Counter(item.reason for item in group if item.outcome != "pass")
    trend, p_value = _trend(
        Rate(counts["pass"], n), before.get((first.case_name, first.model, first.recipe))
    )
    return CaseReport(
        first.case_name, first.content_type, first.model, first.version_id, first.recipe,
        counts["pass"], counts["fail"], counts["error"], outcome,
        tuple(reasons.most_common()), trend, p_value, sum(item.seconds for item in single),
    )  # fmt: skip


_OUTCOMES: tuple[Outcome, ...] = ("pass", "fail", "error")


def _rates(results: Sequence[SuiteResult]) -> dict[_Key, Rate]:
    found: dict[_Key, Rate] = {}
    for item in results:
        if item.repeat == ACROSS:
            continue
        key = (item.case_name, item.model, item.recipe)
        before = found.get(key, Rate(0, 0))
        found[key] = Rate(before.hits + (item.outcome == "pass"), before.n + 1)
    return found


def _trend(now: Rate, before: Rate | None) -> tuple[Trend, float | None]:
    if before is None:
        return "no baseline", None
    if now.n < LEAST or before.n < LEAST:
        return "not enough data", None
    worse = fisher_less(now.hits, now.n, before.hits, before.n)
    if worse < ALPHA:
        return "regression", worse
    better = fisher_less(before.hits, before.n, now.hits, now.n) < ALPHA
    return ("improved" if better else "no regression"), worse


def _corrected(cases: list[CaseReport]) -> list[CaseReport]:
    """Holm: a single case is a regression only if it stands among all of them."""
    tested = sorted((case.p_value, at) for at, case in enumerate(cases) if case.p_value is not None)
    fixed, standing = list(cases), True
    for rank, (p_value, at) in enumerate(tested):
        standing = standing and p_value < ALPHA / (len(tested) - rank)
        if fixed[at].trend == "regression" and not standing:
            fixed[at] = replace(fixed[at], trend="no regression")
    return fixed


def _case_json(case: CaseReport) -> dict[str, Any]:
    interval = case.rate.interval
    return {
        "case": case.case,
        "content_type": case.content_type,
        "model": case.model,
        "template_version_id": case.version_id,
        "recipe": case.recipe,
        "verdict": case.outcome,
        "n_pass": case.n_pass,
        "n_fail": case.n_fail,
        "n_error": case.n_error,
        "pass_rate": case.rate.share,
        "interval": [interval.low, interval.high],
        "regression": case.trend,
        "p_value": case.p_value,
        "seconds": round(case.seconds, 3),
        "reasons": dict(case.reasons),
    }


def _xml(text: str) -> str:
    """Without the control characters that XML 1.0 cannot hold."""
    return "".join(char for char in text if char in "\t\n\r" or ord(char) >= 32)
