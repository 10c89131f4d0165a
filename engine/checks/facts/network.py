"""Fear & Greed, block height, fees, hash rate, difficulty, halving and supply."""

from __future__ import annotations

from datetime import date

from engine.checks.facts.case import Case, after, before
from engine.checks.facts.changes import CHEAP, DEAR, relation_to
from engine.checks.facts.items import Item, Segment, Sentence
from engine.checks.facts.known import HALVING_BLOCKS
from engine.checks.facts.levels import close_to
from engine.records import Fees

_FEES = ("fast", "half_hour", "hour")
_GLOOMY = {
    "terrible",
    "awful",
    "bad",
    "grim",
    "bleak",
    "gloomy",
    "sour",
    "depressed",
    "dismal",
    "miserable",
    "poor",
    "dark",
    "horrible",
}
_SUNNY = {
    "great",
    "good",
    "cheerful",
    "sunny",
    "rosy",
    "euphoric",
    "excellent",
    "fantastic",
    "exuberant",
    "jubilant",
    "happy",
}
_SINCE = {"since", "behind", "other:an earlier moment", "done", "elapsed", "into"}
NEXT_HALVING = 1_050_000
_FEE_NAMES = {"fast": "fast", "half_hour": "half-hour", "hour": "hour"}


def fee_rates(case: Case, sentence: Sentence, segment: Segment) -> None:
    """``fast 5, hour 3 sat/vB``; ``5/4/3 sat/vB``; without a name it is the fast fee."""
    unit = any("vb" in case.quote(x).lower() for x in sentence.items() if x.kind == "topic")
    case.rates = case.rates or unit or sentence.has("num", "feerate")
    items = [
        item
        for item in segment.of("num")
        if not item.done and _fee_number(case, sentence, segment, item)
    ]
    if not items:
        return
    fees = case.known.facts.fees
    if fees is None:
        for item in items:
            case.reject("number", item, "the snapshot does not know the fees")
        return
    named = [_fee_role(segment, item) for item in items]
    if len(items) == 3 and not any(named):
        named = list(_FEES)
    said = f"fees are {fees.fast:g} fast, {fees.half_hour:g} half-hour, {fees.hour:g} hour (sat/vB)"
    for item, role in zip(items, named, strict=True):
        number = item.number
        assert number is not None  # noqa: S101
        relation = relation_to(segment, segment.index(item))
        role = role or _second(case, item, fees) or ("hour" if _least(segment) else "fast")
        good = role in _FEES and close_to(number, getattr(fees, role), relation)
        name = f"{_FEE_NAMES.get(role, role)} fee"
        case.judge(good and not number.sign, "number", item, name, f"fees.{role}", said)
        for other in segment.of("span"):
            other.done = other.done or (good and _fee_name(other) == role)


def _second(case: Case, item: Item, fees: Fees) -> str:
    """``fast 5 sat/vB, the scenic route costs 3``: after the fast fee, a slower one."""
    told = any(p.fact == "fees.fast" and p.end <= item.start for p in case.proofs)
    if not told or item.number is None:
        return ""
    return next((role for role in _FEES[1:] if item.number.equals(getattr(fees, role))), "")


def _fee_number(case: Case, sentence: Sentence, segment: Segment, item: Item) -> bool:
    """Bare numbers count where the unit is said once for all of them."""
    if item.value == "feerate":
        return True
    rates = sentence.has("num", "feerate") or any(
        "vb" in case.quote(other).lower() for other in sentence.items() if other.kind == "topic"
    )
    rates = rates or (case.rates and bool(_fee_role(segment, item)))
    return item.value == "bare" and rates and bool(item.number and item.number.value < 5000)


def _fee_role(segment: Segment, item: Item) -> str:
    if item.size in _FEES:
        return item.size
    i = segment.index(item)
    for beside in before(segment, i, 1):
        if beside.kind == "ref" and beside.value in ("low", "high"):
            return "hour" if beside.value == "low" else "fast"
    for other in before(segment, i, 7):
        if other.kind == "num":
            break
        if role := _fee_name(other):
            return role
    for other in after(segment, i, 7):
        if other.kind == "num":
            break
        if role := _fee_name(other):
            return role
    if any(item.value in ("average", "median", "typical", "mean") for item in segment.of("word")):
        return "average"
    return ""


