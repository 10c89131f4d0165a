"""Manners of speech that no word list catches: selling, rhetoric, hedging, stilted words, lists, slang.

Each is a count over the words of a text, so that a style nobody listed still shows: how much it speaks
to a reader who must act, how long its words are, how often it says perhaps. The account speaks to
nobody in particular, in short plain words, about one small thing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = re.compile(r"[a-z]+(?:['’][a-z]+)*")
_SENTENCE = re.compile(r"[^.!?…\n]+")
_LISTED = re.compile(
    r"(?<!\w)(?:\d[).]\s|[✅✔☑👉➡🔹▪•]|(?:\d+|five|seven|ten) (?:reasons|habits|ways|things|tips|signs|rules|lessons)\b)"
)
_LETTERED = re.compile(r"(?<!\w)[A-Da-d]\)\s")
_NOT_JUST = re.compile(
    r"\b(?:is|are|was|was|do|does)?(?:n['’]t| not) (?:just|merely|only|simply|about)\b[^.!?]*[,.;] ?(?:but|it['’]s|it is|they)\b",
    re.IGNORECASE,
)
_COMMANDS_TEXT = """
join reply vote follow imagine introducing discover upgrade unlock manifest repost comment tag share subscribe claim
embrace connect believe dream become rise transform elevate act secure grab seize invest picture meet say stop level
master ready tired sick want remember fire hold
"""
_COMMANDS = frozenset(_COMMANDS_TEXT.split())
_TO_READER_TEXT = """
you your yours yourself u ur yourselves
"""
_TO_READER = frozenset(_TO_READER_TEXT.split())
_HEDGES_TEXT = """
may might could possibly potentially perhaps generally somewhat relatively arguably seemingly likely presumably
considered although while however moreover furthermore nevertheless notwithstanding overall remain uncertain
uncertainty
"""
_HEDGES = frozenset(_HEDGES_TEXT.split())
_SLANG_TEXT = """
ngl fr bruh lmk im u ur kinda idk tbh imo imho af lowkey highkey mid bro dude omg wtf gonna wanna gotta lol deadass
sus bet finna yall y'all cuz coz pls plz thx rn tho
"""
_SLANG = frozenset(_SLANG_TEXT.split())
_HOUSE_TEXT = """
team company mission community followers customers clients valued delighted thrilled committed partners vision values
appreciate journey passion purpose stakeholders
"""
_HOUSE = frozenset(_HOUSE_TEXT.split())
_GRAND_TEXT = """
destiny glory eternal kingdom blessed altar soul souls crimson golden velvet radiant shimmering thy thee thou o dawn
wings throne prophecy soldiers enemy trenches battle war bunker prisoners warriors army weapon champions champion
revolution movement mindset abundance universe overflow relentless narrow believer believers brothers sisters hold
faith miracle cathedral midnight longing weep trembling holy sacred heaven
"""
_GRAND = frozenset(_GRAND_TEXT.split())
_LONG, _FEW = 11, 6


@dataclass(frozen=True)
class Manner:
    """``score`` 0..1 and what was seen; 1.0 where nothing was."""

    score: float
    reason: str


def manners(text: str) -> dict[str, Manner]:
    """Every manner of ``text`` by name."""
    words = _WORD.findall(text.lower())
    return {
        "selling": _selling(text, words),
        "rhetoric": _rhetoric(text),
        "hedging": _counted(words, _HEDGES, 3, 0.12, "hedges", "say it or leave it"),
        "stilted": _stilted(words),
        "list": _list(text),
        "slang": _counted(words, _SLANG, 2, 0.08, "slang", "say it plainly"),
        "house": _house(words),
        "grand": _counted(words, _GRAND, 3, 0.12, "grand words", "bring it down to the kitchen"),
    }


def _fine(what: str) -> Manner:
    return Manner(1.0, f"no {what}")


def _counted(
    words: list[str], listed: frozenset[str], least: int, share: float, what: str, advice: str
) -> Manner:
    found = [word for word in words if word in listed]
    if len(found) < least or len(found) < share * len(words):
        return _fine(what)
    shown = ", ".join(dict.fromkeys(found[:3]))
    return Manner(0.45, f"{len(found)} {what} in {len(words)} words ({shown}); {advice}.")


def _selling(text: str, words: list[str]) -> Manner:
    """Commands at the start of sentences, to a reader who is spoken to."""
    starts = [_WORD.findall(part.lower()) for part in _SENTENCE.findall(text)]
    commands = [part[0] for part in starts if part and part[0] in _COMMANDS]
    spoken = sum(word in _TO_READER for word in words)
    asked = text.count("?") + text.count("!")
    if commands and (len(commands) > 1 or asked or spoken > 1):
        return Manner(0.45, f"{commands[0]!r} speaks to a buyer; say what is, not what to do.")
    return _fine("selling")


def _rhetoric(text: str) -> Manner:
    if _NOT_JUST.search(text):
        return Manner(0.45, "not just this but that: say the one thing.")
    run = best = 0
    for part in _SENTENCE.findall(text):
        count = len(_WORD.findall(part.lower()))
        figures = any(char.isdigit() for char in part)
        run = run + 1 if 0 < count <= 2 and not figures else 0
        best = max(best, run)
    if best >= 3:
        return Manner(0.45, f"{best} fragments in a row; put them into a sentence.")
    return _fine("rhetoric")


def _stilted(words: list[str]) -> Manner:
    long = [word for word in words if len(word) >= _LONG]
    if len(words) < _FEW or len(long) < 3 or len(long) < 0.17 * len(words):
        return _fine("stilted words")
    return Manner(0.45, f"{len(long)} words as long as {long[0]!r}; use shorter ones.")


def _list(text: str) -> Manner:
    marks = len(_LISTED.findall(text)) + len(_LETTERED.findall(text))
    return (
        Manner(0.45, f"{marks} list marks; a post is a sentence.") if marks >= 3 else _fine("list")
    )


def _house(words: list[str]) -> Manner:
    ours = sum(word in ("we", "our", "us") for word in words)
    found = [word for word in words if word in _HOUSE]
    if not ours or len(found) < 2:
        return _fine("house talk")
    return Manner(0.45, f"{', '.join(found[:3])}: the talk of a company; speak as one person.")
