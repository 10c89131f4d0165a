"""Where X will see links in a text: with or without protocol, by its list of top-level domains.

The rules are those of twitter-text (config v3; facts: x-api §4), the way of finding them is
not: labels and top-level domains are found run by run and joined from right to left, so that
the time grows with the length of the text and with nothing else.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from engine.resources import data_path

TLD_FILE = data_path("tlds.txt")
MAX_URL = 4096
MAX_LABEL = 63
MOST_LINKS = 1_000  # thirteen fill a post; a thousand are an attack

_LATIN = (
    "\xc0-\xd6\xd8-\xf6\xf8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f\u0272"
    "\u0289\u028b\u02bb\u0300-\u036f\u1e00-\u1eff"
)
_NO_LINK = "\ufffe\ufeff\uffff"
# What cannot stand in a host name; "-", "_" and "." are told apart below.
_BREAKS = (
    r"!'#%&()*+,/:;<=>?@\[\]\\^{|}~$"
    "\t-\r \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    "\u202a-\u202e\u061c\u200e\u200f\u2066-\u2069"
) + _NO_LINK

_RUN = re.compile(rf"[^{_BREAKS}]+")
# a host character that may open a link: X wants no letter, digit, @, $ or # right before it
_OPENING = re.compile(rf"(?<![A-Za-z0-9@＠$#＃{_NO_LINK}])[^{_BREAKS}._-]")
_ASCII_TLD = re.compile(r"\.([A-Za-z]{2,24})(?![A-Za-z0-9@+-])")
_SIMPLE = re.compile(r"[A-Za-z0-9]++(?:\.[A-Za-z0-9]++)*+")
_PUNYCODE = re.compile(r"\.xn--[a-z0-9-]+", re.IGNORECASE)
_PROTOCOL = re.compile(r"https?://", re.IGNORECASE)
_PLAIN_HOST = re.compile(r"[A-Za-z0-9.-]+")
_ASCII_LABEL = re.compile(rf"[A-Za-z0-9{_LATIN}-]+")
_GENERAL = rf"[A-Za-z\u0400-\u04ff0-9!*';:=+,.$/%#\[\]\u2013_~@|&{_LATIN}-]"
_BALANCED = rf"\((?:{_GENERAL}++\)|{_GENERAL}*+\({_GENERAL}++\){_GENERAL}*+\))"
# As X's expression groups it: a path ends in a letter, digit, "=", "_", "#", "/", "+" or "-", or
# in balanced brackets that follow such an end directly.
_PATH = (
    rf"/(?:(?:[!*';:,.$%\[\]\u2013~@|&]++|{_BALANCED})*+[A-Za-z\u0400-\u04ff0-9=_#/+{_LATIN}-]++"
    rf"|{_BALANCED})*+"
)
_QUERY = r"\?(?:[!?*'@();:+$%\[\].,~|]*+[A-Za-z0-9_&=#/-]++)++"
_TAIL = re.compile(rf"(?::[0-9]++)?+({_PATH})?+(?:{_QUERY})?+")
_TAIL_OPENS = (":", "/", "?")
_SHORTENED = re.compile(rf"https?://t\.co/([a-z0-9]+)(?:{_QUERY})?", re.IGNORECASE)
_MAX_SLUG = 40


class UrlSpan(NamedTuple):
    """A link: ``text[start:end] == url``, code points."""

    start: int
    end: int
    url: str


@cache
def _tlds() -> tuple[frozenset[str], re.Pattern[str]]:
    """The ASCII names; an expression for a dot and any of the others."""
    lines = TLD_FILE.read_text(encoding="utf-8").splitlines()
    names = [line for line in lines if line and not line.startswith("#")]
    others: dict[str, list[str]] = {}
    for name in sorted((n for n in names if not n.isascii()), key=len, reverse=True):
        others.setdefault(name[0], []).append(re.escape(name[1:]))
    branches = "|".join(f"{first}(?:{'|'.join(rest)})" for first, rest in others.items())
    pattern = re.compile(rf"\.(?:{branches})(?![A-Za-z0-9@+-])", re.IGNORECASE)
    return frozenset(n for n in names if n.isascii()), pattern


def find_urls(text: str) -> list[UrlSpan]:
    """Every link X would count as 23, in order; the first thousand. Linear in ``len(text)``."""
    found: list[UrlSpan] = []
    tops = _tops(text)
    if not tops:
        return found
    dots = iter(sorted(tops))
    dot = next(dots)
    position = 0  # the first code point no earlier match has used
    for run in _RUN.finditer(text):
        start, end = run.span()
        last = -1
        while 0 <= dot < end:
            last, dot = dot, next(dots, -1)
        if last < 0 or end <= position:
            continue
        if len(found) >= MOST_LINKS:
            break
        if (position < start or not start) and _SIMPLE.fullmatch(text, start, last):
            # every label is sound, so the host name reaches to the last top-level domain
            length = text[start - 1 : start] == "/" and _protocol_before(text, start, position)
            if length or _OPENING.match(text, start):
                position = _take(text, start, length, tops[last], tops, found)
                continue
        position = _find_in_run(text, start, end, tops, position, found)
    return found


def _tops(text: str) -> dict[int, int]:
    """Dots followed by a top-level domain: position of the dot to end of the domain."""
    ascii_names, others = _tlds()
    tops = {}
    for match in _ASCII_TLD.finditer(text):
        if match[1] in ascii_names or match[1].lower() in ascii_names:
            tops[match.start()] = match.end()
    if not text.isascii():
        tops |= {match.start(): match.end() for match in others.finditer(text)}
    for match in _PUNYCODE.finditer(text):
        tops.setdefault(match.start(), match.end())
    return tops


def _find_in_run(
    text: str, start: int, end: int, tops: dict[int, int], position: int, found: list[UrlSpan]
) -> int:
    """Links of one run of host characters; answers the new ``position``."""
    labels = _labels(text, start, end)
    reach = _reaches(text, labels, tops)
    for number, (first, stop) in enumerate(labels):
        if position >= end:
            break
        earliest = max(first, position + 1 if position else 0)
        if earliest >= stop or text[stop - 1] in "-_":
            continue
        domain_end = reach[number + 1]
        if not domain_end:
            # the last label before the top-level domain has no underscore
            domain_end = tops.get(stop, 0)
            earliest = max(earliest, text.rfind("_", first, stop) + 1)
        if not domain_end:
            continue
        length = 0
        if first == start and reach[number]:
            length = _protocol_before(text, start, position)
        if length:
            begin = start
        elif opening := (_second(text, earliest, stop) or _OPENING.search(text, earliest, stop)):
            begin = opening.start()
        else:
            continue
        position = _take(text, begin, length, domain_end, tops, found)
    return position


def _second(text: str, earliest: int, stop: int) -> re.Match[str] | None:
    """X's expression reads a first character that is no ASCII letter as what stands before a
    link, and only if that fails as part of it."""
    return _OPENING.match(text, 1, stop) if earliest == 0 else None


def _labels(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The parts of a run that a dot follows, as spans without the dot."""
    labels = []
    dot = text.find(".", start, end)
    while dot >= 0:
        labels.append((start, dot))
        start = dot + 1
        dot = text.find(".", start, end)
    return labels


