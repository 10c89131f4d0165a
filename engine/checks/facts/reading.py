"""From a text to tokens: folded to plain characters, each still knowing where it stood.

Hostile or merely fancy writing is undone first (facts: reliability-and-security §5.2): full-width
and mathematical digits, typographic minus signs, zero-width characters, accents. What cannot be
read for certain (a number broken up by hidden characters, letters of another script) is reported,
because what cannot be read cannot be proved.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["word", "digits", "mark", "emoji", "odd", "line", "url"]

_THIN = "\u00a0\u2006\u2007\u2008\u2009\u200a\u202f"
_PLAIN = {
    **dict.fromkeys("\u2010\u2011\u2212\ufe63\uff0d", "-"),
    **dict.fromkeys("\u2012\u2013", "–"),
    **dict.fromkeys("\u2014\u2015", "—"),
    **dict.fromkeys("\u2018\u2019\u02bc\u2032`´", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"'),
    **dict.fromkeys(_THIN, "\u00a0"),
    **dict.fromkeys("Δ∆", " "),
    "\r": "\n",
    "\u2028": "\n",
    "\u2029": "\n",
    "\t": " ",
}
_LATIN_END = 0x24F
_TOKEN = re.compile(
    r"(?P<url>https?://\S+)"
    r"|(?P<digits>\d+(?:[.,\u00a0]\d+)*|(?<![\w.])\.\d+)"
    r"|(?P<word>[a-z]+(?:'[a-z]+)*)"
    r"|(?P<line>\n+)"
    r"|(?P<mark>[^\s])"
)
_TAG_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+(?:[kKmMbB](?![a-z]))?")


@dataclass(frozen=True, slots=True)
class Token:
    """``text`` is folded to lower case; ``start``/``end`` are offsets into the original text.

    ``spaced``: white space (or the start of the text) stands before it. ``tag``: inside a hashtag.
    """

    text: str
    kind: Kind
    start: int
    end: int
    spaced: bool
    raw: str
    tag: bool = False


@dataclass(slots=True)
class Reading:
    """Tokens of a text, and the places that could not be read: (start, end, why)."""

    tokens: list[Token] = field(default_factory=list)
    unreadable: list[tuple[int, int, str]] = field(default_factory=list)


def read(text: str) -> Reading:
    """Fold and split ``text``; linear in its length."""
    reading = Reading()
    cased, places = _fold(text, reading)
    lowered = "".join(char.lower() if len(char.lower()) == 1 else char for char in cased)
    whole = "".join(cased)
    previous_end = -1
    in_tag_until = -1
    for match in _TOKEN.finditer(lowered):
        kind: Kind = match.lastgroup  # type: ignore[assignment]
        first, last = match.span()
        spaced = first != previous_end or first == 0
        raw = whole[first:last]
        previous_end = last
        if kind == "mark":
            kind = _mark_kind(raw)
        tag = first < in_tag_until
        if kind == "mark" and raw == "#":
            in_tag_until = _tag_end(lowered, last)
        parts = _parts(raw) if kind == "word" and tag else [(0, len(raw))]
        for begin, end in parts:
            reading.tokens.append(
                Token(
                    match.group()[begin:end],
                    kind,
                    places[first + begin],
                    places[first + end - 1] + 1,
                    (spaced and begin == 0) or begin > 0,
                    raw[begin:end],
                    tag,
                )
            )
    return reading


def _fold(text: str, reading: Reading) -> tuple[list[str], list[int]]:
    """Plain characters and, for each, the offset of the character it came from."""
    cased: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        if char < "\x7f":
            cased.append(_PLAIN.get(char, char) if char >= " " or char in "\n\r\t" else " ")
            places.append(place)
            continue
        category = unicodedata.category(char)
        if category in ("Cf", "Mn", "Me", "Cc", "Cn", "Co", "Cs"):
            _hidden(text, place, char, category, cased, reading)
            continue
        folded = _PLAIN.get(char) or _compatible(char, category)
        if category in ("Nl", "No") or (folded.isalpha() and ord(folded[0]) > _LATIN_END):
            what = "a number written as a symbol" if category in ("Nl", "No") else "another script"
            reading.unreadable.append((place, place + 1, f"it is {what}"))
        for plain in folded:
            cased.append(plain)
            places.append(place)
    return cased, places


def _hidden(
    text: str, place: int, char: str, category: str, cased: list[str], reading: Reading
) -> None:
    """A character nobody sees: dropped, but not where it stands inside a number."""
    if not cased or not (cased[-1].isdigit() or cased[-1] in "$.,-+%"):
        return
    following = text[place + 1 : place + 2]
    selector = char in "\ufe0e\ufe0f"
    if (
        char == "\u20e3"
        or (category in ("Mn", "Me") and not selector)
        or following.isdigit()
        or following in tuple(".,%")
    ):
        reading.unreadable.append((place, place + 1, "a hidden character stands in a number"))


def _compatible(char: str, category: str) -> str:
    if category == "Nd":
        return str(unicodedata.digit(char))
    if category[0] != "L":
        return unicodedata.normalize("NFKC", char)
    plain = unicodedata.normalize("NFKD", char)
    bare = "".join(c for c in plain if unicodedata.category(c) not in ("Mn", "Me", "Cf"))
    return bare or char


def _mark_kind(raw: str) -> Kind:
    category = unicodedata.category(raw[0])
    if category in ("Nd", "Nl", "No") or (category[0] == "L" and not raw.isascii()):
        return "odd"
    return "emoji" if category == "So" or (category == "Sm" and raw in "←↑→↓↔↗↘⬆⬇") else "mark"


def _tag_end(lowered: str, start: int) -> int:
    end = start
    while end < len(lowered) and (lowered[end].isalnum() or lowered[end] == "_"):
        end += 1
    return end


def _parts(raw: str) -> list[tuple[int, int]]:
    """``BitcoinNews`` is two words; ``BTC`` and ``bitcoin`` are one."""
    spans = [match.span() for match in _TAG_PART.finditer(raw)]
    return (
        spans if spans and sum(end - begin for begin, end in spans) == len(raw) else [(0, len(raw))]
    )


def text_at(tokens: Sequence[Token], i: int) -> str:
    """The text of token ``i``; nothing past the ends."""
    return tokens[i].text if 0 <= i < len(tokens) else ""


def glued_at(tokens: Sequence[Token], i: int) -> bool:
    """Whether token ``i`` follows the one before without white space."""
    return 0 <= i < len(tokens) and not tokens[i].spaced


def kind_at(tokens: Sequence[Token], i: int) -> str:
    """The kind of token ``i``; nothing past the ends."""
    return tokens[i].kind if 0 <= i < len(tokens) else ""
