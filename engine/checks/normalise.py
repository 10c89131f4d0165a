"""A text as its reader takes it in: folded to plain Latin letters, then with disguises undone.

Every view keeps, for each of its characters, the place in the original text, so that a finding
points at what was really written. Folding works character by character and is linear.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class View:
    """``text`` and, for each of its characters, the index in the original."""

    text: str
    origin: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where ``text[start:end]`` came from, as offsets into the original."""
        if not self.origin:
            return 0, 0
        first = self.origin[min(start, len(self.origin) - 1)]
        last = self.origin[min(max(end, start + 1), len(self.origin)) - 1]
        return first, last + 1


# Look-alikes that NFKD leaves alone, as pairs; lower case, upper case follows.
_PAIRS = (
    # Cyrillic
    "аaеeоoрpсcуyхxѕsіiїiјjԁdԛqԝwһhкkмmтtвbнhгrпnԍgӏlьbзeбbчyшwщwґrєeъbыbэeюoяrйnлn"
    # Greek
    "αaβbγyδdεeζzηnθoιiκkλlμuνvξeοoπnρpσsςsτtυuφoχxψwωwϲcϳj"
    # Armenian, Hebrew, Cherokee, Lisu and single oddities
    "օoսuոnցgհhյjԼlտsזlסoᎪaᏴbᏟcᎠdᎬeᏀgᎻhᎥiᎫjᏦkᏞlᎷmᏢpᏒrᏚsᎢtᏙvᎳwᏃzꓮaꓐbꓚcꓓdꓰeꓝfꓖgꓧhꓲiꓙjꓗkꓡl"
    "ꓟmꓠnꓳoꓑpꓣrꓢsꓔtꓴuꓦvꓪwꓫxꓬyꓜz"
    # Latin letters with strokes, small capitals, IPA
    "ıiɩiłløođdħhŧtðdþpƒfɑaɡgɢgʀrʙbᴀaᴄcᴅdᴇeꜰfʜhɪiᴊjᴋkʟlᴍmɴnᴏoᴘpꜱsᴛtᴜuᴠvᴡwʏyᴢzɐaǝeɟfɥhɾrʇtʌvʍwʎyɯm"
    "ƙkɓbɗdɛeǥgɨiʝjɫlɱmɲnɵoƥpʠqɽrʂsƭtʉuʋvƶz"
)
_LOOK_ALIKE = {_PAIRS[i]: _PAIRS[i + 1] for i in range(0, len(_PAIRS), 2)}
_LOOK_ALIKE |= {"ß": "ss", "æ": "ae", "œ": "oe", "×": "x", "€": "e", "£": "l", "¢": "c", "₿": "b"}
_MARKS = {"’": "'", "‘": "'", "‛": "'", "`": "'", "´": "'", "“": '"', "”": '"', "„": '"',
          "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "⁃": "-", "﹣": "-", "‒": "-",
          "․": ".", "。": ".", "｡": ".", "·": ".", "∙": ".", "⋅": ".", "•": ".", "⸱": ".",
          "⁄": "/", "∕": "/", "∶": ":", "ː": ":", "꞉": ":", "؛": ";", "，": ",", "‚": ","}  # fmt: skip
# Boxed and circled capitals have no decomposition of their own.
_BOXED = {
    chr(base + step): chr(ord("a") + step)
    for base in (0x1F130, 0x1F150, 0x1F170, 0x1F1E6)
    for step in range(26)
}


@lru_cache(maxsize=8_192)
def _folded(character: str, keep_case: bool) -> str:
    if character in _MARKS:
        return _MARKS[character]
    if character in _BOXED:
        return _BOXED[character]
    kind = unicodedata.category(character)
    if character in "\n\r" or kind in ("Zl", "Zp"):
        return "\n"
    if kind == "Zs" or character in "\t\v\f":
        return " "
    if kind in ("Cf", "Cc", "Mn", "Me", "Cs") or character in "\u3164\u115f\u1160\uffa0\u2800":
        return ""
    plain = []
    for part in unicodedata.normalize("NFKD", character):
        if unicodedata.category(part) in ("Mn", "Me", "Cf"):
            continue
        part = _MARKS.get(part, part)
        like = _LOOK_ALIKE.get(part) or _LOOK_ALIKE.get(part.lower())
        if like and keep_case and part.isupper():
            like = like.upper()
        plain.append(like or (part if keep_case else part.lower()))
    return "".join(plain)


