"""What stops a segment before or after its claims are judged: the future, conditions, negations,
horizons and relations nobody spoke for, and other subjects than Bitcoin."""

from __future__ import annotations

from engine.checks.facts.case import Case
from engine.checks.facts.changes import holds, horizon
from engine.checks.facts.closed import of_a_thing
from engine.checks.facts.denials import denied_level
from engine.checks.facts.items import Item, Segment, Sentence
from engine.checks.facts.known import SPANS
from engine.checks.facts.places import near
from engine.checks.facts.words import cues

_CLAIMS = {"dir", "num", "emoji", "ago", "label", "ref", "mult", "super", "swing"}
_LEVELS = ("high", "low", "ath")
# Words that relate levels only beside a level, and mean other things elsewhere.
_EVERYDAY = {
    "over", "under", "past", "beyond", "sub", "up to", "at least", "at most", "almost", "nearly", "close to",
    "not quite", "top", "tops", "topped", "topping", "clear", "clears", "cleared", "clearing", "break", "breaks",
    "broke", "broken", "cross", "crosses", "crossed", "crossing", "defend", "defends", "near to", "more than", "less than",
    "breach", "surpass", "short of", "no less than", "no more than", "<", ">",
}  # fmt: skip
_MACRO = {
    "inflation", "yields", "treasury", "dominance", "adoption", "stablecoins", "open interest", "funding", "funding rate",
    "premium", "hashprice", "total crypto market", "reserves", "exchange reserves", "miner revenue",
}  # fmt: skip
_TELLING = ("above", "below", "under", "reclaim", "retak", "retook", "regain", "recaptur")


def blocked(case: Case, sentence: Sentence, segment: Segment) -> bool:
    """Predictions and conditions: whatever they say of the market is not proved."""
    claims = [
        item
        for item in segment.items
        if item.kind in _CLAIMS and not (item.kind == "num" and item.value in ("clock", "date"))
    ]
    if not claims or sentence.has("topic", "halving", "diff"):
        return False
    modal = next((x for x in segment.of("modal") if _foretells(case, segment, x)), None)
    condition = next((item for item in sentence.items() if _condition(sentence, item)), None)
    words = {item.value for item in segment.items} | {case.quote(modal).lower() if modal else ""}
    aim = segment.of("ref") or case.rounds
    if words & {"take", "need", "needs", "needs to"} and aim and not condition:
        return False  # "it would take an 87 % gain to reach the record" is arithmetic
    for blocker, why in (
        (modal, "the snapshot knows nothing of the future"),
        (condition, "a condition is not a fact"),
    ):
        if blocker is not None:
            if not blocker.done:
                case.reject("prediction", blocker, why)
            for item in segment.items:
                item.done = True
            return True
    return False


_SPEAKERS = {"i", "you", "we", "somebody", "someone", "anybody", "me", "us"}


def _conceded(case: Case, segment: Segment, item: Item) -> bool:
    following = segment.items[item.place + 1 : item.place + 2]
    k = next(k for k, x in enumerate(case.sentence.segments) if x is segment)
    turned = [x.intro for x in case.sentence.segments[k + 1 : k + 2]] == ["but"]
    return item.value == "will" and any(x.value == "be" for x in following) and turned


def _foretells(case: Case, segment: Segment, item: Item) -> bool:
    """A forecast: a claim after the modal, of the market; ``might not be everyone's cup of tea`` is none."""
    following = segment.items[item.place + 1 :]
    colon = next((k for k, x in enumerate(following) if x.value == ":"), len(following))
    following = following[:colon]
    if case.quote(item).lower() == "that'll" or _conceded(case, segment, item):
        return False  # "That'll be 14 sat/vB", "it may be six figures, but": of the present
    past = case.quote(item).lower() in ("tried", "attempted") and following[:1]
    if past and following[0].value != "to":
        return False  # "tried $97K on for size"
    if item.done or any(x.value in ("have", "had") for x in following[:2]):
        return False  # "you could have had it for", "could be had": of the past
    led = [x.value for x in segment.items[max(0, item.place - 2) : item.place]]
    if set(led) & _SPEAKERS or case.quote(item).lower() in ("i'll", "you'll", "we'll"):
        return any(x.kind in ("dir", "ref") and not x.done for x in following)
    return any(x.kind in _CLAIMS and not x.done and x.kind != "label" for x in following)