def _fee_name(item: Item) -> str:
    for sense in item.senses:
        if sense.kind == "fee":
            return sense.value
    if item.kind == "span" and item.number:
        spans = {
            ("minutes", 30.0): "half_hour",
            ("minutes", 60.0): "hour",
            ("hours", 1.0): "hour",
            ("minutes", 10.0): "fast",
        }
        return spans.get((item.number.unit, item.number.value), "")
    if item.kind == "num" and item.value == "share":
        return "half_hour"
    return ""


def _least(segment: Segment) -> bool:
    return any(
        item.value in ("start", "starting", "starts")
        or (
            item.kind == "ref"
            and item.size == ""
            and item.value == "low"
            and item.end - item.start > 3
        )
        for item in segment.items
    )


def blocks(case: Case, sentence: Sentence, segment: Segment) -> None:
    """Heights and counts of blocks, halving progress, issued coins."""
    for item in segment.of("num"):
        number = item.number
        if item.done or number is None:
            continue
        if item.value in ("bare", "rank", "blocks") and _about_blocks(
            case, sentence, segment, item
        ):
            _height(case, sentence, segment, item)
        elif item.value == "btc" and (
            sentence.has("topic", "supply") or case.subject == "supply" or number.value >= 1e7
        ):
            _supply(case, segment, item)
        elif item.value == "pct" and _share_of_chain(segment, item):
            _progress(case, segment, item)
        elif item.value == "ehs":
            _hash(case, segment, item)


def _about_blocks(case: Case, sentence: Sentence, segment: Segment, item: Item) -> bool:
    if item.value == "blocks" or _owner(segment, item) in ("block", "halving"):
        return True
    alone = not segment.of("topic") and item.value in ("rank", "bare")
    if alone and item.number and item.number.value >= 1000 and sentence.has("topic", "halving"):
        return True
    return case.subject == "block" and alone


def _owner(segment: Segment, item: Item) -> str:
    """The nearest topic in the segment, the one before winning ties."""
    i = segment.index(item)
    topics = [
        (abs(k - i), k > i, x.value) for k, x in enumerate(segment.items) if x.kind == "topic"
    ]
    return min(topics)[2] if topics else ""


def _share_of_chain(segment: Segment, item: Item) -> str:
    """``29 % of the way to the halving``, ``95 % of all coins mined``: of which whole."""
    if segment.of("span") or any(x.end - x.start != len("ahead") for x in segment.of("dir")):
        return ""
    topics = {other.value for other in segment.of("topic")}
    return next((name for name in ("halving", "supply") if name in topics), "")


def _height(case: Case, sentence: Sentence, segment: Segment, item: Item) -> None:
    known, number = case.known, item.number
    assert number is not None  # noqa: S101
    height, left = known.facts.block_height, known.halving_left()
    relation = relation_to(segment, segment.index(item))
    halving = sentence.has("topic", "halving")
    if height is None or left is None:
        if halving and number.equals(NEXT_HALVING) and not relation:
            case.prove(item, "height of the next halving", "a constant", f"{NEXT_HALVING:,}")
        else:
            case.reject("number", item, "the snapshot does not know the block height")
        return
    said, good = f"the block height is {height:,}", False
    claim, fact = "block height", "block_height"
    words = {x.value for x in segment.items}
    if words & _SINCE and not _to_go(segment):
        claim, said = (
            "blocks since the halving",
            f"{HALVING_BLOCKS - left:,} blocks since the halving",
        )
        good = close_to(number, HALVING_BLOCKS - left, relation)
    elif halving and (item.value == "blocks" or _to_go(segment)) and not number.equals(height):
        claim, said = "blocks to the halving", f"{left:,} blocks are left to the next halving"
        good = close_to(number, left, relation)
    elif halving and number.equals(height + left):
        claim, good = "height of the next halving", not relation
    elif known.facts.retarget_blocks is not None and sentence.has("topic", "diff"):
        claim, fact = "blocks to the retarget", "retarget_blocks"
        said = f"{known.facts.retarget_blocks:,} blocks are left to the retarget"
        good = close_to(number, known.facts.retarget_blocks, relation)
    elif relation == "cross_up":  # "just passed": within a day
        good = number.value < height <= number.value + 144
    elif relation == "above":
        good = number.value < height <= number.value * 1.01
    elif not segment.of("topic") or not any(x.value == "halving" for x in segment.of("topic")):
        good = close_to(number, height, relation)
    case.judge(good and not number.sign, "number", item, claim, fact, said)


