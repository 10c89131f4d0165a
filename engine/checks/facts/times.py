"""Dates, weekdays, clock times and parts of the day: they must be the snapshot's own (UTC)."""

from __future__ import annotations

from engine.checks.facts.case import Case, before
from engine.checks.facts.dates import MONTHS
from engine.checks.facts.items import Item, Segment, Sentence
from engine.checks.facts.words import WEEKDAYS

_DAYPARTS = {
    "morning": range(4, 13), "afternoon": range(11, 19), "evening": range(16, 24), "noon": range(11, 14),
    "midnight": (23, 0, 1),
}  # fmt: skip


def judge_times(case: Case, sentence: Sentence, segment: Segment) -> None:
    """All that tells a moment; horizons (24 h, this week) are judged with their claims."""
    for item in segment.items:
        if item.done:
            continue
        if case.quote(item).lower() == "today" and _of_record(case, segment, item):
            record, today = case.known.facts.ath_date, case.known.today()
            said = f"the all-time high is of {record}"
            case.judge(
                record is not None and record == today, "time", item, "set today", "ath_date", said
            )
        elif item.kind == "num" and item.value == "date":
            _date(case, sentence, segment, item)
        elif item.kind == "num" and item.value == "clock":
            _clock(case, item)
        elif item.kind in ("ago", "span") and (
            sentence.has("ref", "ath") or case.last_ref == "ath"
        ):
            if not _month_of_record(case, item):
                _calendar(case, item)
        elif item.kind == "weekday":
            _weekday(case, segment, item)
        elif item.kind == "daypart":
            _daypart(case, segment, item)


_SET = {"set", "hit", "reached", "printed", "made"}


def _of_record(case: Case, segment: Segment, item: Item) -> bool:
    """``ATH $145,010 (today)``, ``its record, which it set on 14 April``: the day of the record."""
    led = before(segment, item.place, 2)
    named = case.sentence.has("ref", "ath")
    bracket = bool(led) and led[0].value == "(" and any(x.kind == "num" for x in led)
    return named and (bracket or any(case.quote(x).lower() in _SET for x in led))


def _date(case: Case, sentence: Sentence, segment: Segment, item: Item) -> None:
    facts, number = case.known.facts, item.number
    assert number is not None and number.date is not None  # noqa: S101
    today = case.known.today()
    since = any(
        other.value == "other:an earlier moment"
        for other in before(segment, segment.index(item), 2)
    )
    of_record = (
        sentence.has("ref", "ath")
        or case.last_ref == "ath"
        or any(case.quote(ref).lower().startswith("peak") for ref in segment.of("ref"))
    )
    for name, day in (
        ("ath_date", facts.ath_date if of_record else None),
        ("as_of", None if since or _of_record(case, segment, item) else today),
    ):
        if day is None:
            continue
        said = (day.year, day.month, day.day)
        if all(part is None or part == real for part, real in zip(number.date, said, strict=True)):
            case.prove(item, "date", name, day.isoformat())
            return
    known = f"the snapshot is of {today}" if today else "the snapshot does not say its date"
    if of_record:
        known += (
            f", the all-time high of {facts.ath_date}"
            if facts.ath_date
            else ", and the day of the record is not known"
        )
    case.reject("time", item, known)


def _month_of_record(case: Case, item: Item) -> bool:
    """``its October record``, ``the record of last October``."""
    name, record = item.value.removeprefix("other:"), case.known.facts.ath_date
    if name not in MONTHS:
        return False
    good = record is not None and record.month == MONTHS[name]
    said = f"the all-time high is of {record}"
    for since in case.sentence.items() if good else ():
        since.done = since.done or since.value == "other:an earlier moment"
    return case.judge(good, "time", item, "month of the record", "ath_date", said) or True


def _calendar(case: Case, item: Item) -> None:
    """``last year's record``, ``set this month``: by the day of the record."""
    record, today = case.known.facts.ath_date, case.known.today()
    which, _, unit = case.quote(item).lower().removesuffix("'s").partition(" ")
    if which not in ("last", "this") or unit not in ("year", "month"):
        return
    said = f"the all-time high is of {record}, the snapshot of {today}"
    good = record is not None and today is not None
    if record is not None and today is not None:
        months = (today.year - record.year) * 12 + today.month - record.month
        apart = months if unit == "month" else today.year - record.year
        good = apart == (which == "last")
    case.judge(good, "time", item, "when the record was set", "ath_date", said)


def _clock(case: Case, item: Item) -> None:
    moment, number = case.known.facts.as_of, item.number
    assert number is not None and number.date is not None  # noqa: S101
    hour, minute, _ = number.date
    said = (
        f"the snapshot is of {moment:%H:%M} UTC" if moment else "the snapshot does not say its time"
    )
    good = False
    if moment and hour is not None and minute is not None:
        apart = abs((hour * 60 + minute) - (moment.hour * 60 + moment.minute))
        good = min(apart, 1440 - apart) <= (10 if minute else 30)
    case.judge(good, "time", item, "time of day", "as_of", said)


def _weekday(case: Case, segment: Segment, item: Item) -> None:
    if any(x.value in ("i", "my", "i've") for x in segment.items):
        item.done = True  # the writer's own Mondays
        return
    claims = segment.of("dir", "num", "ref", "emoji", "topic")
    if not claims and (case.quote(item).lower().endswith("s") or _addressed(case, item)):
        item.done = True  # "open on Sundays", "Friday, why are you like this?"
        return
    today = case.known.today()
    said = (
        f"the snapshot is of a {WEEKDAYS[today.weekday()]}"
        if today
        else "the snapshot does not say its date"
    )
    past = any(
        other.value in ("last", "other:an earlier moment", "until", "next")
        or other.kind in ("modal", "if")
        for other in before(segment, segment.index(item), 2)
    )
    if item.value == "weekend":
        # a change over the weekend is not the change over 24 hours
        good = today is not None and today.weekday() >= 5 and not segment.of("dir", "emoji")
    else:
        good = today is not None and int(item.value) == today.weekday()
    good = good and not past
    case.judge(good, "time", item, "weekday", "as_of", said)


def _addressed(case: Case, item: Item) -> bool:
    follows = case.text[item.end : item.end + 1] == ","
    return follows and any(x.value in ("you", "your", "you're") for x in case.sentence.items())


def _daypart(case: Case, segment: Segment, item: Item) -> None:
    moment = case.known.facts.as_of
    if not any(x.kind in ("dir", "num", "ref", "emoji", "topic") for x in case.sentence.items()):
        item.done = True  # the writer's own evening
        return
    said = (
        f"the snapshot is of {moment:%H:%M} UTC" if moment else "the snapshot does not say its time"
    )
    price = case.known.level("price")
    amounts = [x.number for x in segment.of("num") if x.value == "usd" and x.number]
    if price is not None and any(not x.equals(price) for x in amounts):
        case.reject("time", item, "no fact tells when a level was seen")
        return
    if any(other.kind in ("dir", "emoji") for other in segment.items) and not segment.of("span"):
        case.reject("time", item, "no fact tells a change over a part of the day")
        return
    hours = _DAYPARTS.get(item.value)
    good = moment is not None and (
        moment.hour in hours if hours else moment.hour >= 17 or moment.hour < 5
    )
    case.judge(good, "time", item, "part of the day", "as_of", said)
