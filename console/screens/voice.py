"""Voice profile, hashtag sets and backup posts: what the templates lean on."""

from __future__ import annotations

import json

import streamlit as st
from sqlite_utils import Database

from console import data, words
from console.actions import act
from console.shell import Desk
from engine.errors import UsageError
from engine.records import CONTENT_TYPES
from engine.service import change
from engine.service.users import Operator
from engine.store import voice
from engine.store.voice import VoiceProfile
from engine.writing import banks


def show(desk: Desk) -> None:
    profile_tab, tags, backups = st.tabs(
        ["Voice", "Hashtags", "Backup posts"], key="voice.tab", on_change="rerun"
    )
    if profile_tab.open:
        with profile_tab:
            _profile(desk)
    if tags.open:
        with tags:
            _hashtags()
    if backups.open:
        with backups:
            _backups()


def _profile(desk: Desk) -> None:
    with data.showing() as db:
        profile, versions = voice.current(db), voice.versions(db)
    with st.grid(3, min_column_width=220):
        st.markdown(f":gray[Tone] {words.plain(', '.join(profile.tone))}")
        st.markdown(f":gray[Energy] {words.plain(profile.energy)}")
        st.markdown(f":gray[At most] {profile.emoji_max} emoji, {profile.hashtag_max} hashtags")
    st.markdown(f":gray[Words to love] {words.plain(', '.join(profile.love))}")
    st.markdown(f":gray[Words to avoid] {words.plain(', '.join(profile.avoid))}")
    for sample in profile.samples[:3]:
        with st.container(border=True):
            st.text(sample)
    st.caption(
        f"{words.count(len(versions), 'own version')} saved so far"
        if versions else "The shipped profile; no version of your own is saved yet."
    )  # fmt: skip
    box = st.expander("Change the profile", key="voice.edit", on_change="rerun")
    if box.open:
        with box, st.form("voice.form"):
            text = json.dumps(profile.to_dict(), indent=1, ensure_ascii=False)
            st.text_area("Profile as JSON", text, key="voice.json", height=360)
            st.text_input("What is new in it?", key="voice.note")
            st.form_submit_button(
                "Save as new version", disabled=not desk.may("editor"), on_click=_save
            )


def _save() -> None:
    def work(db: Database, operator: Operator) -> str:
        try:
            profile = VoiceProfile.from_dict(json.loads(st.session_state["voice.json"]))
        except json.JSONDecodeError as error:
            raise UsageError(f"Nothing was saved: the profile is not JSON ({error}).") from error
        note = st.session_state["voice.note"]
        number = change.save_voice(db, profile, note=note, actor=operator, now=data.now())
        return f"Voice version {number} is in force from the next draft on."

    act("editor", work, shown=True)


def _hashtags() -> None:
    st.dataframe(
        [
            {"set": item.id, "hashtags": " ".join(item.tags) or "(none)", "for": ", ".join(item.types) or "any kind"}
            for item in banks.hashtag_sets()
        ],
        hide_index=True, alt="The shipped hashtag sets.",
    )  # fmt: skip


def _backups() -> None:
    st.caption("Used when no model may write; each passes the same checks on the day it is used.")
    kind = st.segmented_control(
        "Kind", CONTENT_TYPES, default="price", required=True, key="backups.kind"
    )
    found = banks.backup_posts(kind or "price")
    st.dataframe(
        [{"text": post.text, "when": ", ".join(post.when) or "always"} for post in found],
        hide_index=True, alt=f"{len(found)} backup posts.",
    )  # fmt: skip
