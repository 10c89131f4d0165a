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


def headline_post(headline: Headline, stance: str, tags: tuple[str, ...]) -> str:
    """``"TITLE" — Source``, a blank line, the stance, the hashtags.

    The title is echoed exactly; where the post would be too long its end gives way to ``…`` at a
    word, after the hashtags did.

    Raises: TemplateError when the stance leaves no room for the headline.
    """
    words = plain(headline.title).split(" ")
    source = f" — {plain(headline.source)}" if headline.source.strip() else ""
    # straight quotes inside the title would end ours
    opening, closing = "“”" if '"' in headline.title else '""'
    for count in range(len(words), 0, -1):
        title = " ".join(words[:count])
        if count < len(words):
            title = title.rstrip(",;:–—-") + "…"
        text = f"{opening}{title}{closing}{source}\n\n{stance}"
        if _fits(text):
            return with_hashtags(text, tags)
    raise TemplateError("the comment leaves no room for the headline. Make it shorter.")


def _fits(text: str) -> bool:
    return weigh(text).weight <= LIMIT
