"""Emoji sequences by rule (UTS #51), so that next year's emoji count like this year's.

A sequence is a keycap, a flag, or pictographs joined by U+200D, each with its skin tone or
variation selector. Ranges: Unicode's emoji-data.txt (15.1), Extended_Pictographic (unassigned
places included, which is what keeps the rule good for later versions) and Emoji_Modifier_Base.
"""

from __future__ import annotations

import re

# without © and ®, which are emoji only before a variation selector
_PICTOGRAPH = (
    "\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u2388\u23cf\u23e9-\u23f3"
    "\u23f8-\u23fa\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2605\u2607-\u2612"
    "\u2614-\u2685\u2690-\u2705\u2708-\u2712\u2714\u2716\u271d\u2721\u2728\u2733\u2734\u2744"
    "\u2747\u274c\u274e\u2753-\u2755\u2757\u2763-\u2767\u2795-\u2797\u27a1\u27b0\u27bf\u2934"
    "\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001f0ff"
    "\U0001f10d-\U0001f10f\U0001f12f\U0001f16c-\U0001f171\U0001f17e\U0001f17f\U0001f18e"
    "\U0001f191-\U0001f19a\U0001f1ad-\U0001f1e5\U0001f201-\U0001f20f\U0001f21a\U0001f22f"
    "\U0001f232-\U0001f23a\U0001f23c-\U0001f23f\U0001f249-\U0001f3fa\U0001f400-\U0001f53d"
    "\U0001f546-\U0001f64f\U0001f680-\U0001f6ff\U0001f774-\U0001f77f\U0001f7d5-\U0001f7ff"
    "\U0001f80c-\U0001f80f\U0001f848-\U0001f84f\U0001f85a-\U0001f85f\U0001f888-\U0001f88f"
    "\U0001f8ae-\U0001f8ff\U0001f90c-\U0001f93a\U0001f93c-\U0001f945\U0001f947-\U0001faff"
    "\U0001fc00-\U0001fffd"
)
_TONED = (
    "\u261d\u26f9\u270a-\u270d\U0001f385\U0001f3c2-\U0001f3c4\U0001f3c7\U0001f3ca-\U0001f3cc"
    "\U0001f442\U0001f443\U0001f446-\U0001f450\U0001f466-\U0001f478\U0001f47c"
    "\U0001f481-\U0001f483\U0001f485-\U0001f487\U0001f48f\U0001f491\U0001f4aa\U0001f574"
    "\U0001f575\U0001f57a\U0001f590\U0001f595\U0001f596\U0001f645-\U0001f647"
    "\U0001f64b-\U0001f64f\U0001f6a3\U0001f6b4-\U0001f6b6\U0001f6c0\U0001f6cc\U0001f90c"
    "\U0001f90f\U0001f918-\U0001f91f\U0001f926\U0001f930-\U0001f939\U0001f93c-\U0001f93e"
    "\U0001f977\U0001f9b5\U0001f9b6\U0001f9b8\U0001f9b9\U0001f9bb\U0001f9cd-\U0001f9cf"
    "\U0001f9d1-\U0001f9dd\U0001fac3-\U0001fac5\U0001faf0-\U0001faf8"
)
_TONES = "\U0001f3fb-\U0001f3ff"

# Region codes that have a flag (ISO 3166-1 and Unicode's nine extras), by first letter.
_REGIONS = {
    "A": "CDEFGILMOQRSTUWXZ", "B": "ABDEFGHIJLMNOQRSTVWYZ", "C": "ACDFGHIKLMNOPRUVWXYZ",
    "D": "EGJKMOZ", "E": "ACEGHRSTU", "F": "IJKMOR", "G": "ABDEFGHILMNPQRSTUWY", "H": "KMNRTU",
    "I": "CDELMNOQRST", "J": "EMOP", "K": "EGHIMNPRWYZ", "L": "ABCIKRSTUVY",
    "M": "ACDEFGHKLMNOPQRSTUVWXYZ", "N": "ACEFGILOPRUZ", "O": "M", "P": "AEFGHKLMNRSTWY",
    "Q": "A", "R": "EOSUW", "S": "ABCDEGHIJKLMNORSTVXYZ", "T": "ACDFGHJKLMNORTVWZ",
    "U": "AGMNSYZ", "V": "ACEGINU", "W": "FS", "X": "K", "Y": "ET", "Z": "AMW",
}  # fmt: skip


def _indicator(letters: str) -> str:
    return "".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in letters)


def _tags(letters: str) -> str:
    return "".join(chr(0xE0000 + ord(letter)) for letter in letters)


_FLAG = "|".join(f"{_indicator(a)}[{_indicator(b)}]" for a, b in _REGIONS.items())
_SUBDIVISION = (
    f"\U0001f3f4(?:{'|'.join(_tags(code) for code in ('gbeng', 'gbsct', 'gbwls'))})\U000e007f"
)
_ELEMENT = f"(?:[{_TONED}][{_TONES}]|[{_PICTOGRAPH}]\ufe0f?)"
# No emoji has more than four parts (a family, a kiss): a longer chain is several.
SEQUENCE = re.compile(
    f"[0-9#*]\ufe0f?\u20e3|{_FLAG}|{_SUBDIVISION}|[\xa9\xae]\ufe0f|"
    f"{_ELEMENT}(?:\u200d{_ELEMENT}){{0,3}}|[{_TONES}]"
)
"""One emoji as a reader sees it; ``SEQUENCE.finditer`` is linear."""
HAS_EMOJI = re.compile(
    f"[\u20e3\xa9\xae{_PICTOGRAPH}{_TONES}{_indicator('A')}-{_indicator('Z')}]"
).search
"""A quick look whether there can be an emoji at all."""


def emoji(text: str) -> list[str]:
    """The emoji of a text, in order."""
    return SEQUENCE.findall(text)
