"""The order in which a text's items are judged."""

from __future__ import annotations

from engine.checks.facts.case import Case
from engine.checks.facts.changes import SIGNS
from engine.checks.facts.closed import (
    closed_world,
    counts_market,
    names_a_thing,
    of_the_speaker,
    retold,
)
from engine.checks.facts.constants import idioms, quoted, source_named
from engine.checks.facts.derivations import derived
from engine.checks.facts.distances import distances, role_here
from engine.checks.facts.fees import fee_boards, fee_rates
from engine.checks.facts.guards import blocked, foreign, leftovers, negations
from engine.checks.facts.items import (
    Item,
    Segment,
    Sentence,
    itemise,
    join_arrows,
    join_hyphens,
    sentences,
)
from engine.checks.facts.known import LEVELS, SPANS
from engine.checks.facts.levels import REFS
from engine.checks.facts.loose import number
from engine.checks.facts.mood import mood
from engine.checks.facts.network import blocks, halving_time
from engine.checks.facts.pairs import money_pairs
from engine.checks.facts.reading import Token, read
from engine.checks.facts.remarks import remarks
from engine.checks.facts.senses import settle
from engine.checks.facts.spans import claims_something, free_spans, trailing
from engine.checks.facts.times import judge_times
from engine.checks.facts.values import value_first

_PRONOUNS = {"it", "it's", "that", "that's", "this", "its", "which", "they", "these", "those"}
_NO = {"no", "nope", "nah", "not", "hardly", "never", "negative", "almost", "nearly"}
_REFUTES = {"facts.direction", "facts.relation", "facts.number", "facts.negation"}
_OLD = {"old", "previous", "former", "the top", "top", "peak", "last"}
_ASKED = 1
_FEW = 12
_NO_MARKET = ("block", "supply", "halving", "diff", "fng")


def judge(case: Case) -> None:
    """Fill ``case`` with the findings and proofs of its text."""
    reading = read(case.text)
    for start, end, why in reading.unreadable:
        case.reject("unreadable", Item("odd", "", start, end), why)
    tokens = [token for token in reading.tokens if not _own_url(case, token)]
    tokens = join_hyphens(join_arrows(tokens))
    headline = case.known.facts.headline
    aside = idioms(tokens, case.content_type) | quoted(tokens, headline, case.content_type)
    aside |= source_named(tokens, headline)
    items = itemise(tokens, frozenset(aside))
    fee_boards(case, items)
    found = sentences(items)
    _round_levels_of(case, found)
    case.sized = {x.value for s in found for x in s.items() if x.kind == "topic"} & {
        "cap",
        "volume",
    }
    case.of_record = any(sentence.has("ref", "ath") for sentence in found)
    pending = ""
    for k, sentence in enumerate(found):
        if k + 1 < len(found) and _asks(case, sentence) and _denies(found[k + 1]):
            _denied_question(case, sentence)
            found[k + 1].segments[0].items[0].done = True
        else:
            items = list(sentence.items())
            if not (_asks(case, sentence) and len(items) <= _ASKED):
                pending = _sentence(case, sentence, pending)
            topic = bool(items) and items[0].kind == "topic" and _asks(case, sentence)
            case.asked = items[0].value if topic else ""


def _sentence(case: Case, sentence: Sentence, pending: str) -> str:
    """Judge one sentence; the horizon it sets for the next, if it is a mere heading."""
    _rhetorical(case, sentence)
    settle(case, sentence)
    _open(case, sentence, pending)
    market = case.content_type == "price" or _about_market(sentence)
    retold(case, sentence)
    _respective(case, sentence)
    _counts_things(sentence)
    for k, segment in enumerate(sentence.segments):
        _segment(case, sentence, k, segment, market=market)
    if market:
        foreign(case, sentence)
    if sentence.has("topic", "halving"):
        halving_time(case, sentence)
    leftovers(case, sentence)
    closed_world(case, sentence)
    claimless = not any(claims_something(segment) for segment in sentence.segments)
    return _header(sentence) if claimless else ""


def _round_levels_of(case: Case, found: list[Sentence]) -> None:
    """Coarse dollar levels the text names, and those from which it measures."""
    price = case.known.level("price")
    if not price:
        return
    numbers = [x for sentence in found for x in sentence.items() if x.kind == "num" and x.number]
    money = [x.number for x in numbers if x.value in ("usd", "bare") and x.number]
    near = [n for n in money if 0.75 * price <= n.value <= 1.3 * price and n.value % 500 == 0]
    case.rounds = [n.value for n in near if not n.equals(price) or n.value % 1000 == 0]
    for item in numbers:
        if item.value in ("share", "bare") and case.quote(item).lower() in ("five", "six", "seven"):
            case.rounds.append(10.0 ** (5 if item.number and item.number.value == 6 else 4))
    for level in case.rounds:
        ends = [x for x in (price, case.known.level("high"), case.known.level("low")) if x]
        gaps = [abs(end - level) for end in ends]
        if any(
            n.value < 0.25 * price and abs(n.value - gap) <= 0.02 * gap
            for n in money
            for gap in gaps
        ):
            case.measured.add(level)