_MINUTES = {
    "days": 1440,
    "weeks": 10080,
    "months": 43830,
    "years": 525960,
    "hours": 60,
    "minutes": 1,
}
LAST_HALVING = date(2024, 4, 20)


def halving_time(case: Case, sentence: Sentence) -> None:
    """``the next halving is about two years away``: ten minutes a block, within a tenth."""
    left, today = case.known.halving_left(), case.known.today()
    for item in sentence.items():
        number = item.number
        if item.kind not in ("span", "ago") or item.done or number is None:
            continue
        if number.unit not in _MINUTES:
            continue
        past = item.kind == "ago" or sentence.has("span", "other:an earlier moment")
        minutes = None if left is None else left * 10
        if past:
            minutes = None if today is None else (today - LAST_HALVING).days * _MINUTES["days"]
        size = (minutes or 0) / _MINUTES[number.unit]
        said = f"it is about {size:.1f} {number.unit}" if minutes else "the snapshot cannot tell"
        good = minutes is not None and (
            number.equals(size) or abs(number.value - size) <= 0.1 * size
        )
        case.judge(good, "time", item, "time to or since the halving", "block_height", said)


def _to_go(segment: Segment) -> bool:
    words = {
        "away",
        "left",
        "remaining",
        "until",
        "remain",
        "before",
        "more",
        "countdown",
        "go",
        "ahead",
    }
    ahead = any(x.value in words or x.kind == "if" or x.value == "up" for x in segment.items)
    halving = next((x.place for x in segment.of("topic") if x.value == "halving"), 0)
    near = segment.items[max(0, halving - 3) : halving]
    return ahead or any(x.kind == "rel" and x.value == "to" for x in near)


def _supply(case: Case, segment: Segment, item: Item) -> None:
    supply, number = case.known.supply_btc(), item.number
    assert number is not None  # noqa: S101
    said = (
        "the snapshot does not know the block height"
        if supply is None
        else f"{supply:,.0f} coins are issued at this height"
    )
    relation = relation_to(segment, segment.index(item))
    good = supply is not None and close_to(number, supply, relation)
    case.judge(good, "number", item, "issued coins", "block_height", said)


def _progress(case: Case, segment: Segment, item: Item) -> None:
    number, owner = item.number, _share_of_chain(segment, item)
    assert number is not None  # noqa: S101
    supply = case.known.supply_btc()
    share = case.known.halving_pct() if owner == "halving" else supply and supply / 21e6 * 100
    name = "halving progress" if owner == "halving" else "share of all coins issued"
    said = (
        "the snapshot does not know the block height"
        if share is None
        else f"the {name} is {share:.2f} %"
    )
    relation = relation_to(segment, segment.index(item))
    left = {x.value for x in segment.items} & {"left", "remaining", "remain", "away", "go"}
    left |= {x.value for x in segment.of("dir")}
    value = None if share is None else 100 - share if left else share
    good = value is not None and close_to(number, value, relation) and not number.sign
    case.judge(good, "number", item, name, "block_height", said)


def _hash(case: Case, segment: Segment, item: Item) -> None:
    rate, number = case.known.facts.hashrate_ehs, item.number
    assert number is not None  # noqa: S101
    said = (
        "the snapshot does not know the hash rate"
        if rate is None
        else f"the hash rate is {rate:,.1f} EH/s"
    )
    relation = relation_to(segment, segment.index(item))
    good = rate is not None and close_to(number, rate, relation)
    case.judge(good, "number", item, "hash rate", "hashrate_ehs", said)


