"""The schema holds the states whatever a caller does."""

from __future__ import annotations

import re
import sqlite3
from itertools import product

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock, iso
from engine.posting import queue
from engine.posting.states import FINAL, STATES, TRANSITIONS
from engine.store import posts
from engine.store.audit import entries
from tests.posting.conftest import Write


def test_the_schema_and_the_drawing_name_the_same_pairs(db: Database) -> None:
    sql = db.conn.execute(
        "SELECT sql FROM sqlite_master WHERE name = 'posts_transitions'"
    ).fetchone()[0]
    assert set(re.findall(r"'(\w+>\w+)'", sql)) == {
        f"{old}>{new}" for old, news in TRANSITIONS.items() for new in news
    }
    assert set(TRANSITIONS) == set(STATES)


@pytest.mark.parametrize(
    ("old", "new"),
    [(o, n) for o, n in product(STATES, STATES) if o != n and n not in TRANSITIONS[o]],
)
def test_any_other_change_aborts(db: Database, draft: Write, old: str, new: str) -> None:
    """Set the old state by force (the trigger put aside), then try the change."""
    post_id = draft()
    fill = "approved_by = 'a', state_reason = 'r', x_post_id = '1', posted_at = '2026'"
    trigger = db.conn.execute(
        "SELECT sql FROM sqlite_master WHERE name = 'posts_transitions'"
    ).fetchone()[0]
    for name in ("posts_transitions", "posts_are_posted_by_an_attempt"):
        db.conn.execute(f"DROP TRIGGER {name}")
    db.conn.execute(f"UPDATE posts SET state = ?, {fill} WHERE id = ?", (old, post_id))
    db.conn.execute(trigger)
    with pytest.raises(sqlite3.IntegrityError, match=r"illegal change|needs"):
        db.conn.execute(f"UPDATE posts SET state = ?, {fill} WHERE id = ?", (new, post_id))


def test_final_states_have_no_way_out() -> None:
    assert {state for state, news in TRANSITIONS.items() if not news} == FINAL


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE posts SET text = 'other'", "new revision"),
        ("UPDATE posts SET body_sha256 = 'other'", "new revision"),
        ("UPDATE posts SET revision = 9", "new revision"),
        ("UPDATE posts SET state = 'publishing'", "open attempt"),
        ("DELETE FROM posts", "history"),
        ("DELETE FROM decisions", "history"),
        ("UPDATE decisions SET actor = 'x'", "history"),
        ("UPDATE audit SET actor = 'x'", "append-only"),
        ("DELETE FROM audit", "append-only"),
        ("UPDATE post_revisions SET text = 'x'", "never changed"),
        ("UPDATE runner SET epoch = epoch", "only grows"),
    ],
)
def test_an_approved_post_and_its_history_cannot_be_changed_behind_the_queue(
    db: Database, clock: FakeClock, waiting: Write, statement: str, said: str
) -> None:
    queue.approve(db, waiting(), revision=1, actor="anna", now=clock.now())
    with pytest.raises(sqlite3.IntegrityError, match=said):
        db.conn.execute(statement)


def test_an_approval_needs_a_decision_on_this_very_text(db: Database, waiting: Write) -> None:
    waiting()
    with pytest.raises(sqlite3.IntegrityError, match="decision on this very text"):
        db.conn.execute("UPDATE posts SET state = 'approved', approved_by = 'me'")


def test_a_post_begins_as_a_draft(db: Database, draft: Write) -> None:
    draft()
    with pytest.raises(sqlite3.IntegrityError, match="begins as a draft"):
        db.conn.execute(
            "INSERT INTO posts (content_type, text, body_sha256, state, world, verdict, origin, "
            "is_llm_generated, approved_by, created_at, updated_at) "
            "VALUES ('joke', 't', 'h', 'approved', 'live', 'pass', 'model', 1, 'me', 'n', 'n')"
        )


def _attempt(db: Database, post_id: int, uuid: str, **more: str) -> None:
    post = posts.need(db, post_id)
    values = {
        "uuid": uuid,
        "post_id": post.id,
        "revision": post.revision,
        "body_sha256": post.body_sha256,
        "publisher": "x",
        "account": "42",
        "epoch": 1,
        "boot_id": "b",
        "started_at": "2026-11-22T12:00:00.000Z",
        "started_boottime": 1.0,
        "deadline_boottime": 2.0,
        **more,
    }
    names = ", ".join(values)
    marks = ", ".join("?" * len(values))
    db.conn.execute(f"INSERT INTO attempts ({names}) VALUES ({marks})", tuple(values.values()))


class TestAttempts:
    @pytest.fixture
    def approved(self, db: Database, clock: FakeClock, waiting: Write) -> int:
        post_id = waiting()
        queue.approve(db, post_id, revision=1, actor="anna", now=clock.now())
        return post_id

    def test_one_open_attempt_an_account(self, db: Database, approved: int) -> None:
        _attempt(db, approved, "a")
        _attempt(db, approved, "b", account="43")
        with pytest.raises(sqlite3.IntegrityError, match=r"attempts\.account"):
            _attempt(db, approved, "c")

    def test_only_for_an_approved_text(self, db: Database, waiting: Write) -> None:
        post_id = waiting("Not approved.")
        with pytest.raises(sqlite3.IntegrityError, match="only an approved text"):
            _attempt(db, post_id, "a")

    def test_one_post_is_posted_once(self, db: Database, approved: int) -> None:
        for uuid, x_id in (("a", "1"), ("b", "2")):
            _attempt(db, approved, uuid, account=uuid)
            statement = (
                f"UPDATE attempts SET outcome = 'posted', x_post_id = '{x_id}', "
                f"finished_at = 'now' WHERE uuid = '{uuid}'"
            )
            if uuid == "a":
                db.conn.execute(statement)
            else:
                with pytest.raises(sqlite3.IntegrityError, match=r"attempts\.post_id"):
                    db.conn.execute(statement)

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE attempts SET body_sha256 = 'x'",
            "UPDATE attempts SET started_at = 'x'",
            "UPDATE attempts SET epoch = 9",
            "DELETE FROM attempts",
            "UPDATE attempts SET outcome = 'held', finished_at = 'now'",
            "UPDATE attempts SET outcome = 'posted', finished_at = 'now'",
            "UPDATE attempts SET outcome = 'unknown'",
        ],
    )
    def test_its_intent_and_its_way_are_fixed(
        self, db: Database, approved: int, statement: str
    ) -> None:
        _attempt(db, approved, "a")
        with pytest.raises(sqlite3.IntegrityError):
            db.conn.execute(statement)

    def test_a_post_is_not_posted_without_an_attempt_that_says_so(
        self, db: Database, approved: int
    ) -> None:
        _attempt(db, approved, "a")
        db.conn.execute("UPDATE posts SET state = 'publishing'")
        with pytest.raises(sqlite3.IntegrityError, match="attempt that says so"):
            db.conn.execute("UPDATE posts SET state = 'posted', x_post_id = '7', posted_at = 'now'")


def test_every_change_is_written_to_the_audit_with_who_and_when(
    db: Database, clock: FakeClock, waiting: Write
) -> None:
    post_id = waiting()
    clock.advance(60)
    queue.approve(db, post_id, revision=1, actor="anna", now=clock.now())
    said = [(entry.actor, entry.what) for entry in reversed(entries(db))]
    assert said == [("runner", "validated"), ("runner", "pending_approval"), ("anna", "approved")]
    newest, before = entries(db, subject=f"post:{post_id}", limit=2)
    assert newest.at == iso(clock.now())
    assert newest.before_hash == before.after_hash != newest.after_hash
