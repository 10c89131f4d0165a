"""Small pieces that several screens draw: badges, the post as X shows it, times, empty states."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st

from console import words
from console.words import Color, Word
from engine.store.posts import Post

HANDLE = "BTCBuzzBot"


def badge(word: Word, help: str | None = None) -> None:
    st.badge(word.text, icon=word.icon, color=word.color, help=help)


def badges(words_: Iterable[Word]) -> None:
    """Side by side, wrapping on a narrow screen."""
    with st.container(horizontal=True, gap="xsmall", width="content"):
        for word in words_:
            badge(word)


def about(post: Post) -> list[Word]:
    """State, kind, verdict, and where the data is not live, that."""
    found = [
        words.post_word(post.state),
        words.content_word(post.content_type),
        words.verdict_word(post.verdict),
    ]
    return [*found, words.WORLD[post.world]] if post.world in words.WORLD else found


def moment(label: str, at: str | datetime | None, zone: ZoneInfo, now: datetime) -> None:
    """``posted 14:00 Vilnius · 12 min ago``; UTC on hover."""
    if at is None:
        st.caption(label)
        return
    st.caption(
        f"{label} {words.local(at, zone, now=now)} {words.city(zone)} · {words.ago(at, now)}",
        help=words.utc(at),
    )


def as_on_x(text: str, spans: Sequence[tuple[int, int, Color]] = (), note: str = "") -> None:
    """The post as a reader of X meets it. ``text`` is hostile and shown character by character."""
    with st.container(border=True, gap="xsmall"):
        head = f"**{HANDLE}** :gray[@{HANDLE.lower()}{' · ' + note if note else ''}]"
        st.markdown(f":orange-badge[:material/currency_bitcoin:] {head}")
        if spans:
            st.markdown(words.highlighted(text, spans))
        else:
            st.text(text)


def main_action(label: str) -> str:
    """The label of a screen's one main button: the accent is in its words, because Streamlit
    writes white on a filled one, which is unreadable on Bitcoin's orange."""
    return f":orange[**{words.plain(label)}**]"


def empty(title: str, what: str, icon: str = ":material/inbox:") -> None:
    """Nothing here yet: says what will appear and what starts it."""
    with st.container(border=True, horizontal_alignment="center", gap="xsmall"):
        st.markdown(f":gray[{icon}]", text_alignment="center")
        st.markdown(f"**{words.plain(title)}**", text_alignment="center")
        st.caption(words.plain(what), text_alignment="center")


def fact_line(label: str, value: str, help: str | None = None) -> None:
    """``label`` muted, ``value`` plain, on one line."""
    st.markdown(f":gray[{words.plain(label)}] {words.plain(value)}", help=help)
