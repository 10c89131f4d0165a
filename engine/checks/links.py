"""Which links a text may carry: own host on the allow-list, written openly, or none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from engine.checks.normalise import View, fold
from engine.checks.urls import find_urls

# "example dot com", "example[.]com", "evil . com", "hxxp://", "http : //", "www,"
_TLD = r"(?:com|net|org|io|xyz|info|biz|app|finance|gg|ru|cn|link|site|online|shop|club|vip|dev|cc|money|exchange|gift|win|promo|ai)"
_DISGUISED = re.compile(
    rf"\b(?!(?:the|a|in|every|this|that|of|early|pre)\b)[a-z0-9][\w-]{{0,62}}\s{{0,3}}(?:\s[\[({{<]?\s{{0,3}}dot\s{{0,3}}[\])}}>]?\s|[\[({{<]\s{{0,3}}(?:\.|dot|d0t)\s{{0,3}}[\])}}>])\s{{0,3}}{_TLD}\b"
    rf"|\b[a-z0-9-]{{2,63}}(?:\s{{1,3}}\.\s{{0,3}}|\s{{0,3}}\.\s{{1,3}}){_TLD}\b(?!\s+\w)|\b[a-z0-9-]{{2,63}}\s\.\s?{_TLD}\b"
    r"|\bh\s?(?:tt|xx|\*\*)\s?ps?\s*(?::|\[:\])\s*/|\bhttps?\s*:|\bwww\s?[.,\[]"
    r"|\b(?:ftps?|javascript|mailto|ipfs|magnet|tg|ssh|vbscript):\S|\bdata:\w+/|\b(?:bitcoin|lightning):[a-z0-9]{20,}"
    r"|\b(?:\d{1,3}\.){3}\d{1,3}\b|://"
)
_CONTINUES = ("%", "@", "\\", "_")
_SECOND_LEVEL = frozenset(("co", "com", "org", "net", "gov", "ac", "edu"))


def denied(
    text: str, readings: list[View], domains: frozenset[str], shorteners: frozenset[str]
) -> Iterator[tuple[int, int, str]]:
    """Spans of links that may not stand there, each with a sentence why."""
    spans: list[tuple[int, int]] = []
    for url in find_urls(text):
        spans.append((url.start, url.end))
        why = _fault(url.url, domains, shorteners)
        if not why and text[url.end : url.end + 1] in _CONTINUES:
            why = "What follows the link would change where it goes."
        if why:
            yield url.start, url.end, f"{why} Links go to {', '.join(sorted(domains))} only."
    cased = fold(text, keep_case=True)
    for view in (cased, *readings):
        for start, end in _hidden(view):
            place = view.span(start, end)
            if not any(first <= place[0] and place[1] <= last for first, last in spans):
                spans.append(place)
                yield (*place, "A link in disguise; links are written openly or not at all.")


def _hidden(view: View) -> Iterator[tuple[int, int]]:
    for url in find_urls(view.text):
        # folded text joins what was apart: only a host that survives alone is a link
        if not re.fullmatch(r"[\d.,]+[kmbt]?\.\w+", url.url):
            yield url.start, url.end
    for match in _DISGUISED.finditer(view.text.lower()):
        yield match.span()


def _fault(url: str, domains: frozenset[str], shorteners: frozenset[str]) -> str | None:
    """Why this link is refused, or None."""
    address = url if "://" in url else f"https://{url}"
    for _ in range(3):  # percent-encoding may be stacked
        address = unquote(address)
    try:
        parts = urlsplit(unicodedata.normalize("NFKC", address))
        host = (parts.hostname or "").rstrip(".")
        port = parts.port
    except ValueError:
        return "The link cannot be read."
    if "@" in parts.netloc or "\\" in address:
        return "The link hides its host behind a user name."
    if not host.isascii() or "xn--" in host:
        return "The host is written in other scripts or punycode."
    if port is not None:
        return "The link names a port."
    if registrable(host) in shorteners or host in shorteners:
        return "A shortener hides where the link goes."
    if registrable(host) not in domains:
        return f"{host} is not on the list of allowed hosts."
    if re.search(r"https?:|//|\.\.", address.split("://", 1)[1]):
        return "The link carries another one."
    return None


def registrable(host: str) -> str:
    """The part of a host name somebody registered: two labels, three under co.uk and its like."""
    labels = host.lower().split(".")
    if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL:
        return ".".join(labels[-3:])
    return ".".join(labels[-2:])