def _condition(sentence: Sentence, item: Item) -> bool:
    """A condition of the market; ``if you're fussy`` is one of the reader."""
    if item.kind != "if" or _counted_down(sentence, item):
        return False
    segment = next(x for x in sentence.segments if any(y is item for y in x.items))
    following = segment.items[item.place + 1 : item.place + 2]
    reader = any(x.value.startswith("you") or x.value in ("anyone", "one", "i") for x in following)
    claims = any(x.place > item.place and x.kind in _CLAIMS for x in segment.items)
    if item.end - item.start == len("once") and item.place:
        return False  # "I once lost a sock"
    if not claims:
        return not reader and item.end - item.start == len("if") and item.place == 0
    market = any(x.kind == "topic" or x.value in ("it", "we") for x in segment.items)
    return market or bool(segment.of("num")) or (not reader and item.place <= 1)


def _counted_down(sentence: Sentence, item: Item) -> bool:
    """``85,000 blocks until block 1,050,000``, ``if the report is to be believed``: no conditions."""
    segment = next(x for x in sentence.segments if any(y is item for y in x.items))
    said = [x.value for x in segment.items[item.place :]]
    counted = item.end - item.start == len("until")
    if counted and any(x.kind == "num" for x in segment.items[item.place + 1 :][:1]):
        return True
    return (said[0] == "if" and said[-1] in ("believed", "trusted")) or (
        (sentence.has("topic", "block") or sentence.has("num", "blocks")) and counted
    )


def negations(case: Case, segment: Segment) -> None:
    """``not down``: true if its opposite is; numbers under a negation prove nothing."""
    for i, item in enumerate(segment.items):
        if item.kind != "neg" or item.done:
            continue
        last = i == len(segment.items) - 1 and i and segment.items[i - 1].value == ":"
        if last and any(x.kind in ("rel", "dir", "num") for x in segment.items):
            case.reject("negation", item, "what is denied states no fact")
            continue
        _denied_before(case, segment, i)
        amount = next(
            (x for x in segment.items[i + 1 : i + 13] if x.kind in ("num", "sep", "conj")), None
        )
        if amount is not None and amount.kind == "num" and not amount.done:
            denied_level(case, segment, item, amount)
        for k, other in enumerate(segment.items[i + 1 : i + 7]):
            if other.kind == "sep" and other.value == ":":
                break
            if other.kind == "word" and other.value in ("only", "just", "alone", "but"):
                break
            if k > 1 and other.value in ("is", "are", "was", "now"):
                break
            if other.done:
                continue
            if other.kind in ("weekday", "daypart") and k > 1:
                continue
            if other.kind == "num" and denied_level(case, segment, item, other):
                continue
            if other.kind == "rel" and _denied_side(case, segment, other):
                continue
            if other.kind in ("num", "weekday", "daypart"):
                case.reject("negation", other, "what is denied states no fact")
            elif other.kind in ("dir", "emoji"):
                if not of_a_thing(segment, other.place):
                    _negated(case, segment, other)
                other.done = True
            elif other.kind == "ago":
                case.reject("negation", other, "nothing proves the negation")
            elif other.kind in ("ref", "super", "mult"):
                _negated_level(case, other, segment.items[i + 1 : i + 1 + k])
        item.done = True


def _denied_side(case: Case, segment: Segment, item: Item) -> bool:
    """``yet not above it``: the level spoken of last."""
    following = [x.value for x in segment.items[item.place + 1 : item.place + 2]]
    gap = case.known.gap_usd(case.last_ref) if case.last_ref else None
    if following not in (["it"], ["that"]) or gap is None or item.value not in ("above", "below"):
        return False
    said = f"{case.known.level_text(case.last_ref)}, {case.known.level_text('price')}"
    good = gap <= 0 if item.value == "above" else gap >= 0
    return case.judge(good, "negation", item, f"not {item.value} it", "price_usd", said) or True


