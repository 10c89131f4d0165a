"""Worlds of facts, and texts about them that are known to be true or false.

Two sources: texts written and judged by hand (``fact_cases.txt``), and true wordings filled with a
world's values, each then mutated in one place (value, sign, relation, unit, time, role, horizon) so
that it is false. The truth of a mutant never comes from the lock: a mutation is kept only where its
printed value differs from every reading of the world under which the sentence would still be true.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

from engine.records import Facts

HERE = Path(__file__).parent
CASES = HERE / "fact_cases.txt"
HELD_OUT = HERE / "fact_cases_held_out.txt"
ANGLES = HERE / "fact_cases_angles.txt"


def world(**changes: Any) -> Facts:
    row: dict[str, Any] = {
        "as_of": "2026-11-22T12:00:00Z",
        "price_usd": 67432.18,
        "change_24h_pct": -2.31,
        "change_7d_pct": 4.12,
        "high_24h": 69120.0,
        "low_24h": 66800.0,
        "volume_24h_usd": 31.26e9,
        "market_cap_usd": 1.3345e12,
        "ath_usd": 126198.07,
        "ath_date": "2025-10-06",
        "fear_greed": {"value": 24, "label": "Extreme Fear"},
        "block_height": 901234,
        "fees": {"fast": 5, "half_hour": 4, "hour": 3},
        "headline": None,
    }
    return Facts.from_dict({**row, **changes})


NOTHING = dict.fromkeys(
    [
        "as_of",
        "price_usd",
        "change_24h_pct",
        "change_7d_pct",
        "high_24h",
        "low_24h",
        "volume_24h_usd",
        "market_cap_usd",
        "ath_usd",
        "ath_date",
        "fear_greed",
        "block_height",
        "fees",
        "headline",
    ]
)
WORLDS: dict[str, Facts] = {
    "down": world(),
    "up": world(
        as_of="2026-03-03T18:30:00Z", price_usd=104873.5, change_24h_pct=3.64, change_7d_pct=9.85,
        high_24h=105420.0, low_24h=100905.0, volume_24h_usd=48.72e9, market_cap_usd=2.0871e12,
        fear_greed={"value": 71, "label": "Greed"}, block_height=931337,
        fees={"fast": 12, "half_hour": 9, "hour": 6},
    ),
    "flat": world(
        price_usd=88014.77, change_24h_pct=0.04, change_7d_pct=-0.31, high_24h=88402.0,
        low_24h=87655.0, volume_24h_usd=19.4e9, market_cap_usd=1.7561e12,
        fear_greed={"value": 50, "label": "Neutral"}, block_height=920000,
        fees={"fast": 1, "half_hour": 1, "hour": 1},
    ),
    "record": world(
        price_usd=126543.21, change_24h_pct=6.18, change_7d_pct=12.4, high_24h=126543.21,
        low_24h=118900.0, volume_24h_usd=71.05e9, market_cap_usd=2.5222e12, ath_usd=126543.21,
        ath_date="2026-11-22", fear_greed={"value": 82, "label": "Extreme Greed"},
        fees={"fast": 35, "half_hour": 28, "hour": 20},
    ),
    "near_record": world(
        price_usd=124300.0, change_24h_pct=1.12, change_7d_pct=5.6, high_24h=124950.0,
        low_24h=122610.0, market_cap_usd=2.4761e12, fear_greed={"value": 78, "label": "Extreme Greed"},
    ),
    "crash": world(
        price_usd=58214.0, change_24h_pct=-9.87, change_7d_pct=-18.3, high_24h=64980.0,
        low_24h=57601.0, volume_24h_usd=92.4e9, market_cap_usd=1.1523e12,
        fear_greed={"value": 11, "label": "Extreme Fear"}, fees={"fast": 88, "half_hour": 64, "hour": 41},
    ),
    "sparse": Facts.from_dict({**NOTHING, "as_of": "2026-11-22T12:00:00Z", "price_usd": 67432.18}),
    "nothing": Facts.from_dict(NOTHING),
    "headline": world(
        headline={
            "title": "Bitcoin ETFs See $1.2 Billion Inflow as BTC Climbs 8% in October",
            "source": "CoinDesk",
            "url": "https://www.coindesk.com/a",
        }
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Labelled:
    """``true``: every claim of ``text`` follows from ``WORLDS[world]``; ``why`` names its making."""

    text: str
    world: str
    true: bool
    content_type: str = "price"
    why: str = "by hand"


def by_hand(path: Path = CASES) -> Iterator[Labelled]:
    name, content_type = "", "price"
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name, _, kind = line.strip("[]").partition(" ")
            content_type = kind or "price"
        elif line[:2] in ("+ ", "- "):
            yield Labelled(line[2:].replace("\\n", "\n"), name, line[0] == "+", content_type)


# --- wordings and their mutants ------------------------------------------------------------------

WORDINGS = """
    Bitcoin is trading at {price}, {adj} {c24} over the {day}.
    BTC {verb} {c24} to {price}.
    {price} per bitcoin, {c24} {comp} than 24 hours ago.
    BTC {price} ({s24} 24h)
    Bitcoin {past} {c24} in the {day} and now costs {price}.
    A {c24} {noun} over the {day} puts Bitcoin at {price}.
    {price}. That is a 24-hour change of {s24}.
    Bitcoin changes hands at {price} after a {c24} {noun} in 24 hours.
    BTC at {priceK}, {adj} {c24} today
    #Bitcoin {price} | 24h {s24} | 7d {s7}
    Price: {price}⏎24h: {s24}⏎7d: {s7}
    On the {week}, Bitcoin is {adj7} {c7}.
    Over the past {week} BTC has {past7} {c7}.
    Day: {s24}. Week: {s7}.
    Bitcoin is {adj} {c24} on the day and {adj7} {c7} on the week.
    24h high: {high}. 24h low: {low}. Now: {price}.
    The last 24 hours ran from a low of {low} to a high of {high}; Bitcoin now trades at {price}.
    Bitcoin has traded between {low} and {high} in the {day}.
    BTC at {price} | H {high} | L {low}
    Today's high was {high}, today's low {low}.
    Bitcoin topped out at {high} and bottomed out at {low} in the {day}.
    {lowK}–{highK} was the 24h range.
    Bitcoin trades at {price}, {gap_ath} below its all-time high of {ath}.
    All-time high: {ath}, set on {ath_date}.
    It is {gap_ath} under the record of {ath}.
    BTC sits {gap_ath_usd} short of its all-time high.
    {off_high} below the 24-hour high, {off_low} above the 24-hour low.
    Market cap: {cap}
    At {price} a coin, Bitcoin's market cap is {cap}.
    Bitcoin is a {capL} asset.
    {volL} changed hands over the {day}.
    24h volume: {vol}, market cap: {cap}
    With {vol} of volume in 24 hours, BTC trades at {price}.
    Fear & Greed: {fng} ({label}).
    The Fear and Greed Index stands at {fng}, which is {label_low}.
    Sentiment check: {label}, {fng}/100. Price check: {price}.
    Block {block} is in. Bitcoin: {price}.
    The chain has reached block height {block}.
    {to_halving} blocks to go until the next halving.
    Next-block fee: {fast} sat/vB. Within the hour: {hour} sat/vB.
    Fees right now: {fast}/{half}/{hour} sat/vB
    A fast transaction costs {fast} sat/vB, a slow one {hour} sat/vB.
    Bitcoin {past} {usd24} in 24 hours.
    A day ago one bitcoin was {prev}, now it is {price}.
    From {prev} to {price}: Bitcoin {verb} {c24} in 24 hours.
    {c24word} percent {comp} on the day: Bitcoin trades at {price}.
    One bitcoin buys you {priceword} dollars today.
    {emoji} Bitcoin {price}, {s24}
    Bitcoin is just over {floorK}.
    Bitcoin holds around {price}, {adj} {c24} since yesterday.
    {weekday} check-in: Bitcoin trades at {price}.
    {date}: Bitcoin at {price}, Fear & Greed at {fng}.
    One dollar buys {sats} sats.
    Good morning! ☕ Bitcoin: {price} ({s24} in 24h). Fear & Greed: {fng}.
