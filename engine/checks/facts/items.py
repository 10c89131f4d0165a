"""From tokens to items: numbers, words that claim something, separators, plain words.

A text becomes sentences, a sentence segments: the stretch in which a number finds its role, its
direction and its horizon.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from engine.checks.facts.dates import MONTHS
from engine.checks.facts.numbers import Number, number_at
from engine.checks.facts.reading import Token
from engine.checks.facts.words import EMOJI, Sense, lexicon, superlative

_ENDS = {".", "!", "?", ";", "|", "•", "·", "‣", "▪"}
_ABBREVIATIONS = {"vs", "approx", "ca", "circa", "u", "s", "no", "mt", "st", "jan", "feb", "dec"}
_PICTURE = "picture"
"""A neutral emoji: it parts sentences as a bullet does."""
_ALSO_VERBS = {"may", "march", "mar", "sep", "jan", "jun"}
_DASHES = {"-", "–", "—"}
_SLANTED = set("↗↘➘➚⬊⬈⤵⤴")
_ARROWS = {"→", "➡", "⇒", "⟶", "➜", "»", "⮕", "➔"}
SPAN_UNITS = {"minutes", "hours", "days", "weeks", "months", "years"}
_KNOWN_SPANS = {
    ("minutes", 60.0): "1h", ("hours", 1.0): "1h", ("hours", 24.0): "24h", ("days", 1.0): "24h",
    ("hours", 168.0): "7d", ("days", 7.0): "7d", ("weeks", 1.0): "7d",
}  # fmt: skip


@dataclass(slots=True)
class Item:
    """``kind``: ``num``, ``emoji``, ``sep``, ``word``, ``past`` (set aside) or a kind of Sense.

    ``start``/``end``: offsets in the original text. ``done``: something has judged it. ``place``:
    index in its segment.
    """

    kind: str
    value: str
    start: int
    end: int
    size: str = ""
    number: Number | None = None
    done: bool = False
    senses: tuple[Sense, ...] = ()
    spaced: bool = True
    place: int = 0

    @property
    def amount(self) -> Number:
        """The number of an item of kind ``num``."""
        assert self.number is not None  # noqa: S101
        return self.number

    @property
    def digits(self) -> int:
        """The printed number without its point: 10 and more for two digits."""
        number = self.number
        return round(number.value / number.grain) if number and number.grain > 0 else 0

    def turn_into(self, sense: Sense) -> None:
        self.kind, self.value, self.size = sense.kind, sense.value, sense.size


@dataclass(slots=True)
class Segment:
    """A stretch of one sentence. ``intro``: what led into it (``,`` ``and`` ``but`` ``with`` …)."""

    items: list[Item]
    intro: str = ""

    def of(self, *kinds: str) -> list[Item]:
        return [item for item in self.items if item.kind in kinds]

    def index(self, item: Item) -> int:
        return item.place


@dataclass(slots=True)
class Sentence:
    """``soft``: only an emoji parts it from the one before, so its subject carries over."""

    segments: list[Segment] = field(default_factory=list)
    soft: bool = False

    def items(self) -> Iterator[Item]:
        for segment in self.segments:
            yield from segment.items

    def has(self, kind: str, *values: str) -> bool:
        return any(
            item.kind == kind and (not values or item.value in values) for item in self.items()
        )


def join_arrows(tokens: Sequence[Token]) -> list[Token]:
    """``->``, ``-->`` and ``=>`` are one sign."""
    kept: list[Token] = []
    for token in tokens:
        if token.text == "↔" and kept and kept[-1].kind in ("digits", "word"):
            token = replace(token, text="–", kind="mark")
        if token.text == ">" and not token.spaced and kept and kept[-1].text in ("-", "=", "–"):
            while len(kept) > 1 and kept[-1].text == kept[-2].text == "-" and not kept[-1].spaced:
                kept.pop()
            token = replace(
                token, text="→", kind="emoji", start=kept[-1].start, spaced=kept.pop().spaced
            )
        kept.append(token)
    return kept


def join_hyphens(tokens: Sequence[Token]) -> list[Token]:
    """``24-hour`` and ``all-time`` read as their words; ranges of numbers keep their dash."""
    kept: list[Token] = []
    for i, token in enumerate(tokens):
        if token.text == "-" and kept and i + 1 < len(tokens):
            left, right = kept[-1], tokens[i + 1]
            glued = not token.spaced and not right.spaced
            if (
                glued
                and left.text in ("sub", "near", "mid")
                and (right.text == "$" or right.kind == "digits")
            ):
                continue
            if glued and left.kind in ("word", "digits") and right.kind == "word" and left.text:
                continue
            if glued and left.kind == "word" and right.kind == "digits" and not _scaled(kept):
                continue
        kept.append(token)
    return kept


def _scaled(kept: list[Token]) -> bool:
    return len(kept) > 1 and kept[-2].kind == "digits" and not kept[-1].spaced


def itemise(tokens: Sequence[Token], aside: frozenset[int]) -> list[Item]:
    """Items of the tokens; those whose index is in ``aside`` (idioms, quotes) claim nothing."""
    items: list[Item] = []
    rated = any(token.text in ("vb", "vbyte", "fee", "fees") for token in tokens)
    i = 0
    while i < len(tokens):
        if i in aside:
            items.append(_plain(tokens, i, "past"))
            i += 1
            continue
        number, phrase = _number(tokens, i, aside), _phrase(tokens, i, aside)
        # "half an hour" is no half
        found = phrase if phrase and (number is None or phrase[1] > number[1]) else number
        if rated and phrase and phrase[0].kind == "fee" and number and phrase[1] == number[1]:
            found = phrase  # "fast 12, 30m 9 sat/vB"
        if found is None:
            items.append(_simple(tokens, i))
            i += 1
        else:
            item, i = found
            items.append(item)
    return _ways(items)


def _ways(items: list[Item]) -> list[Item]:
    """``$55.1K ➘ $49.9K``: an arrow between two amounts leads from one to the other."""
    for left, item, right in zip(items, items[1:], items[2:], strict=False):
        amounts = left.value in ("usd", "bare") and right.value == left.value
        if item.kind == "emoji" and item.size == "arrow" and amounts:
            item.kind, item.value, item.size = "rel", "to", f"arrow {item.value}"
    return items


def _plain(tokens: Sequence[Token], i: int, kind: str) -> Item:
    token = tokens[i]
    return Item(kind, token.text, token.start, token.end, spaced=token.spaced)


def _simple(tokens: Sequence[Token], i: int) -> Item:
    token = tokens[i]
    if token.kind == "emoji" and token.text not in _ARROWS:
        value = EMOJI.get(token.text)
        size = "arrow" if token.text in _SLANTED else ""
        return Item("emoji" if value else "sep", value or _PICTURE, token.start, token.end, size)
    if token.text in _ARROWS:
        return Item("rel", "to", token.start, token.end, "arrow")
    certain = token.text not in _ALSO_VERBS or token.raw != token.text
    if _bare(token.text) in MONTHS and len(token.text) > 2 and certain:
        return Item("span", f"other:{_bare(token.text)}", token.start, token.end)
    if token.kind == "word" and token.text.endswith("est") and superlative(token.text):
        return Item("super", "unprovable", token.start, token.end)
    return _plain(tokens, i, "sep" if token.kind in ("mark", "line") else token.kind)


def _number(tokens: Sequence[Token], i: int, aside: frozenset[int]) -> tuple[Item, int] | None:
    number = number_at(tokens, i)
    if number is None or any(k in aside for k in range(number.first, number.last)):
        return None
    lone = number.worded and tokens[i].text == "one" and number.unit == "bare"
    rate = any(x.text in ("vb", "vbyte") for x in tokens) and _next(tokens, i) in ("if", "when")
    if lone and number.value == 1 and not rate:
        return None  # "a slow one", "the one"
    start, end = tokens[i].start, tokens[number.last - 1].end
    last = number.last
    if number.unit in SPAN_UNITS and number.sign == 0:
        span = _KNOWN_SPANS.get((number.unit, number.value), "")
        after = tokens[last].text if last < len(tokens) else ""
        if after in ("ago", "earlier"):
            item = Item("ago", span or "other", start, tokens[last].end, number=number)
            return item, last + 1
        name = f"{number.value:g} {number.unit}"
        return Item("span", span or f"other:{name}", start, end, number=number), last
    return Item("num", number.unit, start, end, number=number, spaced=tokens[i].spaced), last


def _next(tokens: Sequence[Token], i: int) -> str:
    return tokens[i + 1].text if i + 1 < len(tokens) else ""


def _phrase(tokens: Sequence[Token], i: int, aside: frozenset[int]) -> tuple[Item, int] | None:
    token = tokens[i]
    if token.kind not in ("word", "mark", "digits"):
        return None
    for entry, senses in lexicon().get(_bare(token.text), ()):
        last = i + len(entry)
        if last > len(tokens) or any(k in aside for k in range(i, last)):
            continue
        if all(_bare(tokens[i + k].text) == word for k, word in enumerate(entry)):
            first = senses[0]
            if first.size == "mood":  # "a rough week": the noun is the horizon, not the mood
                return Item(
                    first.kind, first.value, token.start, token.end, spaced=token.spaced
                ), i + 1
            item = Item(
                first.kind, first.value, token.start, tokens[last - 1].end, first.size,
                senses=senses, spaced=token.spaced,
            )  # fmt: skip
            return item, last
    if token.tag:
        return _run_together(token, i)
    return None


def _bare(word: str) -> str:
    """Without the 's of ``today's``; ``isn't`` stays."""
    return word[:-2] if word.endswith("'s") else word


