"""Frozen records that travel between the rooms: facts, snapshots, findings, verdicts.

FACTS is the one shape of what may be said about the market (DESIGN, "Names that others rely
on"): every key always present in JSON, ``null`` where unknown.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from engine.clock import iso, parse_iso
from engine.errors import UsageError

CONTENT_TYPES = ("price", "joke", "motivation", "news")

World = Literal["live", "sample", "replay"]
"""Where market data came from: real sources, the shipped sample, a file played back."""


@dataclass(frozen=True)
class FearGreed:
    """Fear & Greed index: 0..100 and the class its source gave it."""

    value: int
    label: str


@dataclass(frozen=True)
class Fees:
    """Recommended fees, sat/vB."""

    fast: float
    half_hour: float
    hour: float


@dataclass(frozen=True)
class Headline:
    """A news item. ``title`` is hostile text until cleaned (engine/market/news.py)."""

    title: str
    source: str
    url: str | None = None


@dataclass(frozen=True)
class Facts:
    """What a snapshot proves. US dollars, percent, UTC; None where unknown.

    The keys after ``headline`` are extras beside the names others rely on; they may be absent
    from a FACTS file.
    """

    as_of: datetime | None = None
    price_usd: float | None = None
    change_24h_pct: float | None = None
    change_7d_pct: float | None = None
    high_24h: float | None = None
    low_24h: float | None = None
    volume_24h_usd: float | None = None
    market_cap_usd: float | None = None
    ath_usd: float | None = None
    ath_date: date | None = None
    fear_greed: FearGreed | None = None
    block_height: int | None = None
    fees: Fees | None = None
    headline: Headline | None = None
    change_1h_pct: float | None = None
    hashrate_ehs: float | None = None
    difficulty_change_pct: float | None = None
    retarget_blocks: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, every key present."""
        row = dataclasses.asdict(self)
        row["as_of"] = iso(self.as_of) if self.as_of else None
        row["ath_date"] = self.ath_date.isoformat() if self.ath_date else None
        return row

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Facts:
        """Read a FACTS object.

        Raises: UsageError naming the key that is unknown or has a wrong type or value.
        """
        if not isinstance(row, dict):
            raise UsageError("FACTS must be a JSON object; see docs/architecture.md, FACTS.")
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(row) - known)
        if unknown:
            raise UsageError(f"FACTS has unknown keys: {', '.join(unknown)}. Remove them.")
        values: dict[str, Any] = {}
        for key, value in row.items():
            if value is None:
                continue
            try:
                values[key] = _READERS.get(key, _number)(value)
            except (TypeError, ValueError, KeyError, AttributeError) as error:
                raise UsageError(f"FACTS.{key} cannot be read ({error}). Correct it.") from error
        for key in ("price_usd", "high_24h", "low_24h", "ath_usd", "market_cap_usd"):
            if key in values and values[key] <= 0:
                raise UsageError(f"FACTS.{key} must be above zero; use null where unknown.")
        return cls(**values)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("not a finite number")
    return float(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or int(value) != value or value < 0:
        raise ValueError("not a whole number from 0")
    return int(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


def _fear_greed(value: Any) -> FearGreed:
    index = _whole(value["value"])
    if index > 100:
        raise ValueError("not within 0..100")
    return FearGreed(index, _text(value["label"]))


def _fees(value: Any) -> Fees:
    return Fees(_number(value["fast"]), _number(value["half_hour"]), _number(value["hour"]))


def _headline(value: Any) -> Headline:
    url = value.get("url")
    return Headline(
        _text(value["title"]), _text(value.get("source") or ""), None if url is None else _text(url)
    )


_READERS: dict[str, Any] = {
    "as_of": lambda value: parse_iso(_text(value)),
    # some sources give the day of the record as a full timestamp
    "ath_date": lambda value: date.fromisoformat(_text(value)[:10]),
    "fear_greed": _fear_greed,
    "block_height": _whole,
    "retarget_blocks": _whole,
    "fees": _fees,
    "headline": _headline,
}


@dataclass(frozen=True)
class Quote:
    """One source's answer: price in US dollars at a moment."""

    source: str
    price_usd: float
    as_of: datetime
    change_24h_pct: float | None = None
    high_24h: float | None = None
    low_24h: float | None = None


@dataclass(frozen=True)
class Snapshot:
    """A stored consensus of fresh sources; what proves a post. ``id`` is None before storing."""

    facts: Facts
    world: World
    quotes: tuple[Quote, ...] = ()
    spread_pct: float = 0.0
    notes: tuple[str, ...] = ()
    id: int | None = None


Severity = Literal["reject", "error", "warn"]


@dataclass(frozen=True)
class Finding:
    """One thing a check saw. ``start``/``end`` are code-point offsets into the checked text.

    ``severity``: ``reject`` stops the text, ``error`` means that the check itself failed (and
    never counts as a pass), ``warn`` is shown but stops nothing.
    """

    rule: str
    severity: Severity
    start: int
    end: int
    message: str


@dataclass(frozen=True)
class Verdict:
    """What all checks said of a text: ``pass``, ``reject`` or ``error``."""

    findings: tuple[Finding, ...] = ()

    @property
    def outcome(self) -> Literal["pass", "reject", "error"]:
        severities = {finding.severity for finding in self.findings}
        if "reject" in severities:
            return "reject"
        return "error" if "error" in severities else "pass"

    def to_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.outcome,
            "findings": [dataclasses.asdict(finding) for finding in self.findings],
        }


def canonical_json(value: Any) -> str:
    """The one text of a JSON value: sorted keys, no spaces, for hashes and for storing."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
