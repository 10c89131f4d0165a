"""The closed world of price posts: what nobody proved must be known to claim nothing.

``data/fact_plain.json`` lists the words that claim nothing wherever they stand. A word it lacks is a
claim where it could be one: in a sentence with the world that moves markets (people, institutions,
money, events) or a name, in the reason of something (``as``, ``after``, ``amid``, ``on hopes``), or as
what is said of the market itself (``Bitcoin frobs``, ``the price is unfair``). A reason (``because``) or
a deal without a price is a claim in any case. Kettles and cats are free.
"""

from __future__ import annotations

import json
from functools import cache

from engine.checks.facts.case import Case, after, before
from engine.checks.facts.items import Item, Segment, Sentence
from engine.checks.facts.words import cues, forms
from engine.resources import data_path

_REFERS = {"it", "it's", "its", "this", "that", "that's", "these", "those", "they", "which"}
_HOLDERS = {"holders", "hodlers", "stackers"}
_ABOUT = {"in", "everywhere", "somewhere", "out", "there"}
_OBJECT_OF = {"to", "for", "of", "from", "with", "unlike", "like"}
_LEADS = 3
_PAID = ("usd", "sats", "btc", "feerate", "bare", "pct", "share")


@cache
def _listed(group: str) -> frozenset[str]:
    """Words of ``plain.GROUP`` or of a top-level group; verbs with a star in every form."""
    data = json.loads(data_path("fact_plain.json").read_text(encoding="utf-8"))
    lines = data["plain"].get(group) or data[group]
    found: set[str] = set()
    for word in " ".join(lines).split():
        found.update(forms(word[:-1]) if word.endswith("*") else (word,))
    return frozenset(found)


@cache
def _plain() -> frozenset[str]:
    groups = ("grammar", "manner", "things", "doings", "talk")
    return frozenset().union(*(_listed(group) for group in groups))


def harmless(word: str) -> bool:
    """Whether a word claims nothing even beside Bitcoin."""
    if word in _listed("world"):
        return word in _plain()
    stems = (word, word.removesuffix("'s"), word.removesuffix("s"), word.removesuffix("ly"))
    return len(word) == 1 or any(stem in _plain() for stem in stems)


def counts_market(segment: Segment, item: Item) -> bool:
    """Whether what follows a number is of the world that moves markets, or nobody knows it."""
    for other in after(segment, item.place, 3):
        if other.value == ":":
            return False
        if other.kind in ("topic", "label", "ref", "span", "ago") or other.value in _listed(
            "world"
        ):
            return True
        if other.kind == "word" and not harmless(other.value):
            return True
        if other.kind == "word" and (_thing(other.value) or _thing(other.value[:-1])):
            return False
    return False


def names_a_thing(segment: Segment, item: Item) -> bool:
    """``in two numbers``: what is counted stands behind the number, and is of no market."""
    following = [x for x in after(segment, item.place, 1) if x.kind == "word"]
    return any(harmless(x.value) and x.value not in _listed("grammar") for x in following)


def of_the_speaker(segment: Segment) -> bool:
    """``my houseplants are calmer``: of a person's own things, and of no market."""
    mine = any(x.value in cues("closed.speaker") - {"we", "our"} for x in segment.items[:2])
    priced = any(x.value in _PAID and x.value != "bare" for x in segment.of("num"))
    return mine and not priced and not segment.of("topic", "ref", "label")


def _thing(word: str) -> bool:
    """Whether a word names something of no market, whose own rise and fall is no claim."""
    return word in _listed("things") or word.removesuffix("s") in _listed("things")


def of_a_thing(segment: Segment, i: int) -> bool:
    """``the sun rose``, ``lift a cup``: what moves, or is moved, is of no market."""
    if segment.of("num", "ref") or any(x.kind == "topic" for x in segment.items[:i]):
        return False
    mover = next((x for x in before(segment, i, 4) if _thing(x.value)), None)
    moved = next((x for x in after(segment, i, 3) if _thing(x.value)), None)
    return mover is not None or moved is not None


