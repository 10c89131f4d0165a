"""Headlines from RSS and Atom feeds: fetched, cleaned, judged, deduplicated and stored.

Everything in a feed is hostile text (facts: market-and-content §5.7, reliability-and-security
§5.6). Markup is read by defusedxml first, which refuses entities; feedparser then sees only what
that parser understood. Of an item only its title, its link and its time are kept.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import unicodedata
from calendar import timegm
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from sqlite_utils import Database

from engine.clock import Clock
from engine.errors import SourceError
from engine.market.gather import ask_all
from engine.market.http import Fetcher
from engine.market.sentiment import relevance, sentiment
from engine.records import World
from engine.resources import data_path
from engine.store import news as store
from engine.store.news import NewItem

DEFAULT_FEEDS = (
    "https://www.coindesk.com/arc/outboundfeeds/rss/",
    "https://cointelegraph.com/rss",
    "https://bitcoinmagazine.com/feed",
    "https://decrypt.co/feed",
)
_NAMES = {
    "www.coindesk.com": "CoinDesk",
    "cointelegraph.com": "Cointelegraph",
    "bitcoinmagazine.com": "Bitcoin Magazine",
    "decrypt.co": "Decrypt",
    "www.theblock.co": "The Block",
}
_FEED_TYPES = (
    "application/rss+xml",
    "application/atom+xml",
    "application/xml",
    "text/xml",
)
MAX_TITLE = 200
_MAX_RAW = 2_000
_MAX_ITEMS = 100  # of one feed
_OLDEST = timedelta(days=3)
_NEAR = 88  # RapidFuzz points of 100

_TAG = re.compile(r"<[a-zA-Z/!?][^<>]{0,500}>")
_NUMBER = re.compile(r"\d[\d.,]*")
# invisible, though not of the categories below: fillers and blanks used to hide text
_BLANK = dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5"))
_TRACKING = re.compile(r"(?i)^(utm_.*|fbclid|gclid|ref|cmpid)$")

Inspect = Callable[[str], list[str]]
"""Names of the instruction patterns seen in a text; empty for a clean one."""


@dataclass(frozen=True)
class Entry:
    """One headline of a feed, cleaned; ``url`` is the link without tracking parts."""

    title: str
    source: str
    url: str | None
    published_at: datetime
    key: str  # what the link's hash is taken of


@dataclass(frozen=True)
class NewsResult:
    """How many items were new, how many of those near-duplicates, and which feeds failed why."""

    stored: int
    duplicates: int
    failed: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Feed:
    fetcher: Fetcher
    url: str

    @property
    def name(self) -> str:
        host = urlsplit(self.url).hostname or self.url
        return _NAMES.get(host, host.removeprefix("www."))

    def read(self, now: datetime) -> list[Entry]:
        reply = self.fetcher.get(self.name, self.url, accept=_FEED_TYPES)
        return parse_feed(reply.body, self.name, now)


def collect(
    db: Database,
    fetcher: Fetcher,
    clock: Clock,
    *,
    inspect: Inspect,
    feeds: tuple[str, ...] | None = None,
    time_cap_s: float = 15.0,
) -> NewsResult:
    """Read all feeds (:data:`DEFAULT_FEEDS` unless given) and store what is new.

    A failing feed is named in the result and never stops another; the reading takes at most
    ``time_cap_s`` seconds. No transaction is open while the network is used.
    """
    now = clock.now()
    asked = [_Feed(fetcher, url) for url in feeds or DEFAULT_FEEDS]
    answers = ask_all(asked, now, time_cap_s)
    entries = [entry for answer in answers if isinstance(answer, list) for entry in answer]
    stored, duplicates = _store(db, entries, "live", now, inspect)
    failed = tuple(str(answer) for answer in answers if isinstance(answer, SourceError))
    return NewsResult(stored, duplicates, failed)


def collect_sample(db: Database, clock: Clock, *, inspect: Inspect) -> NewsResult:
    """The same for the made-up headlines of the sample world, one every six hours."""
    now = clock.now()
    stored, duplicates = _store(db, sample_entries(now), "sample", now, inspect)
    return NewsResult(stored, duplicates)


def sample_entries(now: datetime) -> list[Entry]:
    """The sample headlines of the last 24 hours, newest first."""
    row = json.loads(data_path("sample_news.json").read_text(encoding="utf-8"))
    newest = int(now.timestamp() // 21_600)
    return [
        Entry(
            title=row["titles"][turn % len(row["titles"])],
            source=row["source"],
            url=None,
            published_at=datetime.fromtimestamp(turn * 21_600, UTC),
            key=f"sample:{turn}",
        )
        for turn in range(newest, newest - 4, -1)
    ]


def parse_feed(body: bytes, source: str, now: datetime) -> list[Entry]:
    """The usable entries of a feed from the last three days.

    Raises: SourceError for what is no feed, is not well-formed or declares entities.
    """
    import feedparser
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring, tostring

    try:
        # written anew, so that the second parser cannot read the bytes differently
        clean = tostring(fromstring(body), encoding="utf-8")
    except DefusedXmlException:
        raise SourceError(source, "its feed declares entities, which is refused") from None
    except (ParseError, ValueError, LookupError, RecursionError):
        raise SourceError(source, "its feed is not well-formed XML") from None
    feed = feedparser.parse(clean, response_headers={"content-type": "application/xml"})
    if not feed.version:
        raise SourceError(source, "its answer is neither RSS nor Atom")
    entries = (_entry(row, source, now) for row in feed.entries[:_MAX_ITEMS])
    return [entry for entry in entries if entry and now - entry.published_at <= _OLDEST]


def clean_title(text: str) -> str:
    """Plain text of at most 200 characters: no markup, no invisible or direction characters.

    Cleaning what is clean changes nothing.
    """
    text, before = text[:_MAX_RAW], None
    while text != before:
        before = text
        text = unicodedata.normalize("NFKC", _TAG.sub(" ", html.unescape(text)))
        text = "".join(map(_visible, text.translate(_BLANK)))
        text = " ".join(text.split())
    if len(text) <= MAX_TITLE:
        return text
    cut = text[: MAX_TITLE - 3]
    return (cut.rsplit(" ", 1)[0] if " " in cut[MAX_TITLE // 2 :] else cut).rstrip() + "..."


def near_duplicate(title: str, others: Iterable[tuple[int, str]]) -> int | None:
    """The id of the title that tells the same, if any: like words, and the same numbers."""
    from rapidfuzz import fuzz, utils

    numbers = sorted(_NUMBER.findall(title))
    for item_id, other in others:
        if sorted(_NUMBER.findall(other)) != numbers:
            continue
        if fuzz.token_sort_ratio(title, other, processor=utils.default_process) >= _NEAR:
            return item_id
    return None


def _store(
    db: Database, entries: list[Entry], world: World, now: datetime, inspect: Inspect
) -> tuple[int, int]:
    by_hash = {hashlib.sha256(entry.key.encode()).hexdigest(): entry for entry in entries}
    known = store.known_links(db, list(by_hash))
    stored = duplicates = 0
    for link_sha256, entry in by_hash.items():
        if link_sha256 in known:
            continue
        others = store.recent_titles(db, now - _OLDEST, world=world)
        original = near_duplicate(entry.title, others)
        item = NewItem(
            link_sha256=link_sha256,
            world=world,
            title=entry.title,
            source=entry.source,
            url=entry.url,
            published_at=entry.published_at,
            relevance=relevance(entry.title),
            sentiment_lexicon=sentiment(entry.title),
            flags=tuple(inspect(entry.title)),
            duplicate_of=original,
        )
        if store.insert(db, item, now=now) is not None:
            stored += 1
            duplicates += original is not None
    return stored, duplicates


def _entry(row: dict[str, object], source: str, now: datetime) -> Entry | None:
    title = clean_title(str(row.get("title") or ""))
    url = _link(str(row.get("link") or ""))
    if not title or not url:
        return None
    return Entry(title, source, url, _published(row, now), url)


def _published(row: dict[str, object], now: datetime) -> datetime:
    """Its own time; a missing one or one in the future counts as now."""
    parsed = row.get("published_parsed") or row.get("updated_parsed")
    try:
        at = datetime.fromtimestamp(timegm(parsed), UTC)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, OSError):
        return now
    return min(at, now)


def _link(text: str) -> str | None:
    """The link without fragment and tracking parts; None if it is no plain web address."""
    try:
        parts = urlsplit(text.strip())
        plain = parts.scheme in ("http", "https") and parts.hostname and not parts.username
    except ValueError:
        return None
    if not plain or len(text) > 1_000 or any(ord(char) <= 32 for char in text.strip()):
        return None
    query = [pair for pair in parse_qsl(parts.query) if not _TRACKING.match(pair[0])]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    hidden = category in ("Cf", "Cs", "Co", "Cn") or "\ufe00" <= char <= "\ufe0f"
    return "" if hidden or "\U000e0100" <= char <= "\U000e01ef" else char
