"""What an operator can do to a post, as callbacks of the queue's buttons and keys.

Each carries the revision and the hash that were on the screen, so a yes means the text that was
seen; whoever comes second is told who was first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import streamlit as st
from sqlite_utils import Database

from console import data, state, words
from console.actions import act
from engine.errors import QueueConflict
from engine.posting import hold, queue
from engine.posting.resolve import HeldAction, resolve_held
from engine.service import review
from engine.service.users import Operator, Role
from engine.store.posts import Post

REASONS = ("wrong or misleading", "dull", "off voice", "badly timed", "said already")
DELAYS: dict[str, timedelta] = {
    "1 hour": timedelta(hours=1),
    "3 hours": timedelta(hours=3),
    "12 hours": timedelta(hours=12),
    "1 day": timedelta(days=1),
}


def approve(post: Post) -> None:
    def work(db: Database, operator: Operator) -> str:
        done = queue.approve(
            db, post.id, revision=post.revision, actor=operator, now=data.now(),
            body_sha256=post.body_sha256,
        )  # fmt: skip
        state.remember_undo([(done.id, done.revision)])
        return f"Post {post.id} is approved. It goes out at its time; undo with U until then."

    _on(post, "approver", work)


def approve_all(seen: list[tuple[int, int]]) -> None:
    def work(db: Database, operator: Operator) -> str:
        results = queue.approve_all_green(db, seen, actor=operator, now=data.now())
        done = [item.post_id for item in results if not item.error]
        revisions = dict(seen)
        state.remember_undo([(post_id, revisions[post_id]) for post_id in done])
        left = [f"Post {item.post_id}: {item.error}" for item in results if item.error]
        return " ".join([f"{words.count(len(done), 'post')} approved.", *left])

    if act("approver", work, shown=True):
        state.clear_mode("queue")


def undo() -> None:
    """Take back what the last approval in this tab approved, as far as it is not yet sent."""

    def work(db: Database, operator: Operator) -> str:
        gone, back = [], 0
        for post_id, revision in state.undoable():
            try:
                queue.unapprove(db, post_id, revision=revision, actor=operator, now=data.now())
                back += 1
            except QueueConflict as conflict:
                gone.append(str(conflict))
        return " ".join([f"{words.count(back, 'approval')} taken back.", *gone])

    act("approver", work, shown=True)
    state.remember_undo([])


def reject(post: Post, reason: str) -> None:
    def work(db: Database, operator: Operator) -> str:
        queue.reject(
            db, post.id, revision=post.revision, reason=reason, actor=operator, now=data.now()
        )
        return f"Post {post.id} is rejected: {reason}."

    _on(post, "approver", work)


def reject_for(post: Post, key: str) -> None:
    """:func:`reject` with the reason typed into the widget ``key``."""
    reject(post, str(st.session_state.get(key, "")))


def regenerate(post: Post) -> None:
    def work(db: Database, operator: Operator) -> str:
        queue.request_regeneration(
            db, post.id, revision=post.revision, reason="asked for another text",
            actor=operator, now=data.now(),
        )  # fmt: skip
        return f"Post {post.id} is written again by the runner and comes back here."

    _on(post, "editor", work)


def keep(post: Post) -> None:
    def work(db: Database, operator: Operator) -> str:
        hold.keep(db, post.id, revision=post.revision, actor=operator, now=data.now())
        return f"Post {post.id} is kept back until somebody releases it. It does not expire."

    _on(post, "editor", work)


def release(post: Post) -> None:
    def work(db: Database, operator: Operator) -> str:
        hold.release(db, post.id, revision=post.revision, actor=operator, now=data.now())
        return f"Post {post.id} is released."

    _on(post, "editor", work)


def later(post: Post, not_before: datetime) -> None:
    def work(db: Database, operator: Operator) -> str:
        queue.schedule_for_later(
            db, post.id, revision=post.revision, not_before=not_before, actor=operator,
            now=data.now(),
        )  # fmt: skip
        there = words.local(not_before, data.zone(), now=data.now())
        return f"Post {post.id} does not go out before {there}, whatever is decided."

    _on(post, "editor", work)


def later_at(post: Post, key: str) -> None:
    """:func:`later`, at the local date and time in the widget ``key``."""
    chosen = st.session_state.get(key)
    if isinstance(chosen, datetime):
        later(post, chosen.replace(tzinfo=data.zone()))


def save_edit(post: Post, key: str) -> None:
    """The text in the widget ``key`` as the next revision, judged by the same checks."""
    text = str(st.session_state.get(key, "")).strip()

    def work(db: Database, operator: Operator) -> str:
        verdict = review.judge(db, post, text, now=data.now())
        done = queue.edit(
            db, post.id, revision=post.revision, text=text, verdict=verdict, actor=operator,
            now=data.now(),
        )  # fmt: skip
        if done.state == "pending_approval":
            return (
                f"Post {post.id} has your text as revision {done.revision} and waits for approval."
            )
        why = done.state_reason or verdict.outcome
        return f"Your text is kept as revision {done.revision}, but it cannot go out: {why}."

    if text == post.text:
        state.tell("info", "Nothing was changed.")
        state.clear_mode("queue")
        return
    if act("editor", work, shown=True):
        state.clear_mode("queue")


def resolve(attempt_id: int, action: HeldAction, key: str = "") -> None:
    """A person's word on an attempt of which nobody knows; ``key`` is the widget with the id."""
    typed = str(st.session_state.get(key, "")) if key else None

    def work(db: Database, operator: Operator) -> str:
        post = resolve_held(db, attempt_id, action, actor=operator, now=data.now(), x_post_id=typed)
        return f"Attempt {attempt_id} is settled: post {post.id} is {words.post_word(post.state).text}."

    act("approver", work, shown=True)


def _on(post: Post, needed: Role, work: Callable[[Database, Operator], str]) -> None:
    if act(needed, work, shown=True):
        state.clear_mode("queue")