def _reaches(text: str, labels: list[tuple[int, int]], tops: dict[int, int]) -> list[int]:
    """For each label, the end of the longest host name that begins with it; 0 for none."""
    reach = [0] * (len(labels) + 1)
    for number in range(len(labels) - 1, -1, -1):
        first, stop = labels[number]
        if first < stop and text[first] not in "-_" and text[stop - 1] not in "-_":
            further = reach[number + 1]
            if further:
                reach[number] = further
            elif stop in tops and "_" not in text[first:stop]:
                reach[number] = tops[stop]
    return reach


def _protocol_before(text: str, start: int, position: int) -> int:
    """Length of the ``http://`` or ``https://`` before ``start`` that opens a link there; or 0."""
    for length in (7, 8):
        at = start - length
        if (
            at >= (position + 1 if position else 0)
            and _PROTOCOL.fullmatch(text, at, start)
            and _OPENING.match(text, at)
        ):
            return length
    return 0


def _take(
    text: str, begin: int, length: int, domain_end: int, tops: dict[int, int], found: list[UrlSpan]
) -> int:
    """Add the link with host ``text[begin:domain_end]``; answers where its match ends.

    ``length`` is that of the protocol before it, 0 for none.
    """
    end, path_end = domain_end, 0
    if text[domain_end : domain_end + 1] in _TAIL_OPENS and (tail := _TAIL.match(text, domain_end)):
        end = tail.end()
        path_end = end if tail[1] else 0
    host = text[begin:domain_end]
    if (len(host) > MAX_LABEL or not host.isascii()) and not _encodable(host):
        return end
    if end - begin > MAX_URL:
        return end
    if length:
        stop = end
        if shortened := _SHORTENED.match(text, begin - length, end):
            if len(shortened[1]) > _MAX_SLUG:
                return end
            stop = shortened.end()
        found.append(UrlSpan(begin - length, stop, text[begin - length : stop]))
    elif begin and text[begin - 1] in "-_./":
        return end
    # without a protocol only the ASCII parts of a host count, each on its own
    elif _PLAIN_HOST.fullmatch(host):
        stop = path_end or domain_end
        found.append(UrlSpan(begin, stop, text[begin:stop]))
    else:
        spans = _ascii_hosts(text, begin, domain_end, tops)
        if spans and path_end:
            spans[-1] = (spans[-1][0], path_end)
        found += [UrlSpan(first, stop, text[first:stop]) for first, stop in spans]
    return end


def _ascii_hosts(text: str, begin: int, end: int, tops: dict[int, int]) -> list[tuple[int, int]]:
    """Host names of ASCII (and accented Latin) labels inside a longer one."""
    hosts: list[tuple[int, int]] = []
    first = best = -1  # the host being read: where it begins, where it may end
    expected = -1  # where its next label must begin
    for label in _ASCII_LABEL.finditer(text, begin, end):
        if label.start() != expected:
            if best > 0:
                hosts.append((first, best))
            first, best = label.start(), -1
            if hosts and first < hosts[-1][1]:
                first = hosts[-1][1]
        dot = label.end()
        expected = dot + 1 if text[dot : dot + 1] == "." and dot < end else -1
        if expected > 0 and dot in tops and tops[dot] <= end and label.end() > first:
            best = tops[dot]
    if best > 0:
        hosts.append((first, best))
    return hosts


def _encodable(host: str) -> bool:
    """Whether every label fits into the DNS: 63 octets after punycode."""
    return len(host) <= MAX_URL and all(_label_fits(label) for label in host.split("."))


def _label_fits(label: str) -> bool:
    if label.isascii():
        return len(label) <= MAX_LABEL
    if label[:4].lower() == "xn--":
        return False
    # a character beyond ASCII takes one to six octets, "xn--" and the delimiter five
    if len(label) <= 9 or len(label) > MAX_LABEL - 4:
        return len(label) <= 9
    return len(label.encode("punycode")) + 4 <= MAX_LABEL