def _asks(case: Case, sentence: Sentence) -> bool:
    end = max((item.end for item in sentence.items()), default=len(case.text))
    return case.text[end : end + 3].lstrip().startswith("?")


def _denies(sentence: Sentence) -> bool:
    """``No.``, ``Not quite: …`` in answer to a question."""
    first = next(sentence.items(), None)
    return first is not None and (first.kind == "neg" or first.value in _NO)


def _denied_question(case: Case, sentence: Sentence) -> None:
    """``Is it at a record? No.``: true if the snapshot proves the question's claim false."""
    asked = Case(case.text, case.known, case.content_type)
    _sentence(asked, sentence, "")
    case.last_ref, case.subject = asked.last_ref, asked.subject
    refuted = [
        x
        for x in asked.findings
        if x.rule in _REFUTES and "know" not in x.message and "no fact" not in x.message
    ]
    if len(refuted) < len(asked.findings) or not refuted:
        case.findings += [x for x in asked.findings if x not in refuted]
        first = next(sentence.items())
        if not asked.findings and asked.proofs:
            case.reject("negation", first, "the snapshot proves what is denied")


def _own_url(case: Case, token: Token) -> bool:
    headline = case.known.facts.headline
    return token.kind == "url" and headline is not None and token.raw == headline.url


def _rhetorical(case: Case, sentence: Sentence) -> None:
    """``Isn't it funny how it dropped?``: a question that denies asks for a yes."""
    first = next(sentence.items(), None)
    denied = first is not None and first.kind == "neg" and _asks(case, sentence)
    if first is not None and denied and case.quote(first).lower().endswith("n't"):
        first.done, first.kind = True, "past"


def _open(case: Case, sentence: Sentence, pending: str) -> None:
    """What a sentence takes over from the one before it."""
    items = list(sentence.items())
    case.sentence, case.span, case.spans, case.relation = sentence, pending, set(), ""
    case.against, case.ago = "", None
    spoken = {item.value for item in items if item.kind == "ref"} & set(REFS)
    old = any(case.quote(x).lower() in _OLD for x in items)
    proved = {name for name in REFS if any(LEVELS[name][0] in p.fact for p in case.proofs)}
    case.spoken = spoken | proved | case.before | ({"ath"} if old and "high" in spoken else set())
    case.before = spoken
    if not sentence.soft and not (items and items[0].value in _PRONOUNS):
        case.subject = case.asked or "btc"
    answers = any(item.value == "pct" for item in items[:3]) and not sentence.has("topic")
    if not answers:  # "Is it down? Yes, 2.3%."
        case.way = 0


def _about_market(sentence: Sentence) -> bool:
    return any(
        (item.kind == "topic" and item.value not in _NO_MARKET)
        or (item.kind == "num" and item.value in ("usd", "pct"))
        for item in sentence.items()
    )


def _header(sentence: Sentence) -> str:
    """``This week in Bitcoin:`` sets the horizon of the sentence after it."""
    spans = [span for segment in sentence.segments for span in free_spans(segment)]
    return spans[-1].value if spans else ""


def _respective(case: Case, sentence: Sentence) -> None:
    """``down on the day and the week: 3.33% and 8.05% respectively``."""
    words = [item for item in sentence.items() if item.value == "respectively"]
    shares = [item for item in sentence.items() if item.kind == "num" and item.value == "pct"]
    spans = [item for item in sentence.items() if item.kind == "span" and item.value in SPANS]
    ways = [SIGNS[x.value] for x in sentence.items() if x.kind == "dir" and x.value in SIGNS]
    listed = bool(spans and shares) and max(x.end for x in spans) < min(x.start for x in shares)
    if not (words or listed) or len(shares) != len(spans) or len(shares) < 2:
        return
    ways = ways * len(shares) if len(ways) == 1 else ways
    signs = ways if len(ways) == len(shares) else [0] * len(shares)
    for item, span, way in zip(shares, spans, signs, strict=True):
        change, number = case.known.change(span.value), item.number
        good = change is not None and number is not None and number.equals(change)
        sign = (number.sign if number else 0) or way
        if good and change is not None and sign:
            good = change * sign > 0
        span.done = True
        said = case.known.change_text(span.value)
        case.judge(good, "number", item, f"change over {span.value}", SPANS[span.value], said)


