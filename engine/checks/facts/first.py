"""Value first: what a number equals, and whether the words around it contradict that.

Every meaning of the number's kind that has its value at the printed precision is taken
(:mod:`meanings`); a meaning falls where the words name another level, side, sign or horizon, and it
needs a cue in its sentence: the level, a word of distance or of motion. What is left over is for the
judges that read the sentence from its words.
"""

from __future__ import annotations

from engine.checks.facts.case import Case, after, before
from engine.checks.facts.changes import amount_relation
from engine.checks.facts.dates import MONTHS
from engine.checks.facts.distances import fits
from engine.checks.facts.items import Item, Segment, Sentence
from engine.checks.facts.known import usd
from engine.checks.facts.meanings import Meaning, counts, dollars, percents
from engine.checks.facts.spans import resolve

_TWO, _THREE, _FOUR = 10, 100, 1_000
_UP = {
    "above", "over", "higher", "more", "heavier", "richer", "dearer", "gained", "gain", "added", "beyond", "exceeded", "spare",
    "clear", "plus", "fattened",
}  # fmt: skip
_DOWN = {
    "below", "under", "beneath", "underneath", "short", "lower", "less", "lighter", "poorer", "cheaper", "shy", "missing", "left",
    "off", "thinner", "needs", "need", "needed", "further", "another", "climb", "remaining", "back", "discount", "until", "gone",
    "whittled", "receded", "thinned", "melted", "minus", "shed", "lost", "away", "to", "takes", "must", "between", "stands",
    "separates", "separate", "gulf", "gap", "distance", "from", "underfoot", "cost",
}  # fmt: skip
_ANY = {
    "to", "away", "from", "between", "stands", "separates", "separate", "gulf", "gap", "distance", "back",
    "left", "cost",
}  # fmt: skip
_NEEDS = {
    "needs", "need", "needed", "must", "takes", "take", "climb", "another", "regain", "required", "rise", "reach", "would", "require",
}  # fmt: skip
_LEADING = {"above", "over", "higher", "more", "beyond"}
_HORIZON = {"24h": ("24h",), "7d": ("7d",), "1h": ("1h",)}
_PAST = {
    "was", "were", "yesterday", "ago", "had", "cost", "stood", "earlier", "prev", "previous", "previously", "before", "opened",
    "started", "from", "then",
}  # fmt: skip


def value_first(case: Case, sentence: Sentence, segment: Segment) -> None:
    """Prove the numbers of a segment that are a known value nobody contradicts."""
    for item in segment.of("num"):
        number = item.number
        if item.done or number is None or number.grain <= 0 or _denied(segment, item):
            continue
        if item.value == "usd" or (item.value == "bare" and _money_like(case, sentence, item)):
            found = list(dollars(case.known, case.rounds))
            found += list(counts(case.known)) if item.value == "bare" else []
        elif item.value == "pct":
            found = list(percents(case.known))
        elif item.value in ("bare", "blocks", "rank", "sats"):
            found = list(counts(case.known))
        else:
            continue
        relation = amount_relation(segment, item.place)
        for meaning in found:
            if fits(number, meaning.value, relation) and _allowed(
                case, sentence, segment, item, meaning
            ):
                _prove(case, segment, item, meaning)
                break
        else:
            _named_round(case, segment, item)


def _denied(segment: Segment, item: Item) -> bool:
    for other in before(segment, item.place, 12):
        if other.value in ("but", ":", ";", "though"):
            return False
        if other.kind == "neg":
            return True
    return False


def _money_like(case: Case, sentence: Sentence, item: Item) -> bool:
    number, price = item.number, case.known.level("price")
    assert number is not None  # noqa: S101
    chain = sentence.has("topic", "block", "halving", "fees", "fng", "supply", "diff")
    return bool(price) and (number.value >= _FOUR or _digits(item) >= _FOUR) and not chain