def _run_together(token: Token, i: int) -> tuple[Item, int] | None:
    """#bitcoincrash: a claim after the coin's name."""
    for prefix in ("bitcoin", "btc", "crypto"):
        rest = token.text.removeprefix(prefix)
        if rest != token.text and rest:
            for entry, senses in lexicon().get(rest, ()):
                if len(entry) == 1:
                    sense = senses[0]
                    return Item(sense.kind, sense.value, token.start, token.end, sense.size), i + 1
    return None


def sentences(items: Sequence[Item]) -> list[Sentence]:
    """Cut at full stops, bars, bullets and lines; then at commas, conjunctions and dashes."""
    found: list[Sentence] = []
    run: list[Item] = []
    soft = False
    for i, item in enumerate(items):
        if _ends(items, i):
            _close(found, run, soft=soft)
            soft = item.value == _PICTURE
            run = []
        else:
            run.append(item)
    _close(found, run, soft=soft)
    return found


def _close(found: list[Sentence], run: list[Item], *, soft: bool) -> None:
    if run:
        found.append(Sentence(_segments(run), soft))


def _ends(items: Sequence[Item], i: int) -> bool:
    item = items[i]
    if item.kind != "sep":
        return False
    if item.value.startswith("\n"):
        before = items[i - 1] if i else None
        return not (before and before.value == ":")
    if item.value == _PICTURE:
        return True
    if item.value not in _ENDS:
        return False
    return not (item.value == "." and i and items[i - 1].value in _ABBREVIATIONS)


