"""Not the same joke again: a new text against what was posted before.

Measures (facts: ollama-and-prompt-testing §4): the same words; the same words but for the
numbers; a sentence of prose used again; near-duplicates by the Jaccard share of their words;
opening, ending, emoji and hashtags worn out over the last posts. Near-duplicates are found
exactly by prefix filtering (Chaudhuri, Ganti, Kaushik: A Primitive Operator for Similarity
Joins in Data Cleaning, ICDE 2006): a post that shares at least a part t of all words with a text
of n words lacks at most ``n - ceil(t * n)`` of them, so it must have some of the rarest ones,
and few posts have to be compared.

What the limits leave (posts a day, of one type, before a menu runs dry): a whole text is free
again after 30 days, so 40 jokes last for 1.3 a day and 60 motivation lines for 2; a sentence
beside numbers is free again after 7, so 30 price phrases last for 4 a day and 60 news stances
for 8. Together far above 6 posts a day.
"""

from __future__ import annotations

import itertools
import math
import re
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from engine.checks.emoji import emoji
from engine.checks.format import HASHTAG
from engine.checks.normalise import fold
from engine.clock import parse_iso
from engine.errors import StoreError
from engine.records import Finding, Severity
from engine.store import fingerprints
from engine.store.fingerprints import NUMBER, Fingerprint, Form, hashed, mask

WINDOW_DAYS = 30
MASKED_DAYS = 7  # numbers masked: a form of words may come back after a week
NEAR = 0.8
NEAR_MASKED = 0.9
LAST = 20  # posts a reader has in mind
EDGE_WORDS = 3
SENTENCE_WORDS = 4  # shorter sentences ("Tick tock.") are nobody's

# How often one form may stand among the last 20 posts before the next one is refused.
MOST_EDGE = 3
MOST_EDGE_WITH_NUMBER = 6  # "Bitcoin at $67,000 …" is how price posts begin
MOST_EMOJI = 6
MOST_HASHTAG_SETS = 6
MOST_SINGLE_HASHTAG = 15  # one house tag is a habit; warned about, never refused

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+(?:[.,]\d+)*")
_URL = re.compile(r"https?://\S+")
_SENTENCE = re.compile(r"[!?\n]+|\.(?=\s|$)")


@dataclass(frozen=True)
class History:
    """What a text is compared with. ``exclude_post_id``: the post itself, when judged again."""

    db: Database
    now: datetime
    window_days: int = WINDOW_DAYS
    last: int = LAST
    exclude_post_id: int | None = None


@dataclass(frozen=True)
class Sameness:
    """How alike the posts of one week are.

    ``compression``: size over zlib size, higher means more alike; ``distinct_1``/``distinct_2``:
    different words and word pairs over all, lower means more alike. All three over the first
    ``words`` words, the same number for every week of one answer, so that weeks compare.
    """

    week: datetime
    posts: int
    words: int
    compression: float
    distinct_1: float
    distinct_2: float


def check(text: str, history: History) -> list[Finding]:
    """Findings ``repetition.<name>``; a database that cannot answer is an ``error``."""
    try:
        return _compare(text, history)
    except (sqlite3.Error, StoreError) as error:
        message = f"Past posts cannot be read ({error}); run `runner.py doctor`."
        return [Finding("repetition.error", "error", 0, len(text), message)]


