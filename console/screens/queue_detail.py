"""One waiting post: as X shows it, what proves it, what is true now, what the checks said, and
the buttons. The experiment arm (model, template, recipe) is not shown here, so that a yes judges
the text alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import streamlit as st
from sqlite_utils import Database

from console import parts, queue_actions, state, words
from console.shell import Desk
from console.words import Color
from engine.checks import facts as fact_lock
from engine.checks.facts import Proof
from engine.checks.length import Weight, weigh
from engine.posting import hold, queue, spend
from engine.posting.freshness import Freshness
from engine.records import Facts, Snapshot
from engine.service import review
from engine.store import generations, settings, snapshots
from engine.store.generations import StoredCall
from engine.store.posts import Post

WHY_KEY = "queue.reject.why"
TEXT_KEY = "queue.edit.text"
AT_KEY = "queue.later.at"


@dataclass(frozen=True)
class Detail:
    """What is known about the post on the screen."""

    post: Post
    weight: Weight
    proofs: list[Proof]
    facts: Facts | None
    snapshot: Snapshot | None
    latest: Snapshot | None
    freshness: Freshness
    cost_usd: float
    candidates: list[StoredCall]


def read(db: Database, post: Post, now: datetime) -> Detail:
    snapshot = snapshots.get(db, post.snapshot_id) if post.snapshot_id else None
    facts = review.facts_of(db, post)
    return Detail(
        post=post,
        weight=weigh(post.text),
        proofs=_proofs(post.body_sha256, post.snapshot_id, post.news_item_id, post, facts),
        facts=facts,
        snapshot=snapshot,
        latest=snapshots.latest(db, world=snapshot.world) if snapshot else None,
        freshness=queue.judge_freshness(db, post, now),
        cost_usd=spend.cost_of_post(post.text, settings.get_all(db)),
        candidates=[call for call in generations.of_post(db, post.id) if call.text != post.text],
    )


@st.cache_resource(max_entries=256, show_spinner=False)
def _proofs(
    body_sha256: str, snapshot_id: int | None, news_item_id: int | None,
    _post: Post, _facts: Facts | None,
) -> list[Proof]:  # fmt: skip
    """Worked out once: a text, its snapshot and its headline never change."""
    return fact_lock.prove(_post.text, _facts, _post.content_type)


def show(desk: Desk, detail: Detail) -> None:
    post = detail.post
    with st.container(border=True):
        _head(desk, detail)
        parts.as_on_x(post.text, _spans(detail))
        _proof(detail)
        _now(desk, detail)
        _checks(detail)
        mode = state.mode("queue")
        if mode == "edit":
            _edit(detail)
        elif mode == "reject":
            _reject(post)
        elif mode == "later":
            _later(desk, post)
        elif hold.is_kept(post):
            _kept(desk, post)
        else:
            _buttons(desk, detail)
        _candidates(detail)


def _head(desk: Desk, detail: Detail) -> None:
    post = detail.post
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        parts.badges(parts.about(post)[1:])
        at = None if hold.is_kept(post) else post.not_before or post.scheduled_for
        if at:
            parts.moment("for", at, desk.zone, desk.now)
        weight = detail.weight
        count = f"{weight.weight} of {weight.limit}"
        st.caption(
            f"revision {post.revision} · {count if weight.valid else ':red[' + count + ']'} · "
            + words.plain(f"costs ${detail.cost_usd:.3f} on X"),
            help="Length as X counts it: a link is 23, an emoji 2.",
        )


def _spans(detail: Detail) -> list[tuple[int, int, Color]]:
    """Proved parts green; what a check refused or warned about red or yellow."""
    spans: list[tuple[int, int, Color]] = [
        (finding["start"], finding["end"], "yellow" if finding["severity"] == "warn" else "red")
        for finding in detail.post.findings
        if finding["end"] - finding["start"] < len(detail.post.text)
    ]
    return spans + [(proof.start, proof.end, "green") for proof in detail.proofs]


def _proof(detail: Detail) -> None:
    """Each proved part of the text once, what it claims, and the fact behind it."""
    if not detail.proofs:
        parts.fact_line("Proof", "nothing in it needs a figure")
        return
    lines = [
        f"{words.marked(detail.post.text[proof.start : proof.end], 'green')} "
        f":gray[{words.plain(proof.claim)}] ← {words.plain(proof.value_text)}"
        for proof in sorted(detail.proofs, key=lambda proof: proof.start)
    ]
    with st.container(gap="xxsmall"):
        for line in dict.fromkeys(lines):
            st.markdown(line)


def _now(desk: Desk, detail: Detail) -> None:
    """The price now, against the one the post was written on, and the age of the data."""
    then, latest = detail.snapshot, detail.latest
    if then is None or not then.facts.price_usd or then.facts.as_of is None:
        parts.fact_line("Now", "it rests on no market data")
    else:
        said = (
            f"written {words.ago(then.facts.as_of, desk.now)} at {words.usd(then.facts.price_usd)}"
        )
        if latest and latest.facts.price_usd:
            moved = 100 * (latest.facts.price_usd / then.facts.price_usd - 1)
            said = f"{words.usd(latest.facts.price_usd)} ({words.pct(moved, signed=True)} since) · {said}"
        parts.fact_line("Now", said, help=f"data of {words.utc(then.facts.as_of)}")
    if detail.freshness.stale:
        st.warning(
            f"Out of date: {words.plain(detail.freshness.reason)}. An approval sends it back to "
            "be written anew (setting posting.on_stale).",
            icon=":material/update:",
        )


def _checks(detail: Detail) -> None:
    post = detail.post
    said = [f"{words.verdict_word(post.verdict).text}"]
    if post.voice_score is not None:
        said.append(f"voice {post.voice_score:.2f}")
    said += [f"flag: {flag}" for flag in post.flags]
    if post.origin == "backup":
        said.append("a backup post, not the model's")
    parts.fact_line("Checks", " · ".join(said))
    for finding in post.findings:
        color, icon = (
            ("yellow", ":material/warning:")
            if finding["severity"] == "warn"
            else ("red", ":material/block:")
        )
        st.markdown(
            f":{color}[{icon}] {words.plain(finding['rule'])}: {words.plain(finding['message'])}"
        )


def _buttons(desk: Desk, detail: Detail) -> None:
    post = detail.post
    with st.container(horizontal=True, gap="small"):
        st.button(
            parts.main_action("Approve"), key="queue.approve", shortcut="A",
            icon=":material/check:", on_click=queue_actions.approve, args=(post,),
            disabled=not desk.may("approver"),
        )  # fmt: skip
        _begin(desk, "Edit", "E", ":material/edit:", "edit")
        _begin(desk, "Reject", "X", ":material/block:", "reject")
        _begin(desk, "Later", "L", ":material/schedule:", "later")
        st.button(
            "Hold", key="queue.keep", shortcut="H", icon=":material/pause:",
            help="Kept back without a time, until somebody releases it.",
            on_click=queue_actions.keep, args=(post,), disabled=not desk.may("editor"),
        )  # fmt: skip
        st.button(
            "Again", key="queue.again", shortcut="G", icon=":material/refresh:",
            on_click=queue_actions.regenerate, args=(post,), disabled=not desk.may("editor"),
        )  # fmt: skip


def _kept(desk: Desk, post: Post) -> None:
    """What is kept back is released or rejected; everything else comes after its release."""
    st.markdown(":yellow[:material/pause:] Kept back: it neither goes out nor expires.")
    with st.container(horizontal=True, gap="small"):
        st.button(
            parts.main_action("Release"), key="queue.release", shortcut="H",
            icon=":material/play_arrow:", on_click=queue_actions.release, args=(post,),
            disabled=not desk.may("editor"),
        )  # fmt: skip
        _begin(desk, "Reject", "X", ":material/block:", "reject")


def _begin(desk: Desk, label: str, key: str, icon: str, mode: str) -> None:
    """A button that asks for more before it acts."""
    st.button(
        label, key=f"queue.{mode}", shortcut=key, icon=icon,
        on_click=state.set_mode, args=("queue", mode),
        disabled=not desk.may("approver" if mode == "reject" else "editor"),
    )  # fmt: skip


def _edit(detail: Detail) -> None:
    post = detail.post
    with st.form("queue.edit.form", border=False):
        st.text_area(
            "Your text", post.text, key=f"{TEXT_KEY}.{post.id}.{post.revision}", height=120
        )
        st.caption("It becomes a new revision, is checked like any other and waits for approval.")
        with st.container(horizontal=True):
            st.form_submit_button(
                "Save", shortcut="Mod+Enter", on_click=queue_actions.save_edit,
                args=(post, f"{TEXT_KEY}.{post.id}.{post.revision}"),
            )  # fmt: skip
            st.form_submit_button(
                "Cancel", on_click=state.clear_mode, args=("queue",), shortcut="Escape"
            )


def _reject(post: Post) -> None:
    st.markdown("**Why not?** One key is enough.")
    with st.container(horizontal=True, gap="small"):
        for number, reason in enumerate(queue_actions.REASONS, start=1):
            st.button(
                reason.capitalize(), key=f"queue.why.{number}", shortcut=str(number),
                on_click=queue_actions.reject, args=(post, reason),
            )  # fmt: skip
        _cancel()
    with st.form("queue.reject.form", border=False):
        st.text_input("Another reason", key=WHY_KEY)
        st.form_submit_button(
            "Reject for this reason", on_click=queue_actions.reject_for, args=(post, WHY_KEY)
        )


def _later(desk: Desk, post: Post) -> None:
    st.markdown("**Not before?** It keeps waiting for approval meanwhile.")
    with st.container(horizontal=True, gap="small"):
        for number, (label, span) in enumerate(queue_actions.DELAYS.items(), start=1):
            st.button(
                f"In {label}", key=f"queue.later.{number}", shortcut=str(number),
                on_click=queue_actions.later, args=(post, desk.now + span),
            )  # fmt: skip
        _cancel()
    with st.form("queue.later.form", border=False):
        st.datetime_input(
            f"At, {words.city(desk.zone)} time",
            desk.now.astimezone(desk.zone).replace(tzinfo=None), key=AT_KEY,
        )  # fmt: skip
        st.form_submit_button(
            "Not before then", on_click=queue_actions.later_at, args=(post, AT_KEY)
        )


def _cancel() -> None:
    st.button(
        "Cancel", key="queue.cancel", shortcut="Escape", type="tertiary",
        on_click=state.clear_mode, args=("queue",),
    )  # fmt: skip


def _candidates(detail: Detail) -> None:
    """What was written and refused before this text; its cost is drawn only when opened."""
    count = len(detail.candidates)
    if not count:
        return
    opened = st.expander(
        f"{words.count(count, 'other candidate')} and why",
        key="queue.candidates",
        on_change="rerun",
    )
    if not opened.open:
        return
    with opened:
        for call in detail.candidates:
            st.text(call.text or call.raw_text or "(empty)")
            why = [finding["message"] for finding in call.findings] or [call.error or call.outcome]
            st.caption(words.plain(" ".join(why)))