def _segments(run: Sequence[Item]) -> list[Segment]:
    segments: list[Segment] = []
    current = Segment([])
    fresh = True
    for i, item in enumerate(run):
        intro = _intro(run, i)
        if intro is None:
            current.items.append(item)
            fresh = False
            continue
        if not fresh or not segments:
            if current.items:
                segments.append(current)
            current = Segment([], intro)
        elif intro != ",":  # ", but": the word says more than the comma
            current.intro = intro
        fresh = True
    if current.items:
        segments.append(current)
    for segment in segments:
        for place, item in enumerate(segment.items):
            item.place = place
    return segments


def _intro(run: Sequence[Item], i: int) -> str | None:
    item = run[i]
    if item.kind == "conj":
        return None if _inside_pair(run, i) else item.value
    if item.kind == "sep" and item.value == ",":
        return None if _names_again(run, i) else ","
    if item.kind == "sep" and item.value in _DASHES and not _inside_pair(run, i):
        before = i > 0 and run[i - 1].kind == "num"
        return "," if item.spaced or not before else None
    if item.kind == "sep" and item.value == "/" and item.spaced and not _inside_pair(run, i):
        return ","
    return None


def _names_again(run: Sequence[Item], i: int) -> bool:
    """``its all-time high, $108,786, set on``: the number between two commas is that level's."""
    following = run[i + 1 : i + 3]
    if not following or following[0].kind != "num" or following[0].value != "usd":
        return False
    if len(following) > 1 and following[1].value not in (",", ")", "–", "—"):
        return False
    for item in run[max(0, i - 7) : i][::-1]:
        if item.kind in ("num", "sep", "conj", "dir"):
            return False
        if item.kind == "ref":
            return item.value in ("high", "low", "ath")
    return False


def _inside_pair(run: Sequence[Item], i: int) -> bool:
    """``between A and B``, ``A – B``, ``high and low of``: two things of one kind around i."""
    left = run[i - 1] if i else None
    right = next((item for item in run[i + 1 : i + 3] if item.kind not in ("word",)), None)
    if left is None or right is None:
        return False
    if left.kind == "ref" and right.kind == "ref" and left.value != right.value:
        return run[i].value in ("and", "/") and _listed(run, i)
    if left.kind != "num" or right.kind != "num" or left.number is None or right.number is None:
        return False
    if run[i].kind == "conj" and run[i].value == "and":
        before = run[max(0, i - 6) : i]
        led = any(item.kind == "swing" or item.value == "between" for item in before)
        return led or _listed_refs(run, i)
    if run[i].kind == "conj":
        return False
    pair = {left.value, right.value}
    return len(pair) == 1 or ("bare" in pair and pair <= {"usd", "bare", "feerate", "blocks"})


def _listed(run: Sequence[Item], i: int) -> bool:
    """``high and low of A and B``: no number between the two names."""
    after = [item.kind for item in run[i + 1 : i + 10]]
    return after.count("num") >= 2


def _listed_refs(run: Sequence[Item], i: int) -> bool:
    before = run[max(0, i - 10) : i - 1]
    refs = [k for k, item in enumerate(before) if item.kind == "ref"]
    return len(refs) >= 2 and not any(item.kind == "num" for item in before[refs[0] :])