def closed_world(case: Case, sentence: Sentence) -> None:
    """Reject the first word of a sentence that may claim something nobody knows."""
    if case.content_type != "price":
        return
    echoed = _echoes(case, sentence)
    if echoed is not None:
        if echoed.kind != "past":
            case.reject("claim", echoed, "the headline does not say so")
        return
    worldly = _worldly(case, sentence)
    market = worldly or any(item.kind in cues("closed.market") for item in sentence.items())
    for segment in sentence.segments:
        cause = _cause(case, segment) if market else None
        if cause is not None:
            case.reject("claim", cause, "no fact tells why")
            return
        for item in segment.items:
            why = "" if item.done else _why(case, segment, item, worldly=worldly, market=market)
            why = why or (_acted(case, segment, item) if market else "")
            if why:
                case.reject("claim", item, why)
                return


def retold(case: Case, sentence: Sentence) -> None:
    """Set aside the headline's own words in a sentence that names its source and adds none."""
    echoed = _echoes(case, sentence)
    headline = case.known.facts.headline
    if echoed is None or echoed.kind != "past" or headline is None:
        return
    told = _told(f"{headline.title} {headline.source}")
    for item in sentence.items():
        words = [word.strip("\"'.,:;!?()") for word in case.quote(item).lower().split()]
        ours = item.kind != "num" and all(w[:5] in told or w in _listed("grammar") for w in words)
        item.done = item.done or ours


def _told(text: str) -> set[str]:
    return {word.strip("\"'.,:;!?()")[:5] for word in text.lower().split()}


def _echoes(case: Case, sentence: Sentence) -> Item | None:
    """The first word of a retold headline that is not the headline's; an item set aside if all are.

    None where the sentence does not name the headline's source.
    """
    headline = case.known.facts.headline
    items = [x for x in sentence.items() if x.kind != "sep"]
    start, end = (items[0].start, items[-1].end) if items else (0, 0)
    if headline is None or not headline.source or headline.source not in case.text[start:end]:
        return None
    told = _told(f"{headline.title} {headline.source}")
    for segment in sentence.segments:
        if any(x.value in cues("closed.speaker") for x in segment.items[:2]):
            continue
        for item in segment.items:
            words = [word.strip("\"'.,:;!?()") for word in case.quote(item).lower().split()]
            said = [
                word for word in words if word[:5] not in told and word not in _listed("grammar")
            ]
            if item.kind in ("word", "neg", "dir", "claim", "super", "modal") and set(said) - cues(
                "closed.reporting"
            ):
                return item
    return Item("past", "", start, end)


def _acted(case: Case, segment: Segment, item: Item) -> str:
    """``holders refuse to sell``: what people do, except shrug and wait, nobody has counted."""
    holders = item.kind == "topic" and case.quote(item).lower() in _HOLDERS
    actor = holders or (item.kind == "word" and item.value in _listed("actors"))
    lead = before(segment, item.place, 2)
    if not actor or item.place > _LEADS or any(x.value in _OBJECT_OF for x in lead):
        return ""
    for other in after(segment, item.place, 4):
        if other.kind != "neg" and other.value in cues("closed.light") | _ABOUT | {
            "having",
            "eating",
        }:
            continue
        calm = _listed("pastimes") | _listed("manner")
        idle = other.kind not in ("word", "neg", "dir") or other.value in calm
        idle = idle or _thing(other.value) or (holders and other.kind == "dir")
        return "" if idle else "the snapshot knows nothing of people"
    return ""


def _worldly(case: Case, sentence: Sentence) -> bool:
    """Whether people, institutions, money, events or a name stand in the sentence."""
    items = [
        item
        for segment in sentence.segments
        if not any(x.value in cues("closed.speaker") for x in segment.items[:2])
        for item in segment.items
    ]
    if any(item.kind in ("word", "rel") and item.value in _listed("world") for item in items):
        return True
    if len(items) > 1 and items[0].kind == "word" and not harmless(items[0].value):
        verb = items[1].value  # "Elon posted": an unknown subject
        acts = verb.endswith(("ed", "s")) and verb not in ("is", "was")
        if items[1].kind == "word" and acts and harmless(verb):
            return True
    return any(
        item.kind == "word" and _named(case, item) and not harmless(item.value)
        for item in items[1:]
    )