def _digits(item: Item) -> int:
    assert item.number is not None  # noqa: S101
    return round(item.number.value / item.number.grain)


def _allowed(
    case: Case, sentence: Sentence, segment: Segment, item: Item, meaning: Meaning
) -> bool:
    number, price = item.number, case.known.level("price")
    assert number is not None  # noqa: S101
    following = after(segment, item.place, 1)
    if item.value == "pct" and meaning.kind != "share" and following and following[0].value == "of":
        return False
    if segment.of("swing") or (sentence.has("topic", "asset") and case.content_type == "price"):
        return False
    other_way = number.sign and meaning.side and (number.sign > 0) != (meaning.side > 0)
    if other_way and meaning.kind != "needed":
        return False
    if item.value == "usd" and price and meaning.kind != "past" and number.equals(price):
        return False
    if meaning.kind == "needed":
        needs = bool(_words(case, segment) & _NEEDS) and number.sign >= 0
        return needs and meaning.role in case.spoken and _digits(item) >= _TWO
    if meaning.kind == "count":
        return _counts(case, sentence, segment, item, meaning)
    if meaning.kind == "past":
        return _was(case, sentence, segment, item, meaning)
    if meaning.kind == "move":
        return _moves(case, sentence, segment, item, meaning)
    if meaning.kind == "share":
        return _shares(case, segment, item, meaning)
    return _apart(case, sentence, segment, item, meaning)


def _words(case: Case, segment: Segment) -> set[str]:
    """Words and the senses of the items of a segment."""
    said = {word.strip(".,;:!?()") for x in segment.items for word in case.quote(x).lower().split()}
    return said | {x.value for x in segment.items if x.kind in ("rel", "dir")}


def _side_agrees(case: Case, segment: Segment, item: Item, meaning: Meaning) -> bool:
    """No word beside the number puts the price on the other side."""
    near = segment.items[max(0, item.place - 5) : item.place + 6]
    said = {
        w.strip(".,;:!?()") for x in near if x is not item for w in case.quote(x).lower().split()
    }
    said |= {x.value for x in near if x.kind == "rel"}
    said |= {
        "higher" if x.value == "up" else "lower"
        for x in near
        if x.kind == "dir" and x.value in ("up", "down")
    }
    hedge = _hedge(segment, item)
    ups, downs = said & _UP - hedge, said & _DOWN - _ANY - hedge
    if meaning.side > 0:
        under = downs <= {"below", "under", "beneath", "underneath"}
        return not downs or bool(ups) or (under and _level_leads(segment, item))
    if not ups or downs or said & {"needs", "needed", "climb", "another", "further", "takes"}:
        return True
    return bool(ups <= _LEADING) and _level_leads(segment, item)


def _hedge(segment: Segment, item: Item) -> set[str]:
    """The words that temper the number itself: ``more than $500 below``."""
    relation = amount_relation(segment, item.place)
    if relation.endswith("above"):
        return {"over", "more", "above"}
    return {"under", "less", "below"} if relation.endswith("below") else set()


def _level_leads(segment: Segment, item: Item) -> bool:
    """``the record is a quarter above``: the level is the subject, not the price."""
    led = segment.items[: item.place]
    return any(x.kind == "ref" for x in led) and not any(x.kind == "topic" for x in led)


def _apart(case: Case, sentence: Sentence, segment: Segment, item: Item, meaning: Meaning) -> bool:
    """A distance from a level that is spoken of."""
    said = _words(case, segment)
    if _other_spans(segment) or not _side_agrees(case, segment, item, meaning):
        return False
    if meaning.kind == "round" and segment.of("ref", "ago"):
        return False
    if meaning.kind == "round":
        return _digits(item) >= _TWO and bool(said & (_UP | _DOWN) or _digits(item) >= _THREE)
    named = {x.value for x in segment.of("ref")} & {"high", "low", "ath"}
    if (
        named
        and meaning.role not in named
        and not (meaning.role == "ath" and "high" in named and "ath" in case.spoken)
    ):
        return False
    if meaning.role not in case.spoken or (meaning.value == 0 and item.value == "usd"):
        return False
    if sentence.has("topic", "volume", "cap"):
        return False
    cue = said & (_UP | _DOWN) or (item.number and item.number.sign)
    return bool(cue) and (_digits(item) >= _TWO or bool(amount_relation(segment, item.place)))