def fold(text: str, *, keep_case: bool = False) -> View:
    """Compatibility forms, look-alikes and accents folded; invisible characters gone."""
    if text.isascii() and text.isprintable():  # most texts, and then nothing folds but the case
        return View(text if keep_case else text.lower(), tuple(range(len(text))))
    letters: list[str] = []
    origin: list[int] = []
    for place, character in enumerate(text):
        if character.isascii() and character.isprintable():
            letters.append(character if keep_case else character.lower())
            origin.append(place)
            continue
        folded = _folded(character, keep_case)
        letters.append(folded)
        origin += [place] * len(folded)
    return View("".join(letters), tuple(origin))


_LEET = str.maketrans("0134578@$!|+", "oieastbasiit")
_LEET_L = str.maketrans("0134578@$!|+", "oleastbasllt")
# letters with digits or signs among them; a number, a price or a tag is none of these
_LEET_WORD = re.compile(r"[a-z0-9@$!|+]{3,}")
_PLAIN_MIX = re.compile(
    r"[$#@+]?\d[\d]*(?:[a-z]{1,3}|st|nd|rd|th)?[!+]*|[a-z]+[!|+]*|[$#@][a-z]+!*|"
    r"(?:[a-z]|sha|bip|btc|nov|dec)\d+[!+]*"
)
_LETTERS_APART = (
    r"[a-z0-9@$!](?P<gap>[ ._\-*|/~,\"'+=:^]{1,3})[a-z0-9@$!](?:(?P=gap)[a-z0-9@$!])+(?![a-z0-9])"
)
_SPACED = re.compile(rf"(?<![a-z0-9'])(?:{_LETTERS_APART})")
# the same where a word of one letter stands before it: "a g i v e a w a y"
_SPACED_AFTER = re.compile(rf"(?<=\b[ai] )(?:{_LETTERS_APART})")
_SPLIT_WORD = re.compile(
    r"(?<=[a-z@$!])[._\-*|/~'^]{1,2}(?=[a-z0-9@$!])|(?<=\d)[._\-*|/~'^]{1,2}(?=[a-z@$!])"
)
_STRETCHED = re.compile(r"([a-z])\1{2,}")


# each reading costs as much as the text itself
_MOST_VIEWS = 12
# Runs of marks or digits that no reader takes in and no expression should have to walk.
_LONG_RUN = re.compile(r"[^a-z0-9]{13,}|[0-9][0-9.,]{23,}")


def views(text: str) -> list[View]:
    """The folded text first, then every different reading of it with disguises undone.

    Undone are: letters written as digits or signs, letters spaced or punctuated apart, words
    split by marks, letters repeated.
    """
    readings = [_replace(fold(text), _LONG_RUN, _shorten)]
    for step in (_join, _join_after, _leet, _leet_l, _squeeze_two, _squeeze_one):
        for reading in list(readings):
            if len(readings) >= _MOST_VIEWS:
                break
            changed = step(reading)
            if changed.text != reading.text and all(changed.text != r.text for r in readings):
                readings.append(changed)
    return readings


def _shorten(run: str) -> str:
    return run[:6] + "\0" * (len(run) - 12) + run[-6:]


def _replace(view: View, pattern: re.Pattern[str], new: Callable[[str], str]) -> View:
    """Replace matches; ``new`` answers as many characters as it gets, NUL for each to drop."""
    matches = list(pattern.finditer(view.text))
    if not matches:
        return view
    letters = list(view.text)
    for match in matches:
        letters[match.start() : match.end()] = new(match[0])
    kept = [place for place, letter in enumerate(letters) if letter != "\0"]
    return View(
        "".join(letters[place] for place in kept), tuple(view.origin[place] for place in kept)
    )


def _join(view: View) -> View:
    joined = _replace(view, _SPACED, _close_up)
    return _replace(joined, _SPLIT_WORD, lambda marks: "\0" * len(marks))


def _join_after(view: View) -> View:
    return _replace(view, _SPACED_AFTER, _close_up)


def _close_up(word: str) -> str:
    return re.sub(r"[^a-z0-9@$!]", "\0", word)


def _leet(view: View) -> View:
    return _replace(view, _LEET_WORD, lambda word: _unleet(word, _LEET))


def _leet_l(view: View) -> View:
    return _replace(view, _LEET_WORD, lambda word: _unleet(word, _LEET_L))


def _unleet(word: str, table: dict[int, int]) -> str:
    letters = sum(letter.isalpha() for letter in word)
    if letters < 2 or _PLAIN_MIX.fullmatch(word):
        return word
    return word.translate(table)


def _squeeze_two(view: View) -> View:
    return _replace(view, _STRETCHED, lambda run: run[:2] + "\0" * (len(run) - 2))


def _squeeze_one(view: View) -> View:
    return _replace(view, _STRETCHED, lambda run: run[0] + "\0" * (len(run) - 1))
