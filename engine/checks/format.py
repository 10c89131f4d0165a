"""Form: a text must read as a finished post, not as a model's answer about one.

The faults are those seen in live bots (facts: market-and-content §3, ollama-and-prompt-testing
§4). Rule ids are ``format.<name>``; each finding carries the place and what to change.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import pairwise

from engine.checks.emoji import SEQUENCE
from engine.checks.language import foreign, word_set
from engine.checks.length import MAX_JUDGED
from engine.checks.urls import find_urls
from engine.records import Finding

MIN_CHARACTERS = 15
MAX_HASHTAGS = 2
MAX_CASHTAGS = 1  # X refuses a second one (facts: market-and-content §5.8)
MAX_LINES = 3
MAX_EMOJI = 6
MAX_EMOJI_RUN = 3

HASHTAG = re.compile(r"(?<![\w&/])[#＃](\w*[^\W\d_]\w*)")
CASHTAG = re.compile(r"(?<![\w$])\$([A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?)\b")

_NOUN = r"(?:tweet|post|draft|caption|version|rewrite|response|output|answer|option|one-liner)s?"
_WORK = r"(?:joke|quip|pun|quote|update|summary|example|suggestion|message|thread|copy|take)s?"
_PATTERNS: tuple[tuple[str, str, str], ...] = (
    (
        "preamble",
        r"\A\W{0,12}(?:(?:sure|certainly|absolutely|of course|okay|ok|got it|understood|no problem|alright|great|yes)"
        r"(?:\s{0,4}!|[,.:]?\s+(?:here|i can|i could|i'll|i will|i'd|let me|happy))|"
        rf"(?:here(?:'s| is| are| you go)|below is|below are|this is)\b[^\n.!?]{{0,60}}?\b{_NOUN}\b|"
        rf"here(?:'s| is| are) (?:a|an|the|your|my|some|one|two|three)\b(?: [\w-]+){{0,4}}? {_WORK}\b|"
        r"i(?:'ve| have)? (?:wrote|written|created|crafted|generated|composed)\b|"
        rf"[\[(*]{{0,4}}(?:(?:my|the|your|final|bitcoin|btc|x|twitter|new|short|revised|possible|suggested)\s+){{0,3}}{_NOUN}"
        r"\s{0,4}(?:#?\d+|text|content|idea)?[\])*]{0,4}\s{0,4}[:：]|"
        r"(?:title|headline|body|content|assistant|user|system|human|ai|bot|final answer|result|hashtags?|image|tone|"
        r"style|category|type|joke|motivation|example|suggestion)\s{0,4}[:：])",
        "A preamble or label; keep only the post itself.",
    ),
    (
        "meta",
        r"\b(?:as an? (?:ai|artificial|language|large|chat|assistant|virtual)\b|(?:large |ai )?language model|chatgpt|openai|"
        r"i(?:'m| am) (?:an ai|a bot|just an? (?:ai|bot|model)|unable|not able|sorry)|i (?:cannot|can't|can not|won't|am unable to|must) "
        r"(?:help|assist|provide|write|create|generate|comply|fulfill|answer|access|predict|give|decline|produce|share)|"
        r"my (?:training|knowledge cutoff|instructions|guidelines|programming|system prompt)|"
        r"let me know if|feel free to|hope (?:this|that) helps|would you like (?:me|another|more)|do you want me|"
        r"(?<!that's )(?<!that is )(?:this|the|above|following) (?:tweet|draft|caption)\b|this post (?:is|uses|aims|highlights|captures|conveys|meets|follows|stays|has|contains)|"
        r"the (?:prompt|requested|above post|system prompt|user (?:asked|wants|requested))\b|"
        r"(?:character|word) (?:limit|count)s?\b|under 280|280 char\w*|\d+ (?:characters|chars)\b|"
        r"(?:score|confidence|rating)\s{0,4}[:：]|"
        r"(?<!greed )(?:score|confidence|rating)\s+(?:of\s+)?\d+(?:/\d+)?)|"
        r"(?:\A|\n|[^\w\s,&']|[#$]\w{1,30}\s)\s{0,4}(?:(?:my|the|a|quick|short|brief|final|author'?s?|editor'?s?)\s+){0,2}"
        r"(?:notes?|rationale|reasoning|explanation|thought|sentiment)\s{0,4}[:：]",
        "Talk about the text (notes, scores, limits or the model itself); remove it.",
    ),
    (
        "markdown",
        r"\*\*[^*\n]{1,199}\*\*|__[^_\n]{1,199}__|(?<![\w*])\*[^\s*][^*\n]{0,199}\*(?![\w*])|(?<![\w/@])_[^\s_][^_\n]{0,199}_(?!\w)|~~[^~\n]{1,199}~~|"
        r"`|!?\[[^\]\n]{0,99}\]\([^)\n]{0,199}\)|(?:^|\n)\s{0,4}(?:#{1,6}\s|[-*+•◦▪·]\s|\d{1,2}[.)]\s|>\s|={3,}|-{3,}|\*{3,}|\|)|\*\*|"
        r"</?(?:b|i|u|em|strong|p|br|a|ul|ol|li|code|pre|h\d|div|span|img|script)\b[^<>\n]{0,99}>|\\n|\\u[0-9a-f]{4}",
        "Markdown or markup, which X shows as it is; write plain text.",
    ),
    (
        "placeholder",
        r"\{[^{}\n]{0,80}\}|\{\{|\}\}|\$\{|"
        r"(?!\A\[(?-i:BTC|XBT)(?:[/-][A-Z]{3,4})?\])\[/?[A-Za-z_][^\[\]\n]{0,80}\]|<\|[^\n>]{0,40}|\|>|</?[a-z_][^<>\n]{0,40}>|"
        r"%[sd]\b|\$x+(?:[,.]x+)*\b|\bx{2,}(?:[,.]x+)*%?(?!\w)|\b(?:lorem ipsum|tbd|todo|undefined|n/a)\b|"
        r"(?:\$\s?|\b)(?:nan|null)\b|\$\s?none\b|\bnone\s?%|(?-i:\b[A-Z]+_[A-Z_]{2,})|<<|>>|\[\]|\{|\}",
        "A placeholder, tag or template token; fill it or remove it.",
    ),
    (
        "json",
        r"\A\s{0,4}(?:\{|\[\s{0,4}(?:[\"'\[{\]]|-?\d[\d.]{0,20}\s{0,4}[,\]]))|\"\w{1,30}\"\s{0,4}:\s{0,4}[\"\[{\d]|\b(?:function_call|tool_calls?|arguments)\b|\A\s{0,4}(?:json|yaml|xml)\b",
        "JSON or a tool call in place of a post.",
    ),
    (
        "punctuation",
        r"([!?,;:])\1{2,}|[!?]{4,}|,,|;;|(?<!\.)\.\.(?!\.)|\.{4,}|…{2,}|[!?]\s[!?]|\s[,;](?=\s)",
        "Repeated or stray punctuation; one mark is enough.",
    ),
    (
        "spacing",
        r"\w[.!?][A-Z][a-z]|\)[.!?]?[A-Z][a-z]|[a-z],[A-Za-z]{2}|\w[;][A-Za-z]",
        "No space after a punctuation mark.",
    ),
)
_RULES = tuple(
    (name, re.compile(pattern, re.IGNORECASE if name != "spacing" else 0), message)
    for name, pattern, message in _PATTERNS
)

_QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’", "«": "»", "„": "“", "”": "”", "「": "」"}
_LOOSE_ENDS = word_set(
    "and or but nor the a an of to with for in at by from as that which who because if while than "
    "its their my your our his her this these those is are was were be been has have had will would "
    "can could should may might into onto about over under between through during per via so when "
    "where whether although though since until unless not very just both either"
)
_PLACE_HOLDING = re.compile(r"(?:\s|[#＃]\w+|\$[A-Za-z]\w*|https?://\S+)+\Z")
_WHOLE = re.compile(
    r"\b(?:(?:(?:here|there|as|how|where|what|who|than) (?:i|you|he|she|it|we|they|this|that|things)|never|always) "
    r"(?:am|are|is|was|were|can|could|will|would|has|have|had|may|might|should)|"
    r"(?:ever|long|hours?|days?|weeks?|months?|years?|blocks?) since)\Z",
    re.IGNORECASE,
)
"""Endings in a loose word that are whole all the same: "but here we are", "105 days since"."""

_EMOJI_AFTER_COLON = re.compile(rf":\s{{0,4}}(?:{SEQUENCE.pattern})")
_SUBJECT = re.compile(r"(?:[#＃]|(?<!\w)\$)(?:bitcoin|btc)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['’/][^\W_]+)*")
_PHRASE = 6  # words
_KEPT_CONTROLS = frozenset("\n\ufe0f\ufe0e")


def check(text: str, content_type: str) -> list[Finding]:
    """Findings on form; empty for a text that could go out as it is.

    ``content_type`` only widens: a joke may have a line more, its set-up and its punch line.
    """
    if len(text) > MAX_JUDGED:
        return [
            _finding(
                "long", 0, len(text), f"It has more than {MAX_JUDGED:,} characters; no post has."
            )
        ]
    plain = text.replace("’", "'")
    findings = [
        _finding(name, *_widest(match), message)
        for name, pattern, message in _RULES
        if (match := pattern.search(plain))
    ]
    for rule in _SHAPES:
        findings += rule(text)
    findings += _lines(text, MAX_LINES + (content_type == "joke"))
    return sorted(findings, key=lambda finding: (finding.start, finding.rule))


def _finding(name: str, start: int, end: int, message: str) -> Finding:
    return Finding(f"format.{name}", "reject", start, end, message)


def _widest(match: re.Match[str]) -> tuple[int, int]:
    start, end = match.span()
    return start, max(end, start + 1)


def _short(text: str) -> Iterator[Finding]:
    if len(text.strip()) < MIN_CHARACTERS:
        yield _finding("short", 0, len(text), f"It is shorter than {MIN_CHARACTERS} characters.")


def _edges(text: str) -> Iterator[Finding]:
    """Wrapping quotes and white space around the post."""
    inner = text.strip()
    if inner != text:
        yield _finding("edges", 0, len(text), "White space around the text; strip it.")
    closing = _QUOTES.get(inner[:1])
    if closing and len(inner) > 1:
        body = inner[1:-1] if inner.endswith(closing) else inner[1:].rstrip("\n")
        marks = (inner[0], closing) if closing != "'" else (closing,)
        if inner.endswith(closing) and not any(mark in body for mark in marks):
            yield _finding("quoted", 0, len(text), "The whole text stands in quotes; remove them.")
        elif closing != "'" and not any(mark in body for mark in marks):
            yield _finding("quoted", 0, 1, "A quote is opened and never closed.")


def _cut(text: str) -> Iterator[Finding]:
    """A sentence that was cut off: at a comma, a small word, an ellipsis, an open bracket."""
    bare = _PLACE_HOLDING.sub("", SEQUENCE.sub(" ", text).rstrip())
    ending = bare[-20:]
    if re.search(r"(?:…|\.\.\.)\W*\Z", ending):
        yield _finding("cut", len(text) - 1, len(text), "It ends in an ellipsis; finish it.")
    elif ending.endswith(":") and _EMOJI_AFTER_COLON.search(text):
        pass  # "My mood in one emoji: 🫠"
    elif re.search(r"[,;:–—\-&+/(]\Z|\w-\Z", ending):
        yield _finding("cut", len(text) - 1, len(text), "It ends in the middle of a sentence.")
    elif (
        (last := re.search(r"([^\W\d_]+)\Z", ending))
        and last[1].lower() in _LOOSE_ENDS
        and not _WHOLE.search(bare)
    ):
        yield _finding("cut", len(text) - 1, len(text), f"It ends in “{last[1]}”; finish it.")
    if text.count("(") != text.count(")") or text.count("“") != text.count("”"):
        yield _finding("cut", 0, len(text), "A bracket or quote is not closed.")


def _tags(text: str) -> Iterator[Finding]:
    for name, pattern, most in (
        ("hashtags", HASHTAG, MAX_HASHTAGS),
        ("cashtags", CASHTAG, MAX_CASHTAGS),
    ):
        found = list(pattern.finditer(text))
        if len(found) > most:
            start, end = found[most].start(), found[-1].end()
            yield _finding(name, start, end, f"{len(found)} {name} are too many, at most {most}.")
    words = re.sub(r"[#＃$@]\w+|https?://\S+", " ", text)
    told = _SUBJECT.search(text) and re.search(r"\d\s?%", text)
    if text.strip() and not told and not re.search(r"[^\W\d_]{2,}", words):
        yield _finding("words", 0, len(text), "It has no words beside tags, numbers and links.")


def _loop(text: str) -> Iterator[Finding]:
    """A model that went round in circles: a word four times in a row, a phrase or sentence twice."""
    found = list(_WORD.finditer(text))
    words = [match[0].lower() for match in found]
    seen: dict[tuple[str, ...], int] = {}
    for at in range(len(words)):
        four, phrase = words[at : at + 4], tuple(words[at : at + _PHRASE])
        stuck = len(four) == 4 and len(set(four)) == 1
        before = seen.setdefault(phrase, at)
        again = before != at and len(phrase) == _PHRASE and not _parallel(words, before, at)
        if stuck or again:
            yield _finding("loop", *found[at].span(), "The text repeats itself.")
            return
    sentences = [" ".join(_WORD.findall(part.lower())) for part in re.split(r"[.!?\n]+", text)]
    long = [sentence for sentence in sentences if sentence.count(" ") >= 2]
    if len(set(long)) < len(long):
        yield _finding("loop", 0, len(text), "The same sentence is there twice.")


def _parallel(words: list[str], first: int, second: int) -> bool:
    """Whether a phrase with a figure goes on differently: one figure for each of two things."""
    phrase = words[first : first + _PHRASE]
    then = words[first + _PHRASE], words[second + _PHRASE :][:1]
    return any(word[0].isdigit() for word in phrase) and bool(then[1]) and then[1] != [then[0]]


def _domains(text: str) -> Iterator[Finding]:
    for url in find_urls(text):
        if not url.url[:8].lower().startswith(("http://", "https://")):
            message = f"“{url.url}” becomes a link on X; put a space after the period or drop it."
            yield _finding("domain", url.start, url.end, message)


def _emoji(text: str) -> Iterator[Finding]:
    found = list(SEQUENCE.finditer(text))
    if len(found) > MAX_EMOJI:
        yield _finding(
            "emoji", found[MAX_EMOJI].start(), found[-1].end(), f"More than {MAX_EMOJI} emoji."
        )
    run = 1
    for before, after in pairwise(found):
        run = run + 1 if not text[before.end() : after.start()].strip() else 1
        if run > MAX_EMOJI_RUN:
            message = f"More than {MAX_EMOJI_RUN} emoji in a row."
            yield _finding("emoji", before.start(), after.end(), message)
            return


def _capitals(text: str) -> Iterator[Finding]:
    words: list[str] = re.findall(r"[^\W\d_]{4,}", re.sub(r"[#＃$]\w+", " ", text))
    loud = sum(word.isupper() for word in words)
    if loud >= 3 and loud > 0.5 * len(words):
        yield _finding("capitals", 0, len(text), "Mostly capital letters; write it calmly.")


def _controls(text: str) -> Iterator[Finding]:
    rest = SEQUENCE.sub(lambda match: "x" * len(match[0]), text)
    for place, character in enumerate(rest):
        kind = unicodedata.category(character)
        hidden = kind in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") or character == "\ufffd"
        if hidden and character not in _KEPT_CONTROLS:
            message = f"U+{ord(character):04X} is invisible or broken; remove it."
            yield _finding("control", place, place + 1, message)
            return


def _language(text: str) -> Iterator[Finding]:
    for start, end, message in foreign(text):
        yield _finding("language", start, end, message)


def _lines(text: str, most: int) -> Iterator[Finding]:
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > most:
        yield _finding("lines", 0, len(text), f"{len(lines)} lines are too many, at most {most}.")


_SHAPES: tuple[Callable[[str], Iterator[Finding]], ...] = (
    _short,
    _edges,
    _cut,
    _tags,
    _loop,
    _domains,
    _emoji,
    _capitals,
    _controls,
    _language,
)