def _named(case: Case, item: Item) -> bool:
    """A capital inside a sentence; not after a quotation mark or a colon, nor in capitals all over."""
    lead = case.text[: item.start].rstrip()
    word = case.text[item.start : item.end]
    return word[:1].isupper() and not word.isupper() and lead[-1:] not in tuple('"“:.!?(—–-\n')


def _why(case: Case, segment: Segment, item: Item, *, worldly: bool, market: bool) -> str:
    """Why a word cannot stand; empty where it can."""
    if item.kind != "word":
        return ""
    led = before(segment, item.place, 1)
    if item.value in _listed("actors") and led and led[0].value in ("on", "by", "after", "amid"):
        return "no fact tells why"
    if item.value in _listed("deals") and market:
        own = any(x.value in cues("closed.speaker") for x in list(case.sentence.items())[:2])
        own = own and not case.sentence.has("topic")
        return (
            "" if own or _harmless_deal(case, segment, item) else "the snapshot knows of no deals"
        )
    if harmless(item.value) or not market or _tagged(case, item):
        return ""
    following = after(segment, item.place, 1)
    if following and following[0].kind == "dir" and item.value.endswith(("ed", "ing", "s")):
        return "no rule knows what it says of the market"
    if worldly or _reason(segment, item) or _predicate(segment, item):
        return "no rule knows what it says of the market"
    return ""


def _cause(case: Case, segment: Segment) -> Item | None:
    """The first word of a reason: ``because traders sell``, ``amid worries``; not ``amid extreme fear``."""
    lead = case.text[: segment.items[0].start].rstrip().lower()
    if lead.endswith("because"):
        return segment.items[0]
    if lead.endswith("amid"):
        return next(
            (x for x in segment.items if x.kind == "word" and x.value not in _listed("grammar")),
            None,
        )
    return None


def _tagged(case: Case, item: Item) -> bool:
    tag = case.text[max(0, item.start - 30) : item.start].rpartition("#")
    return bool(tag[1]) and (not tag[2] or tag[2].isalnum())


def _harmless_deal(case: Case, segment: Segment, item: Item) -> bool:
    """A deal at a printed price, or one of the reader's own."""
    if any(x.value in cues("closed.speaker") for x in segment.items):
        return True
    if item.value in ("worth", "costs", "cost"):
        following = " ".join(x.value for x in after(segment, item.place, 2)).split()
        if following and (following[0].endswith("ing") or following[-1] in cues("closed.worth_it")):
            return True
    if any(x.kind == "past" and x.value[:1].isdigit() for x in segment.items):
        return True
    thing = any(_thing(x.value) for x in after(segment, item.place, 6))
    coin = any(x.kind in ("topic", "past") for x in segment.items[: item.place])
    if thing and coin and item.value.startswith("buy"):
        return False  # "one bitcoin buys two houses"
    priced = any(
        x.kind == "num" and x.value in _PAID
        for x in (case.sentence.items() if thing else segment.items)
    )
    return priced and not any(x.value in _listed("actors") for x in segment.items)


def _reason(segment: Segment, item: Item) -> bool:
    """``as traders wait``, ``amid worries``, ``on hopes``: what may be a cause."""
    if segment.intro in ("as", "after") or (segment.intro == "with" and item.place <= 1):
        return True
    led = before(segment, item.place, 2)
    return any(x.value in ("on", "by") and x.place == item.place - 1 for x in led) and bool(
        segment.of("dir", "num")
    )


def _predicate(segment: Segment, item: Item) -> bool:
    """The verb or adjective of the market: ``Bitcoin frobs``, ``the price is unfair``."""
    for other in before(segment, item.place, 4):
        if other.kind == "topic":
            if other.value == "halving" and item.value in ("cut", "cuts", "halved", "halves"):
                return False
            return other.value != "btc" or _market_itself(other)
        if other.kind == "ref" and other.value == "ath":
            return True
        if other.kind == "num" or other.value == "of":
            continue
        if other.kind not in ("word", "span", "neg") or other.value not in cues("closed.light"):
            return segment.items[0].value in _REFERS and other.place == 0 and item.place <= 2
    return False


def _market_itself(topic: Item) -> bool:
    return not any(topic.end - topic.start == len(soft) for soft in ("chart", "charts", "tape"))
