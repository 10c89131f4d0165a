"""What a suite may demand of a text. No demand is met by an empty text, and none can pass by
failing: what cannot be judged is an error (promptfoo#10953 is what this prevents)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.checks.length import weigh
from engine.errors import UsageError
from engine.records import Verdict


@dataclass(frozen=True)
class Written:
    """One answer: the whole post, its verdict by our checks, wall seconds."""

    text: str
    verdict: Verdict
    seconds: float


@dataclass(frozen=True)
class Demand:
    """One assertion of a case as its file has it: ``{"kind": …, "value": …}``."""

    kind: str
    value: Any = None


def parse(row: Any, where: str) -> Demand:
    """Raises: UsageError naming what is wrong and where."""
    if not isinstance(row, dict) or row.get("kind") not in {*_EACH, *_ACROSS}:
        known = ", ".join([*_EACH, *_ACROSS])
        raise UsageError(f"{where}: an assertion has a kind, one of {known}; not {row!r}.")
    demand = Demand(row["kind"], row.get("value"))
    wanted = _VALUES[demand.kind]
    if not isinstance(demand.value, wanted) or isinstance(demand.value, bool):
        raise UsageError(f"{where}: {demand.kind} takes another value than {demand.value!r}.")
    if "matches" in demand.kind:
        try:
            re.compile(demand.value)
        except re.error as error:
            raise UsageError(f"{where}: {demand.value!r} is no pattern ({error}).") from error
    return demand


def is_across(demand: Demand) -> bool:
    """Whether it is asked of all repeats of a case together."""
    return demand.kind in _ACROSS


def broken(demand: Demand, written: Written) -> str | None:
    """Why ``written`` does not meet the demand; None where it does."""
    if not written.text.strip():
        return "the text is empty"
    return _EACH[demand.kind](written, demand.value)


def broken_across(demand: Demand, texts: Sequence[str]) -> str | None:
    """The same for all texts of a case that came back."""
    return _ACROSS[demand.kind](texts, demand.value)


def _checks(written: Written, value: list[str] | None) -> str | None:
    """Our checks; with ``value`` only the rules that begin so."""
    wanted = tuple(value or ("",))
    bad = [
        item
        for item in written.verdict.findings
        if item.severity != "warn" and item.rule.startswith(wanted)
    ]
    return f"{bad[0].rule}: {bad[0].message}" if bad else None


def _contains(written: Written, value: str) -> str | None:
    found = value.casefold() in written.text.casefold()
    return None if found else f"{value!r} is not in it"


def _lacks(written: Written, value: str) -> str | None:
    found = value.casefold() in written.text.casefold()
    return f"{value!r} is in it" if found else None


def _matches(written: Written, value: str) -> str | None:
    return None if re.search(value, written.text) else f"it does not match {value}"


def _lacks_match(written: Written, value: str) -> str | None:
    return f"it matches {value}" if re.search(value, written.text) else None


def _max_weight(written: Written, value: float) -> str | None:
    weight = weigh(written.text).weight
    return None if weight <= value else f"it weighs {weight}, more than {value:g}"


def _min_weight(written: Written, value: float) -> str | None:
    weight = weigh(written.text).weight
    return None if weight >= value else f"it weighs {weight}, less than {value:g}"


def _max_seconds(written: Written, value: float) -> str | None:
    slow = written.seconds > value
    return f"it took {written.seconds:.2f} s, more than {value:g}" if slow else None


def _distinct(texts: Sequence[str], value: float) -> str | None:
    share = len(set(texts)) / len(texts) if texts else 0.0
    return None if share >= value else f"only {share:.0%} of {len(texts)} texts are distinct"


_EACH: dict[str, Callable[[Written, Any], str | None]] = {
    "checks": _checks,
    "contains": _contains,
    "lacks": _lacks,
    "matches": _matches,
    "lacks_match": _lacks_match,
    "max_weight": _max_weight,
    "min_weight": _min_weight,
    "max_seconds": _max_seconds,
}
_ACROSS: dict[str, Callable[[Sequence[str], Any], str | None]] = {"distinct": _distinct}
_VALUES: dict[str, Any] = {
    "checks": list | None,
    **dict.fromkeys(("contains", "lacks", "matches", "lacks_match"), str),
    **dict.fromkeys(("max_weight", "min_weight", "max_seconds", "distinct"), int | float),
}