def _counts_things(sentence: Sentence) -> None:
    """``two coffees in``, ``room for two``: small numbers in words that count no data."""
    rates = any(x.value.startswith(("figure", "digit")) for x in sentence.items())
    rates = (
        rates
        or sentence.has("num", "feerate")
        or sentence.has("topic", "fees", "fng", "halving", "block")
    )
    for segment in sentence.segments:
        own = of_the_speaker(segment)
        for item in segment.of("dir") if own else ():
            item.done = True
        claims = segment.of("dir", "mult", "ref") and not own
        for item in segment.of("num") if not rates else ():
            number = item.number
            small = number is not None and number.worded and number.value <= _FEW
            counted = not claims or names_a_thing(segment, item)
            if small and item.value == "bare" and counted and not counts_market(segment, item):
                item.done = True


def _segment(case: Case, sentence: Sentence, k: int, segment: Segment, *, market: bool) -> None:
    _take_subject(case, segment)
    if segment.intro == "but":
        case.span = ""
    later, spans = trailing(sentence, k), free_spans(segment)
    if later and not spans:
        case.span = later
    if segment.of("modal") and segment.of("ref"):
        value_first(case, sentence, segment)  # what the record would still take
    if market and blocked(case, sentence, segment):
        return
    _elliptic_percent(case, sentence, k, segment)
    derived(case, sentence, segment)
    value_first(case, sentence, segment)
    negations(case, segment)
    judge_times(case, sentence, segment)
    fee_rates(case, sentence, segment)
    mood(case, sentence, segment)
    blocks(case, sentence, segment)
    money_pairs(case, sentence, segment)
    distances(case, segment)
    for item in segment.of("num"):
        if not item.done:
            number(case, sentence, segment, item)
    if market:
        remarks(case, segment)
    if spans:
        case.span = spans[-1].value
        alone = spans[-1].kind == "ago" and not claims_something(segment)
        case.ago = spans[-1] if alone and spans[-1].value in SPANS else None
    _remember(case, segment)


def _elliptic_percent(case: Case, sentence: Sentence, k: int, segment: Segment) -> None:
    """``half a percent better on the day, a little over three on the week``: three percent."""
    numbers, spans = segment.of("num"), free_spans(segment)
    led = [x for earlier in sentence.segments[:k] for x in earlier.of("num")]
    plain = len(numbers) == 1 and numbers[0].value == "bare" and not segment.of("topic", "ref")
    span = spans[0].value if spans else case.span
    small = plain and numbers[0].number is not None and numbers[0].number.value < 100
    if small and span in SPANS and led and led[-1].value == "pct":
        numbers[0].value = "pct"
        case.way = case.way if segment.of("dir") == [] else 0


def _remember(case: Case, segment: Segment) -> None:
    """What ``it`` and a bare ``18.3% on the week`` later in the sentence refer to."""
    for ref in segment.of("ref"):
        case.last_ref = role_here(segment, ref) or case.last_ref
    if any(item.value == "against" for item in segment.of("rel")) or (
        segment.items[0].value == "from"
    ):
        case.against = case.last_ref if segment.of("ref") else ""
    ways = {SIGNS[item.value] for item in segment.of("dir") if item.value in SIGNS}
    ways |= {item.number.sign for item in segment.of("num") if item.number and item.number.sign}
    if len(ways) == 1:
        case.way = ways.pop()


def _take_subject(case: Case, segment: Segment) -> None:
    """The first topic of a segment is what it is about, unless it is led in by ``with``."""
    topics = segment.of("topic")
    if len(topics) > 1 and case.quote(topics[0]).lower() in ("mood", "crowd"):
        topics = topics[1:]  # "Sunday mood: Bitcoin at ..."
    if not topics and segment.of("label"):
        case.subject = "fng"  # "Neutral, at 47, and rising"
    if segment.intro == "with" or not topics:
        return
    case.subject = topics[0].value
    if topics[0].value == "btc" and len(topics) > 1:
        case.subject = _possessed(segment, topics[0])


def _possessed(segment: Segment, item: Item) -> str:
    """``Bitcoin's market cap``, ``Bitcoin fees``: the noun that follows is the subject."""
    for k, other in enumerate(segment.items[segment.index(item) + 1 :][:2]):
        if other.kind == "topic":
            return other.value
        if other.kind not in ("span", "word") or k:
            break
    return "btc"