class Recall:
    """What may not be said again yet, asked of the parts of a post before it is written.

    A part is refused here only where :func:`check` would refuse any post with it at that place.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        forms = fingerprints.recent(history.db, history.last, history.exclude_post_id)
        self._openings = Counter(form.opening for form in forms)
        self._endings = Counter(form.ending for form in forms)
        self._tags = Counter(form.hashtags for form in forms)

    def refuses(self, text: str) -> bool:
        """A whole post."""
        return any(finding.severity != "warn" for finding in check(text, self._history))

    def has_said(self, part: str) -> bool:
        """Whether one of the sentences was posted within the week."""
        history = self._history
        week = history.now - timedelta(days=min(MASKED_DAYS, history.window_days))
        return any(
            fingerprints.sentence_user(history.db, code, week, history.exclude_post_id)
            for _, code in _sentences(part)
        )

    def opens_worn(self, part: str) -> bool:
        """Whether no post may begin with this part now."""
        return _edge_worn("opening", mask(_words(part))[:EDGE_WORDS], self._openings)

    def ends_worn(self, part: str) -> bool:
        """Whether no post may end with this part now."""
        return _edge_worn("ending", mask(_words(part))[-EDGE_WORDS:], self._endings)

    def tags_worn(self, tags: tuple[str, ...]) -> bool:
        """Whether no post may carry these hashtags now; one alone is never refused."""
        return len(tags) > 1 and self._tags[_tags_code(tags)] >= MOST_HASHTAG_SETS


def remember(db: Database, post_id: int, text: str, now: datetime) -> None:
    """Keep the fingerprint of a post; again for an edited one replaces it.

    Raises: sqlite3.Error as any write does.
    """
    fingerprints.save(db, post_id, fingerprint(text), now)


def sameness(db: Database, now: datetime, window: timedelta) -> list[Sameness]:
    """One record a week with posts, oldest first: a model that drifts into sameness shows here."""
    weeks: dict[int, list[str]] = {}
    for at, text in fingerprints.texts(db, now - window, now):
        weeks.setdefault((now - parse_iso(at)) // timedelta(days=7), []).append(text)
    words = {age: [word for text in texts for word in _words(text)] for age, texts in weeks.items()}
    shortest = min((len(listed) for listed in words.values()), default=0)
    if shortest < 2:
        return []
    return [
        _sameness(now - timedelta(days=7 * (age + 1)), len(weeks[age]), words[age][:shortest])
        for age in sorted(weeks, reverse=True)
    ]


def _sameness(week: datetime, posts: int, words: list[str]) -> Sameness:
    raw = " ".join(words).encode()
    pairs = list(itertools.pairwise(words))
    return Sameness(
        week,
        posts,
        len(words),
        len(raw) / len(zlib.compress(raw, 9)),
        len(set(words)) / len(words),
        len(set(pairs)) / len(pairs),
    )


def fingerprint(text: str) -> Fingerprint:
    """What is remembered of a text; deterministic over versions of Python."""
    words = _words(text)
    masked = mask(words)
    tags = HASHTAG.findall(text)
    return Fingerprint(
        exact=hashed(" ".join(words) or text),
        masked=hashed("masked " + (" ".join(masked) or text)),
        opening=hashed("opening", *masked[:EDGE_WORDS]) if len(words) > EDGE_WORDS else 0,
        ending=hashed("ending", *masked[-EDGE_WORDS:]) if len(words) > EDGE_WORDS else 0,
        emoji=hashed("emoji", *emoji(text)) if emoji(text) else 0,
        hashtags=_tags_code(tags) if tags else 0,
        words=tuple(sorted(set(words))),
        sentences=tuple(code for _, code in _sentences(text)),
    )


def _tags_code(tags: Iterable[str]) -> int:
    return hashed("tags", *sorted({tag.lower().removeprefix("#") for tag in tags}))


def _words(text: str) -> list[str]:
    """Words and numbers as compared: folded, without links, hashtags, emoji and marks."""
    plain = HASHTAG.sub(" ", _URL.sub(" ", text))
    return [word.replace(",", "") for word in _WORD.findall(fold(plain).text)]


def _sentences(text: str) -> list[tuple[str, int]]:
    """Sentences of prose (long enough, without a number) and their hashes."""
    found = []
    for part in _SENTENCE.split(text):
        words = _words(part)
        if len(words) >= SENTENCE_WORDS and NUMBER not in mask(words):
            found.append((part.strip(), hashed("sentence", *words)))
    return found


def _compare(text: str, history: History) -> list[Finding]:
    findings: list[Finding] = []
    mark = fingerprint(text)
    db, exclude = history.db, history.exclude_post_id
    month = history.now - timedelta(days=history.window_days)
    week = history.now - timedelta(days=min(MASKED_DAYS, history.window_days))

    def add(name: str, start: int, end: int, message: str) -> None:
        findings.append(Finding(f"repetition.{name}", "reject", start, end, message))

    whole = (0, len(text))
    if post := fingerprints.same(db, "exact", mark.exact, month, exclude):
        message = f"Post {post} of the last {history.window_days} days has the same words."
        add("exact", *whole, message)
    elif post := fingerprints.same(db, "masked", mark.masked, week, exclude):
        add("masked", *whole, f"Post {post} of this week differs in its numbers only.")
    else:
        words = _words(text)
        if post := _near(db, frozenset(words), NEAR, month, exclude):
            add(
                "near", *whole, f"Too much like post {post} of the last {history.window_days} days."
            )
        elif post := _near(
            db, frozenset(mask(words)), NEAR_MASKED, week, exclude, numbers_masked=True
        ):
            add(
                "near_masked",
                *whole,
                f"Too much like post {post} of this week, but for its numbers.",
            )
    for sentence, code in _sentences(text):
        if post := fingerprints.sentence_user(db, code, week, exclude):
            start = max(text.find(sentence), 0)
            message = f"Post {post} of this week has the same sentence."
            add("sentence", start, start + len(sentence), message)
            break
    findings += _worn(text, mark, fingerprints.recent(db, history.last, exclude))
    return findings


def _near(
    db: Database,
    words: frozenset[str],
    share: float,
    since: datetime,
    exclude: int | None,
    *,
    numbers_masked: bool = False,
) -> int | None:
    """A post since then that shares at least ``share`` of all words, or None."""
    if not words:
        return None
    # a rounding error must not hide a post that shares exactly as much
    misses = len(words) - math.ceil(share * len(words) - 1e-9)
    for post_id, listed in fingerprints.sharing(db, words, misses, since):
        other = listed.split()
        if (
            post_id != exclude
            and jaccard(words, frozenset(mask(other) if numbers_masked else other)) >= share
        ):
            return post_id
    return None


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Common members over all members; 1 for two empty sets."""
    common = len(one & other)
    every = len(one) + len(other) - common
    return common / every if every else 1.0