def _denied_before(case: Case, segment: Segment, i: int) -> None:
    """``5 sat/vB is not the rate``: the number in front is denied as well."""
    nothing = case.quote(segment.items[i]).lower() == "nothing"
    if not i or nothing or segment.items[i - 1].value not in ("is", "was", "are", "were"):
        return
    for other in segment.items[max(0, i - 9) : i][::-1]:
        if other.kind == "sep":
            return
        if other.kind == "num" and not other.done:
            if i < len(segment.items) - 1 and denied_level(case, segment, segment.items[i], other):
                return  # "fifty thousand was not troubled"
            case.reject("negation", other, "what is denied states no fact")
            return


def _extreme(case: Case, segment: Segment, item: Item) -> bool:
    """``no higher print``, ``nobody paid more``: the price is the day's high, or the record."""
    following = segment.items[item.place + 1 : item.place + 2]
    noun = any(x.value in _TRADED or x.kind == "topic" for x in following)
    noun = noun or any(x.value in ("has", "have", "did", "was") for x in following)
    led = [case.quote(x).lower() for x in segment.items[max(0, item.place - 1) : item.place]]
    noun = noun or (led == ["no"] and any(x.kind == "word" for x in following))
    if case.quote(item).lower() not in ("higher", "lower") or not noun:
        return False
    role = "low" if item.value == "down" else "high"
    record = case.sentence.has("ref", "ath") or case.last_ref == "ath"
    gap = case.known.gap_pct(role)
    good = abs(gap) <= 0.1 if gap is not None else False
    if record and role == "high":
        good = bool(case.known.at_record()) and good
    said = f"{case.known.level_text(role)} and {case.known.level_text('price')}"
    return case.judge(good, "negation", item, f"nothing {item.value}", "price_usd", said) or True


_TRADED = {"print", "price", "trade", "level", "quote", "number", "figure", "mark", "tick"}


def _negated(case: Case, segment: Segment, item: Item) -> None:
    if _extreme(case, segment, item):
        return
    span = horizon(case, segment, item)
    change = case.known.change(span)
    plain = item.value in ("up", "down") and case.subject == "btc"
    sizes = {"big"} if item.size == "big" else set()  # "not a crash" denies the size
    good = change is not None and plain and not holds(item.value, sizes, change, span, beside=True)
    noun = item.place and segment.items[item.place - 1].value == "a"
    if plain and noun and change is not None and abs(change) <= 0.5:
        good = True  # "that's not a dip, that's a rounding error"
    lead = case.text[: item.start].lower().split()[-5:]
    if {"never", "longer", "nobody", "none", "without", "avoids", "avoided"} & set(lead) or any(
        word.startswith(("stop", "refus", "fail", "miss")) for word in lead
    ):
        good = False  # says something of other days or of before, too
    said = case.known.change_text(span)
    if not good and plain and change is not None:
        said += ", which does not prove the negation"
    case.judge(good, "negation", item, f"not {item.value} over {span}", SPANS.get(span, ""), said)


def _negated_level(case: Case, item: Item, between: list[Item]) -> None:
    role = item.value if item.kind == "ref" and item.value in _LEVELS else ""
    item.size = "negated"
    part = case.known.gap_pct(role) if role else None
    text = case.text[: item.start].lower()
    far = "far from" in text or "nowhere near" in text
    close = any(other.kind == "rel" and other.value == "about" for other in between)
    if part is None or any(other.kind not in ("word", "rel", "span") for other in between):
        good = False
    elif far:
        good = abs(part) >= (10 if role == "ath" else 2)
    elif close:
        good = not near(case, role)
    else:
        good = not case.known.at_record() if role == "ath" else abs(part) > 0.2
    said = case.known.level_text(role) if role else "nothing proves the negation"
    case.judge(good, "negation", item, f"not at {role}", "price_usd", said)


