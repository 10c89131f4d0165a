"""Is this English? Scripts and small words, good enough for one short post."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


def word_set(text: str) -> frozenset[str]:
    """The words of a text, for lists that are easier to read as lines than as literals."""
    return frozenset(text.split())


_ENGLISH = word_set(
    "the a an of to and in is it you that he was for on are with as his they be at one have this from "
    "or had by but not what all were we when your can said there use each which she do how their if "
    "will up other about out many then them these so some her would make like him into time has look "
    "two more write go see no way could people my than first been its who now did get come made may "
    "just still today after over back only day while never every down new us our me i"
)
# Frequent small words of other Latin-script languages that are no English words.
_FOREIGN = (
    word_set(
        # Spanish, Portuguese, Italian, French, Catalan
        "el los las una del por para con que está esta este pero como más muy ahora hoy también desde "
        "hasta entre cuando sobre os uma não mais mas você seu sua foi ser são até agora hoje também il "
        "gli della delle dei che non per sono questo questa anche più oggi ora nel nella sul le les des "
        "une est dans pour pas sur avec vous nous qui ce cette mais plus aujourd'hui maintenant votre et "
        "ou où du au aux ont sont tout bien très sin al lo se su ya ha han ni si mi tu "
        # German, Dutch, Nordic
        "der das und ist nicht ein eine einen dem den mit auf für von zu im auch wird werden sich oder "
        "aber wie nur noch jetzt heute mehr bei nach über het een van niet voor met maar ook naar dit zijn "
        "wordt nog og det som ikke til av på är och att inte med om den "
        # Polish, Czech, Turkish, Indonesian, Vietnamese, Tagalog
        "nie jest się na do że jak ale czy po teraz dzisiaj je se ve bir ve bu için daha çok şimdi değil "
        "ile yang dan di untuk dengan ini itu tidak akan dari pada và của là không cho ang mga ng sa ay "
        "ito hindi"
    )
    - _ENGLISH
    - word_set("do on to so no me per die am den pas tout bien dit son ha si mi lo al")
)


_LATIN = ("LATIN", "FULLWIDTH", "MODIFIER")
_SYMBOLS = ("₿", "Ξ", "µ", "π", "Δ")


@cache
def _script(character: str) -> str:
    return unicodedata.name(character, "?").split()[0]


def foreign(text: str) -> Iterator[tuple[int, int, str]]:
    """Spans that say the text is not English: (start, end, sentence)."""
    words = list(_WORD.finditer(text))
    for word in words:
        strange = [
            letter for letter in word[0] if letter.isalpha() and _script(letter) not in _LATIN
        ]
        if strange and word[0] not in _SYMBOLS:
            yield word.start(), word.end(), "Letters that English does not use."
            return
    lowered = [word[0].lower().replace("’", "'") for word in words]
    others = sum(word in _FOREIGN for word in lowered)
    english = sum(word in _ENGLISH for word in lowered)
    if others >= 2 and others > english:
        yield 0, len(text), "This does not read as English."
