"""Block height, hash rate, halving and supply."""

from __future__ import annotations

from datetime import date

from engine.checks.facts.case import Case, after, before
from engine.checks.facts.changes import relation_to
from engine.checks.facts.distances import fits
from engine.checks.facts.items import Item, Segment, Sentence
from engine.checks.facts.known import HALVING_BLOCKS
from engine.checks.facts.levels import close_to

_SINCE = {"since", "behind", "other:an earlier moment", "done", "elapsed", "into"}
NEXT_HALVING = 1_050_000


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
        elif number.value in _REWARDS and sentence.has("topic", "halving"):
            _reward(case, segment, item)
        elif item.value == "btc" and (
            sentence.has("topic", "supply") or case.subject == "supply" or number.value >= 1e7
        ):
            coins = case.known.supply_btc()
            text = f"{coins or 0:,.0f} coins are issued at this height"
            _amount(case, segment, item, coins, ("issued coins", "block_height", text))
        elif _part_of_epoch(case, segment, item) and _share_of_chain(segment, item):
            _progress(case, segment, item)
        elif item.value == "ehs":
            rate = case.known.facts.hashrate_ehs
            text = f"the hash rate is {rate or 0:,.1f} EH/s"
            _amount(case, segment, item, rate, ("hash rate", "hashrate_ehs", text))


_REWARDS = (3.125, 1.5625)


def _reward(case: Case, segment: Segment, item: Item) -> None:
    """``before the reward is cut to 1.5625 BTC``: now, or after the next halving."""
    led = {x.value for x in before(segment, item.place, 3)}
    later = bool(led & {"to", "be", "becomes", "next"})
    height, number = case.known.facts.block_height, item.number
    known = height is not None and height // HALVING_BLOCKS == 4
    value = number.value if number else 0.0
    good = known and (value == (1.5625 if later else 3.125))
    said = "the reward is 3.125 BTC a block, and half of that after the next halving"
    case.judge(good, "number", item, "block reward", "block_height", said)


def _about_blocks(case: Case, sentence: Sentence, segment: Segment, item: Item) -> bool:
    if item.value == "blocks" or owner(segment, item) in ("block", "halving"):
        return True
    alone = not segment.of("topic") and item.value in ("rank", "bare")
    if alone and item.number and item.number.value >= 1000 and sentence.has("topic", "halving"):
        return True
    return case.subject == "block" and alone


def owner(segment: Segment, item: Item) -> str:
    """The nearest topic in the segment, the one before winning ties."""
    i = segment.index(item)
    topics = [
        (abs(k - i), k > i, x.value) for k, x in enumerate(segment.items) if x.kind == "topic"
    ]
    return min(topics)[2] if topics else ""


def _part_of_epoch(case: Case, segment: Segment, item: Item) -> bool:
    """A percentage, ``halfway``, ``three quarters of the way``; half a cake is none."""
    said = {x.value for x in after(segment, item.place, 3)}
    told = case.quote(item).lower() == "halfway" or said & {"way", "epoch", "done", "through"}
    return item.value == "pct" or (item.value == "share" and bool(told))


def _share_of_chain(segment: Segment, item: Item) -> str:
    """``29 % of the way to the halving``, ``95 % of all coins mined``: of which whole."""
    if segment.of("span") or any(x.end - x.start != len("ahead") for x in segment.of("dir")):
        return ""
    topics = {other.value for other in segment.of("topic")}
    return next((name for name in ("halving", "supply") if name in topics), "")


def _height(case: Case, sentence: Sentence, segment: Segment, item: Item) -> None:
    known, number = case.known, item.amount
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
    if (
        item.value == "blocks"
        and number.equals(height)
        and words & {"away", "go", "left", "remain", "remaining"}
    ):
        case.reject("number", item, said)
        return
    ago = any(x.kind == "ago" for x in segment.items)
    if ago or (words & _SINCE and not _to_go(segment)):
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
    _arrived(case, sentence)
    _time_to_halving(case, sentence)


def _arrived(case: Case, sentence: Sentence) -> None:
    """``and with it the fifth halving``, ``the halving is here``: within a day of its block."""
    words = {x.value for x in sentence.items()}
    halving = next((x for x in sentence.items() if x.value == "halving"), None)
    if halving is None or words & {"next", "before", "when"} or sentence.has("if"):
        return
    if words & {"arrived", "arrives", "happened", "here"} and not sentence.has("num", "date"):
        done = case.known.halving_done()
        said = f"{done or 0:,} blocks have been mined since the last halving"
        good = done is not None and done <= 144
        case.judge(good, "number", halving, "the halving is here", "block_height", said)


def _time_to_halving(case: Case, sentence: Sentence) -> None:
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
        "away", "left", "remaining", "until", "remain", "before", "more", "countdown", "go", "ahead",
    }  # fmt: skip
    ahead = any(x.value in words or x.kind == "if" or x.value == "up" for x in segment.items)
    halving = next((x.place for x in segment.of("topic") if x.value == "halving"), 0)
    near = segment.items[max(0, halving - 3) : halving]
    return ahead or any(x.kind == "rel" and x.value == "to" for x in near)


def _amount(
    case: Case, segment: Segment, item: Item, fact: float | None, said: tuple[str, str, str]
) -> None:
    """A number that must be one value; ``said``: its claim, its key and how the snapshot says it."""
    number, (claim, key, text) = item.amount, said
    relation = relation_to(segment, segment.index(item))
    good = fact is not None and close_to(number, fact, relation)
    why = f"the snapshot does not know the {claim}" if fact is None else text
    case.judge(good, "number", item, claim, key, why)


def _progress(case: Case, segment: Segment, item: Item) -> None:
    number, owner = item.amount, _share_of_chain(segment, item)
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
    if {x.value for x in after(segment, item.place, 5)} & {"done", "complete", "behind", "through"}:
        left = set()
    value = None if share is None else 100 - share if left else share
    if item.value == "share" and value is not None:
        good = abs(value - number.value) <= 2 if not relation else fits(number, value, relation)
    else:
        good = value is not None and close_to(number, value, relation) and not number.sign
    case.judge(good, "number", item, name, "block_height", said)