def _other_spans(segment: Segment) -> bool:
    spans = [x.value.removeprefix("other:") for x in segment.of("span") if x.number is None]
    return any(span not in MONTHS and span != "24h" for span in spans)


def _moves(case: Case, sentence: Sentence, segment: Segment, item: Item, meaning: Meaning) -> bool:
    """A change over the horizon that is said, 24 hours where none is."""
    spans = {x.value for x in segment.of("span", "ago")} or {
        x.value for x in sentence.items() if x.kind in ("span", "ago")
    }
    spans = spans or ({case.span} if case.span else {"24h"})
    if item.value == "pct" and len(spans) > 1:
        spans = {resolve(segment, item, case.span)}
    if meaning.span not in spans or segment.of("ref") or segment.of("mult"):
        return False
    topics = {x.value for x in segment.of("topic")} or {case.subject}
    if topics - {"btc", "price", "market"}:
        return False
    told = segment.of("dir") or _words(case, segment) & (_UP | _DOWN | _MOVED)
    if item.value == "pct":
        return (
            bool(told)
            and len(spans) == 1
            and not segment.of("dir")
            and _agrees(case, segment, item, meaning)
        )
    return (
        bool(told)
        and (_digits(item) >= _TWO or bool(amount_relation(segment, item.place)))
        and _agrees(case, segment, item, meaning)
    )


_MOVED = {
    "moved", "move", "difference", "change", "changed", "surplus", "gained", "has", "by", "went", "handed",
    "taken", "net",
}  # fmt: skip


def _agrees(case: Case, segment: Segment, item: Item, meaning: Meaning) -> bool:
    said = _words(case, segment)
    marks = [x for x in segment.of("dir", "emoji") if x.value in ("up", "down")]
    ways = {1 if x.value == "up" else -1 for x in marks}
    said = said - _hedge(segment, item)
    if said & {"heavier", "richer", "dearer", "fattened", "surplus", "added", "gained", "more"}:
        ways.add(1)
    if said & {
        "lighter",
        "poorer",
        "thinner",
        "receded",
        "thinned",
        "melted",
        "whittled",
        "cheaper",
        "cost",
        "gone",
        "handed",
        "less",
    }:
        ways.add(-1)
    return (
        ways == {meaning.side}
        or (not ways and bool(item.number and item.number.sign))
        or (not ways and bool(said & {"moved", "move", "difference", "change", "changed"}))
    )


def _was(case: Case, sentence: Sentence, segment: Segment, item: Item, meaning: Meaning) -> bool:
    """An earlier price, told as one."""
    said = _words(case, segment) | _words(case, Segment(list(sentence.items())))
    spans = {x.value for x in sentence.items() if x.kind in ("span", "ago")} & {"24h", "7d", "1h"}
    bracket = any(x.value == "(" for x in before(segment, item.place, 1))
    if (
        (item.number and item.number.sign)
        or segment.of("ref")
        or (segment.of("dir") and not bracket)
    ):
        return False
    if meaning.span not in (spans or {"24h"}) or not (said & _PAST or sentence.has("ago")):
        return False
    plain = amount_relation(segment, item.place) in ("", "about", "just_above", "just_below")
    return plain and _digits(item) >= _FOUR and not _now(case, segment, item)


def _now(case: Case, segment: Segment, item: Item) -> bool:
    led = {word for x in before(segment, item.place, 3) for word in case.quote(x).lower().split()}
    return bool(led & {"now", "now:", "currently", "trades"})