def foreign(case: Case, sentence: Sentence) -> None:
    """Nothing that is said in one breath with another asset or measure is proved."""
    if case.content_type == "price":
        for item in sentence.items():
            macro = item.value == "other" and case.quote(item).lower() in _MACRO
            macro = macro and sentence.has("topic", "btc")
            if item.kind == "topic" and (item.value == "asset" or macro) and not item.done:
                case.reject("subject", item, "the snapshot knows Bitcoin only")
    counted = (
        sentence.has("num") if case.content_type == "price" else sentence.has("num", "usd", "pct")
    )
    crossed = sentence.has("rel", "cross_up", "cross_down", "above", "below")
    if not (counted or crossed or sentence.has("dir") or sentence.has("emoji")):
        return
    for item in sentence.items():
        if item.kind == "topic" and item.value in ("other", "asset") and not item.done:
            case.reject("subject", item, "the snapshot knows Bitcoin only")


def _open_relation(case: Case, item: Item) -> bool:
    if item.kind != "rel" or item.value not in cues("guards.open"):
        return False
    text = case.quote(item).lower()
    if text == "over" and item.place == len(segment_of(case, item)) - 1:
        return True  # "the dip is over"
    if item.value in ("cross_up", "hold_above", "hold_below"):
        return any(part in text for part in _TELLING)
    return text not in _EVERYDAY


def segment_of(case: Case, item: Item) -> list[Item]:
    """The items of the segment ``item`` stands in."""
    return next(
        segment.items
        for segment in case.sentence.segments
        if item.place < len(segment.items) and segment.items[item.place] is item
    )


def _ranked(case: Case, item: Item) -> bool:
    """``fifth winning week running``, ``the most searched asset``: what nobody counted."""
    items = segment_of(case, item)
    following = items[item.place + 1 : item.place + 4]
    if item.value in cues("guards.ordinals") and item.kind == "word":
        timed = [k for k, x in enumerate(following) if x.kind in ("span", "ago")]
        return bool(timed) and any(
            x.value in ("running", "green", "red", "winning") or x.kind == "dir" for x in following
        )
    led = [x.value for x in items[max(0, item.place - 1) : item.place]]
    if item.value == "most" and set(led) & cues("guards.ordinals"):
        return True
    return item.value == "most" and any(x.kind in ("topic", "ref") for x in following[1:3])


def leftovers(case: Case, sentence: Sentence) -> None:
    """Horizons no change was proved over (``$67,432 this year``), relations without a level."""
    claims = any(item.kind in ("num", "dir", "ref", "emoji", "mult") for item in sentence.items())
    timeless = sentence.has("topic", "halving", "diff", "supply")
    fees = sentence.has("num", "feerate")
    used = {item.value for item in sentence.items() if item.kind in ("span", "ago") and item.done}
    for item in sentence.items():
        if item.done:
            continue
        if case.content_type == "price" and item.kind == "word" and _ranked(case, item):
            case.reject("relation", item, "the snapshot has no history to compare with")
        counted = item.number is not None and case.content_type == "price"
        if (
            item.value == "other:10 minutes"
            and not sentence.has("dir")
            and not sentence.has("num", "pct")
        ):
            continue
        if case.quote(item).lower() == "this hour" and not sentence.has("dir"):
            continue
        role = fees and item.number is not None and item.number.unit in ("minutes", "hours")
        if case.quote(item).lower() == "earlier" and sentence.has("span", "24h"):
            continue  # "earlier in the last 24 hours"
        if item.kind in ("span", "ago") and (claims or counted) and not timeless and not role:
            if item.value != "24h" and item.value not in used | case.spans:
                said = case.known.change_text(item.value)
                case.reject("time", item, f"{said}, and levels are known for 24 hours only")
        elif case.content_type == "price" and not timeless and _open_relation(case, item):
            case.reject("relation", item, "it names no level of the snapshot")
