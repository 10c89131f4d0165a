"""Addresses, invoices, keys and seed phrases: nothing a post may ever carry.

Formats are public standards: Base58Check, Bech32 (BIP 173/350), BIP 32 extended keys, BIP 38,
BIP 39, BOLT 11, WIF. What looks like one is refused, right checksum or not; where an address is
taken apart by spaces, only a right checksum tells it from prose.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cache

from engine.checks.normalise import View, fold
from engine.resources import data_path

WORD_FILE = data_path("bip39.txt")
SEED_LENGTH = 12

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_B = "[1-9A-HJ-NP-Za-km-z]"
_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("address", re.compile(rf"(?<![0-9A-Za-z])[13]{_B}{{25,34}}(?![0-9A-Za-z])")),
    ("address", re.compile(r"(?<![0-9a-z])(?:bc|tb|bcrt|ltc)1[ac-hj-np-z02-9]{11,87}", re.I)),
    ("address", re.compile(r"(?<![0-9a-z])0x[0-9a-f]{32,64}(?![0-9a-z])", re.I)),
    (
        "invoice",
        re.compile(r"(?<![0-9a-z])ln(?:bc|tb|bcrt|url)\d{0,12}[munp]?1[ac-hj-np-z02-9]{20,}", re.I),
    ),
    ("key", re.compile(rf"(?<![0-9A-Za-z])[xyztuvXYZTUV](?:pub|prv){_B}{{16,}}")),
    ("key", re.compile(rf"(?<![0-9A-Za-z])(?:[5KL9c]{_B}{{50,51}}|6P{_B}{{56}})(?![0-9A-Za-z])")),
    ("key", re.compile(r"(?<![0-9a-z])(?:nsec|npub|nprofile|note)1[ac-hj-np-z02-9]{20,}", re.I)),
    ("key", re.compile(r"(?<![0-9a-z])[0-9a-f]{64}(?![0-9a-z])", re.I)),
    # other chains, tokens, encoded text: long, with capitals, small letters and digits mixed
    (
        "key",
        re.compile(
            r"(?<![0-9A-Za-z#])(?=[A-Za-z]{0,60}\d)(?=[0-9a-z]{0,60}[A-Z])(?=[0-9A-Z]{0,60}[a-z])"
            r"[0-9A-Za-z]{20,}(?![0-9A-Za-z])"
        ),
    ),
)
_MESSAGES = {
    "address": "A wallet address; remove it.",
    "invoice": "A Lightning invoice; remove it.",
    "key": "A key or an encoded text; remove it, and if it is a real key, replace it.",
    "seed": "Twelve or more seed words in a row; remove them, and if they are real, move the funds.",
}
_PREFIX = re.compile(r"[13]|bc1", re.IGNORECASE)


def find(text: str) -> Iterator[tuple[str, int, int, str]]:
    """``(kind, start, end, message)`` for each thing found; kinds as in ``_MESSAGES``."""
    view = fold(text, keep_case=True)
    for kind, pattern in _SHAPES:
        for match in pattern.finditer(view.text):
            yield (kind, *view.span(*match.span()), _MESSAGES[kind])
    for start, end in _scattered(view):
        yield ("address", *view.span(start, end), _MESSAGES["address"])
    for start, end in _seeds(view.text.lower()):
        yield ("seed", *view.span(start, end), _MESSAGES["seed"])


def _scattered(view: View) -> Iterator[tuple[int, int]]:
    """Addresses with spaces, dashes or line breaks in them, by their checksum."""
    places = [place for place, letter in enumerate(view.text) if letter.isalnum()]
    letters = "".join(view.text[place] for place in places)
    if len(letters) == len(view.text):
        return
    for match in _PREFIX.finditer(letters):
        at = match.start()
        for length in (42, 62) if letters[at : at + 2].lower() == "bc" else range(26, 36):
            word = letters[at : at + length]
            if len(word) == length and (_base58_checks(word) or _bech32_checks(word)):
                yield places[at], places[at + length - 1] + 1
                return


def _base58_checks(word: str) -> bool:
    number = 0
    for letter in word:
        digit = _BASE58.find(letter)
        if digit < 0:
            return False
        number = number * 58 + digit
    if number >= 1 << 200:
        return False
    raw = number.to_bytes(25, "big")
    return hashlib.sha256(hashlib.sha256(raw[:21]).digest()).digest()[:4] == raw[21:]


def _bech32_checks(word: str) -> bool:
    word = word.lower()
    if word[:3] != "bc1":
        return False
    values = [3, 3, 0, 2, 3]  # the human-readable part "bc", expanded
    for letter in word[3:]:
        value = _BECH32.find(letter)
        if value < 0:
            return False
        values.append(value)
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, factor in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= factor if top >> bit & 1 else 0
    return check in (1, 0x2BC830A3)


@cache
def seed_words() -> frozenset[str]:
    """The 2,048 English words of BIP 39."""
    lines = WORD_FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _seeds(text: str) -> Iterator[tuple[int, int]]:
    words = seed_words()
    run: list[re.Match[str]] = []
    for match in re.finditer(r"[a-z]+|\Z", text):
        if match[0] in words:
            run.append(match)
            continue
        if len(run) >= SEED_LENGTH:
            yield run[0].start(), run[-1].end()
        run = []