"""
_WORDS = {  # up, down
    "adj": ("up", "down"),
    "verb": ("climbs", "slips"),
    "past": ("gained", "lost"),
    "comp": ("higher", "lower"),
    "noun": ("gain", "drop"),
    "emoji": ("📈", "📉"),
}
_LABELS = ("Extreme Fear", "Fear", "Neutral", "Greed", "Extreme Greed")


def wordings() -> list[str]:
    return [line.strip().replace("⏎", "\n") for line in WORDINGS.strip().splitlines()]


def generated() -> Iterator[Labelled]:
    """Every wording filled for every world it fits, and its mutants."""
    for name in ("down", "up", "flat", "record", "near_record", "crash"):
        slots = _slots(WORLDS[name])
        for wording in wordings():
            used = _used(wording)
            if not used <= set(slots):
                continue
            yield Labelled(wording.format(**slots), name, True, why=wording)
            for slot in sorted(used):
                for kind, value in _mutations(slot, slots, WORLDS[name]):
                    text = wording.format(**{**slots, slot: value})
                    yield Labelled(text, name, False, why=f"{kind} of {slot} in: {wording}")
            yield from _rewordings(wording, slots, name)


def _used(wording: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(wording) if field}


def _slots(facts: Facts) -> dict[str, str]:
    """Printed values; slots whose claim does not hold in this world are left out."""
    f = facts
    assert f.price_usd and f.high_24h and f.low_24h and f.ath_usd and f.market_cap_usd
    assert f.change_24h_pct is not None and f.change_7d_pct is not None and f.volume_24h_usd
    assert f.fear_greed and f.fees and f.block_height and f.as_of and f.ath_date
    day, week = f.change_24h_pct, f.change_7d_pct
    before = f.price_usd / (1 + day / 100)
    slots = {
        "price": f"${f.price_usd:,.0f}",
        "priceK": f"${f.price_usd / 1e3:.1f}K",
        "priceword": _in_words(f.price_usd),
        "floorK": f"${f.price_usd // 500 * 500:,.0f}",
        "s24": f"{day:+.2f}%",
        "s7": f"{week:+.1f}%",
        "day": "past 24 hours",
        "week": "week",
        "c7": f"{abs(week):.1f}%",
        "adj7": "up" if week > 0 else "down",
        "past7": "gained" if week > 0 else "lost",
        "high": f"${f.high_24h:,.0f}",
        "low": f"${f.low_24h:,.0f}",
        "highK": f"${f.high_24h / 1e3:.1f}K",
        "lowK": f"${f.low_24h / 1e3:.1f}K",
        "ath": f"${f.ath_usd:,.0f}",
        "ath_date": f"{f.ath_date:%B} {f.ath_date.day}, {f.ath_date.year}",
        "cap": f"${f.market_cap_usd / 1e12:.2f}T",
        "capL": f"${f.market_cap_usd / 1e12:.1f} trillion",
        "vol": f"${f.volume_24h_usd / 1e9:.1f}B",
        "volL": f"${f.volume_24h_usd / 1e9:.0f} billion",
        "fng": str(f.fear_greed.value),
        "label": f.fear_greed.label,
        "label_low": f.fear_greed.label.lower(),
        "block": f"{f.block_height:,}",
        "to_halving": f"{1_050_000 - f.block_height:,}",
        "fast": f"{f.fees.fast:g}",
        "half": f"{f.fees.half_hour:g}",
        "hour": f"{f.fees.hour:g}",
        "weekday": f"{f.as_of:%A}",
        "date": f"{f.as_of:%B} {f.as_of.day}, {f.as_of.year}",
        "sats": f"{1e8 / f.price_usd:,.0f}",
    }
    if abs(day) >= 1:
        slots |= {key: pair[day < 0] for key, pair in _WORDS.items()}
        slots |= {
            "c24": f"{abs(day):.1f}%",
            "c24word": (
                ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
            )[round(abs(day)) - 1],
            "usd24": f"${abs(f.price_usd - before):,.0f}",
            "prev": f"${before:,.0f}",
        }
    if f.price_usd < f.ath_usd:
        gap = f.ath_usd - f.price_usd
        slots |= {"gap_ath": f"{gap / f.ath_usd:.1%}", "gap_ath_usd": f"${gap:,.0f}"}
    if f.low_24h < f.price_usd < f.high_24h:
        slots["off_high"] = f"{(f.high_24h - f.price_usd) / f.high_24h:.1%}"
        slots["off_low"] = f"{(f.price_usd - f.low_24h) / f.low_24h:.1%}"
    return slots


def _in_words(value: float) -> str:
    ones = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    ones += "fifteen sixteen seventeen eighteen nineteen"
    tens = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]

    def small(n: int) -> str:
        if n < 20:
            return ones.split()[n]
        if n < 100:
            return tens[n // 10 - 2] + (f"-{small(n % 10)}" if n % 10 else "")
        return f"{small(n // 100)} hundred" + (f" {small(n % 100)}" if n % 100 else "")

    return f"{small(round(value / 1000))} thousand"


def _mutations(slot: str, slots: dict[str, str], facts: Facts) -> Iterator[tuple[str, str]]:
    """(kind, false value) for a slot. Numbers move by more than they are rounded."""
    value = slots[slot]
    if slot in _WORDS:
        up, down = _WORDS[slot]
        yield "sign", down if value == up else up
    elif slot in ("adj7", "past7"):
        up, down = _WORDS[slot[:-1]]
        yield "sign", down if value == up else up
    elif slot in ("label", "label_low"):
        label = _LABELS[(_LABELS.index(slots["label"]) + 2) % 5]
        yield "value", label if slot == "label" else label.lower()
    elif slot == "day":
        yield from (
            ("time", other) for other in ("past week", "past month", "past 12 hours", "past year")
        )
    elif slot == "week":
        yield from (("time", other) for other in ("day", "month", "year"))
    elif slot == "weekday":
        yield "time", "Thursday"
    elif slot in ("date", "ath_date"):
        yield "time", "May 17, 2026"
        yield "time", "November 21, 2026"
    elif slot == "c24word":
        yield "value", "fourteen"
    elif slot == "priceword":
        yield "value", _in_words((facts.price_usd or 0) + 3000)
    else:
        yield from _wrong_numbers(slot, value, slots)


def _wrong_numbers(slot: str, value: str, slots: dict[str, str]) -> Iterator[tuple[str, str]]:
    digits = re.search(r"[\d,.]*\d", value)
    assert digits
    number = float(digits.group().replace(",", ""))
    decimals = len(digits.group().partition(".")[2])
    for factor in (1.07, 0.93):
        other = number * factor
        if decimals == 0 and number < 100:
            other = number + (7 if factor > 1 else 9)
        elif abs(other - number) < 2 * 10**-decimals:
            other = number + 5 * 10**-decimals * (1 if factor > 1 else 2)
        yield "value", value.replace(digits.group(), f"{other:,.{decimals}f}")
    if value[0] == "$":
        yield "unit", value.replace("$", "€")
    if value[0] in "+-" and number >= 0.05:
        yield "sign", {"+": "-", "-": "+"}[value[0]] + value[1:]
    roles = {
        "high": "low",
        "low": "high",
        "ath": "high",
        "cap": "vol",
        "vol": "cap",
        "fast": "hour",
        "price": "ath",
    }
    other_role = roles.get(slot)
    if other_role and slots[other_role] != value:
        yield "role", slots[other_role]
    if slot in ("cap", "vol"):
        yield "unit", value[:-1] + {"T": "B", "B": "M"}[value[-1]]


_SWAPS = (
    ("below", "above"), ("under", "above"), ("short of", "above"), ("just over", "just under"),
    ("Bitcoin", "Ethereum"), ("BTC", "ETH"), ("on the day", "on the month"), ("24 hours", "30 days"),
    (" 24h ", " 30d "), ("high of", "low of"), ("Next-block", "Hourly"), ("today", "this year"),
    ("Market cap", "Volume"), ("24h volume", "7d volume"), ("now costs", "will soon cost"), ("is trading", "is not trading"),
    ("all-time high", "all-time low"), ("24-hour high", "weekly high"),
)  # fmt: skip


def _rewordings(wording: str, slots: dict[str, str], name: str) -> Iterator[Labelled]:
    """Relation, subject, horizon or mood turned by exchanging words of the sentence itself."""
    true = wording.format(**slots)
    for old, new in _SWAPS:
        neutral = old in ("Bitcoin", "BTC") and not _used(wording) & {
            "price",
            "priceK",
            "c24",
            "c7",
            "usd24",
        }
        same = old == "Next-block" and slots["fast"] == slots["hour"]
        if old in wording and not neutral and not same:
            text = true.replace(old, new)
            if text != true:
                yield Labelled(text, name, False, why=f"{old} -> {new} in: {wording}")


def everything() -> list[Labelled]:
    """Hand-written and generated texts, each once."""
    seen: dict[tuple[str, str, str], Labelled] = {}
    for case in (*by_hand(), *generated()):
        known = seen.setdefault((case.text, case.world, case.content_type), case)
        assert known.true == case.true, f"labelled both ways: {case}"
    return list(seen.values())