def _edge_worn(name: str, words: list[str], uses: Counter[int]) -> bool:
    most = MOST_EDGE_WITH_NUMBER if NUMBER in words else MOST_EDGE
    return len(words) == EDGE_WORDS and uses[hashed(name, *words)] >= most


def _worn(text: str, mark: Fingerprint, forms: list[Form]) -> Iterator[Finding]:
    """Openings, endings, emoji and hashtags used too often among the last posts."""
    masked = mask(_words(text))
    edges = (
        ("opening", mark.opening, Counter(form.opening for form in forms), masked[:EDGE_WORDS]),
        ("ending", mark.ending, Counter(form.ending for form in forms), masked[-EDGE_WORDS:]),
    )
    for name, value, uses, words in edges:
        if value and _edge_worn(name, words, uses):
            yield _worn_out(text, name, "reject", uses[value], len(forms), " ".join(words))
    uses = Counter(form.emoji for form in forms)
    if mark.emoji and uses[mark.emoji] >= MOST_EMOJI:
        pattern = "".join(emoji(text))
        yield _worn_out(text, "emoji", "reject", uses[mark.emoji], len(forms), pattern)
    uses = Counter(form.hashtags for form in forms)
    tags = HASHTAG.findall(text)
    single = len(set(tags)) == 1
    if mark.hashtags and uses[mark.hashtags] >= (
        MOST_SINGLE_HASHTAG if single else MOST_HASHTAG_SETS
    ):
        severity: Severity = "warn" if single else "reject"
        listed = " ".join(f"#{tag}" for tag in tags)
        yield _worn_out(text, "hashtags", severity, uses[mark.hashtags], len(forms), listed)


def _worn_out(text: str, name: str, severity: Severity, times: int, of: int, what: str) -> Finding:
    verb, them = ("stand", "them") if name == "hashtags" else ("stands", "it")
    message = f"The {name} “{what}” {verb} in {times} of the last {of} posts; vary {them}."
    return Finding(f"repetition.{name}", severity, 0, len(text), message)