def mood(case: Case, sentence: Sentence, segment: Segment) -> None:
    """The Fear & Greed value and its class."""
    index = case.known.facts.fear_greed
    said = (
        "the snapshot does not know Fear & Greed"
        if index is None
        else f"Fear & Greed is {index.value} ({index.label})"
    )
    about = sentence.has("topic", "fng") or case.subject == "fng"
    for item in segment.of("num"):
        number = item.number
        if item.done or number is None:
            continue
        nearby = _owner(segment, item)
        bare = item.value == "bare" or (item.value == "points" and not segment.of("dir"))
        named = about or (sentence.has("label") and not segment.of("dir"))
        ours = named and bare and nearby in ("", "fng") and number.value <= 100
        if item.value != "index" and not ours:
            continue
        if not about and not sentence.has("label"):
            case.reject("number", item, "nothing says what it measures")
            continue
        relation = relation_to(segment, segment.index(item))
        good = (
            index is not None
            and not number.sign
            and _index_fits(number.value, index.value, relation)
        )
        case.judge(good, "number", item, "Fear & Greed", "fear_greed.value", said)
    label = case.known.mood() or ""
    nearest = next(iter(segment.of("topic")), None)
    if nearest and case.content_type == "price":
        for item in segment.of("word") if nearest.value == "fng" else ():
            want = "fear" if item.value in _GLOOMY else "greed" if item.value in _SUNNY else ""
            if want:
                case.judge(
                    want in label, "relation", item, f"a mood of {want}", "fear_greed.label", said
                )
    if (
        (about or sentence.has("label"))
        and label
        and "extreme" not in label
        and not segment.of("neg")
    ):
        for item in segment.of("word"):
            if item.value == "extreme":
                case.reject("relation", item, said)
    for item in segment.of("label"):
        if item.done:
            continue
        if _negated_label(segment, item):
            case.judge(
                bool(label) and item.value not in label,
                "relation",
                item,
                f"not {item.value}",
                "fear_greed.label",
                said,
            )
            continue
        text = case.text[item.start : item.end].lower()
        exact = item.value == label
        plain = text in ("fear", "greed", "neutral") and not _says_extreme(case)
        soft = item.value in label and not plain
        case.judge(
            bool(label) and (exact or soft), "relation", item, item.value, "fear_greed.label", said
        )


def _says_extreme(case: Case) -> bool:
    words = case.text.lower().split()
    i = next((k for k, word in enumerate(words) if word.strip(".,!?()") == "extreme"), None)
    return i is not None and not {"not", "nothing", "no", "never", "isn't"} & set(
        words[max(0, i - 3) : i]
    )


def _index_fits(value: float, fact: int, relation: str) -> bool:
    if relation == "above":
        return value < fact <= value + 10
    if relation == "below":
        return value - 10 <= fact < value
    if relation in ("about", "just_above", "just_below"):
        return abs(value - fact) <= 2 and not (
            (relation == "just_above" and fact <= value)
            or (relation == "just_below" and fact >= value)
        )
    return value == fact


def _negated_label(segment: Segment, item: Item) -> bool:
    return any(other.kind == "neg" for other in before(segment, segment.index(item), 4))


def fee_words(case: Case, segment: Segment) -> None:
    """``fees are low``: at most 10 sat/vB for the fast one; high from 50."""
    rated = any(item.value == "feerate" for item in segment.of("num"))
    if (
        case.subject != "fees"
        and not rated
        and not any(x.value == "fees" for x in segment.of("topic"))
    ):
        return
    fees = case.known.facts.fees
    for item in segment.items:
        word = item.value if item.kind in ("word", "ref") else ""
        text = case.text[item.start : item.end].lower()
        cheap = word in ("low", "cheap", "tiny") and text not in ("as low as",)
        dear = word in ("high", "expensive", "steep", "pricey")
        if item.done or not (cheap or dear) or text in ("high priority", "low priority"):
            continue
        said = (
            "the snapshot does not know the fees"
            if fees is None
            else f"the fast fee is {fees.fast:g} sat/vB"
        )
        good = fees is not None and (fees.fast <= CHEAP if cheap else fees.fast >= DEAR)
        case.judge(
            good, "relation", item, f"fees are {'low' if cheap else 'high'}", "fees.fast", said
        )