def _shares(case: Case, segment: Segment, item: Item, meaning: Meaning) -> bool:
    """``97 % of its record``."""
    following = after(segment, item.place, 4)
    of = bool(following) and following[0].value == "of"
    fits_well = item.number is not None and item.number.equals(meaning.value)
    return of and fits_well and any(x.kind == "ref" and x.value == meaning.role for x in following)


def _counts(case: Case, sentence: Sentence, segment: Segment, item: Item, meaning: Meaning) -> bool:
    said = _words(case, segment) | {segment.intro}
    text = case.text.lower()
    if meaning.role == "sats":
        return (
            "sat" in text
            and ("dollar" in text or "$" in text or "usd" in text)
            and _digits(item) >= _TWO
        )
    if _digits(item) < _THREE:
        return False
    chain = any(
        word in text for word in ("block", "halving", "halved", "blk", "height", "chain", "subsidy")
    )
    left = said & {
        "left", "remain", "remaining", "until", "before", "go", "away", "ere", "unspent", "still", "lay",
        "ahead", "leaving", "another", "yet", "next", "more", "plate",
    }  # fmt: skip
    done = said & {
        "since", "spent", "behind", "done", "after", "past", "last", "added", "through", "stacked", "ago",
        "laid", "mined", "old",
    }  # fmt: skip
    if meaning.role == "left":
        return chain and bool(left) and not done & {"since", "spent", "behind", "ago", "through"}
    if meaning.role == "done":
        return (
            chain
            and bool(done)
            and not left & {"left", "until", "remain", "remaining", "unspent", "away"}
        )
    if meaning.role == "next":
        return chain and "halv" in text
    onward = any(x.value == "halving" for x in segment.of("topic"))
    return chain and _digits(item) >= _FOUR and not onward and not segment.of("dir", "ago")


def _named_round(case: Case, segment: Segment, item: Item) -> None:
    """A level the text measures from: ``$100K? It still needs $6,129``."""
    number, price = item.number, case.known.level("price")
    digits = {"five": 1e4, "six": 1e5, "seven": 1e6}.get(case.quote(item).lower())
    if number is None or not price or (digits or number.value) not in case.measured or number.sign:
        return
    if segment.of("ref", "ago"):
        return
    relation = amount_relation(segment, item.place)
    above, below = relation.endswith("above"), relation.endswith("below")
    if (above and price <= number.value) or (below and price >= number.value):
        return
    case.prove(item, "a named level", "price_usd", usd(price))


def _joined(segment: Segment, item: Item, other: Item) -> bool:
    """No other number stands between."""
    first, last = sorted((item.place, other.place))
    return last - first <= 6 and not any(x.kind == "num" for x in segment.items[first + 1 : last])


def _prove(case: Case, segment: Segment, item: Item, meaning: Meaning) -> None:
    said = usd(meaning.value) if item.value == "usd" else f"{meaning.value:,.2f}"
    case.prove(item, meaning.claim, meaning.fact, said)
    if meaning.kind in ("gap", "round"):
        for other in segment.items:
            if not _joined(segment, item, other):
                continue
            if (other.kind == "ref" and other.value == meaning.role) or other.kind == "rel":
                other.done = True
            if other.kind == "dir" and other.value == ("up" if meaning.side > 0 else "down"):
                other.done = True
    elif meaning.kind == "needed":
        for other in segment.items:
            other.done = other.done or other.kind in ("ref", "dir", "modal", "rel")
    elif meaning.kind in ("past", "move"):
        for other in segment.items:
            eve = meaning.span == "24h" and case.quote(other).lower() == "yesterday"
            if other.kind in ("span", "ago") and (eve or other.value == meaning.span):
                other.done = True
            if other.kind == "rel" and abs(other.place - item.place) <= 3:
                other.done = True
    elif meaning.role in ("done", "left"):
        for other in segment.items:
            if other.value == "other:an earlier moment" or other.kind in ("if", "still", "dir"):
                other.done = True
