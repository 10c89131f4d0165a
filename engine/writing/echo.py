"""Putting a post together: the headline's exact echo, hashtags, and room for both."""

from __future__ import annotations

import re

from engine.checks.length import LIMIT, weigh
from engine.errors import TemplateError
from engine.records import Headline


def plain(title: str) -> str:
    """A title on one line."""
    return re.sub(r"\s+", " ", title).strip()


def with_hashtags(text: str, tags: tuple[str, ...]) -> str:
    """``text`` with as many of ``tags`` as fit; none where the text brings its own."""
    if "#" in text:
        return text
    for count in range(len(tags), 0, -1):
        whole = " ".join((text, *tags[:count]))
        if _fits(whole):
            return whole
    return text


def quoted(title: str, source: str) -> str:
    """``"TITLE" — Source``; without a source the title alone."""
    # straight quotes inside the title would end ours
    opening, closing = "“”" if '"' in title else '""'
    named = f" — {plain(source)}" if source.strip() else ""
    return f"{opening}{plain(title)}{closing}{named}"


def headline_post(headline: Headline, stance: str, tags: tuple[str, ...]) -> str:
    """``"TITLE" — Source``, a blank line, the stance, the hashtags.

    The title is echoed exactly; where the post would be too long its end gives way to ``…`` at a
    word, after the hashtags did.

    Raises: TemplateError when the stance leaves no room for the headline.
    """
    words = plain(headline.title).split(" ")
    for count in range(len(words), 0, -1):
        title = " ".join(words[:count])
        if count < len(words):
            title = title.rstrip(",;:–—-") + "…"
        text = f"{quoted(title, headline.source)}\n\n{stance}"
        if _fits(text):
            return with_hashtags(text, tags)
    raise TemplateError("the comment leaves no room for the headline. Make it shorter.")


def _fits(text: str) -> bool:
    return weigh(text).weight <= LIMIT
