"""The person beside the bot in the campaigns: approves, looks at the account, resumes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.clock import iso
from engine.posting import killswitch, queue
from engine.posting.resolve import HeldAction, resolve_held
from engine.posting.states import FINAL
from engine.store import attempts, posting, posts
from engine.store.database import opened, write_tx
from engine.store.migrations import migrate
from tests.faults.rig import QUICK, put_settings
from tests.faults.x_server import USER, XServer


def fresh_database(path: Path, *, quiet_s: float, reads: int, **more: Any) -> None:
    """A migrated database with settings for a hurried world; ``more`` by their own names."""
    with opened(path) as db:
        migrate(db)
    hurried = {
        **QUICK,
        "posting.attempt_timeout_s": 0.12,
        "posting.quiet_period_s": quiet_s,
        "posting.reconcile_reads": reads,
        "posting.repost_when_absent": True,
        "posting.slot_grace_s": 86_400,
        "posting.hourly_cap": 100,
        "posting.monthly_budget_usd": 100_000,
        **more,
    }
    put_settings(path, datetime.now(UTC), **hurried)
    with opened(path) as db, write_tx(db):  # more than people may set
        db.conn.execute(
            "UPDATE settings SET value = '1000000' WHERE key IN "
            "('posting.hourly_cap', 'posting.daily_cap')"
        )


class Operator:
    """Works between two lives of the runner."""

    def __init__(self, db_path: Path, x: XServer) -> None:
        self._path, self._x = db_path, x
        self._slots = 0

    def add_slot(self) -> None:
        """A slot that is due now."""
        self._slots += 1
        now = datetime.now(UTC)
        with opened(self._path) as db, write_tx(db):
            db.conn.execute(
                "INSERT INTO slots (slot_key, local_date, local_time, zone, due_at, content_type, "
                "created_at) VALUES (?, ?, '00:00', 'UTC', ?, 'joke', ?)",
                (f"t|{self._slots:06d}", iso(now)[:10], iso(now), iso(now)),
            )

    def work(self) -> None:
        """Resume, approve what waits, settle what is held by a look at the account; and let the
        pauses that X or a broken network asked for be over."""
        now = datetime.now(UTC)
        with opened(self._path) as db:
            if killswitch.is_on(db, self._path):
                killswitch.resume(self._path, actor="anna", confirm="resume", now=now)
            if posting.blocked_until(db, USER):
                with write_tx(db):
                    posting.block(db, USER, now, "the wait is over")
            for post in posts.listing(db, state="pending_approval"):
                queue.approve(db, post.id, revision=post.revision, actor="anna", now=now)
            for post in posts.listing(db, state="approved"):
                if post.not_before and post.not_before > iso(now):
                    queue.schedule_for_later(
                        db, post.id, revision=post.revision, not_before=now, actor="anna", now=now
                    )
            for attempt in attempts.unsolved(db, "held"):
                text = posts.need(db, attempt.post_id).text
                mine = [post.id for post in self._x.posts if post.text == text]
                action: HeldAction = "link" if mine else "confirm_absent"
                resolve_held(
                    db, attempt.id, action, x_post_id=mine[0] if mine else None,
                    actor="anna", now=now,
                )  # fmt: skip

    def epoch(self) -> int:
        """Whose turn it is: another number once a new runner has started."""
        with opened(self._path) as db:
            return posting.runner(db).epoch

    def left(self) -> int:
        """How many posts, and slots whose time has come, have no end yet."""
        marks = ", ".join("?" * len(FINAL))
        with opened(self._path) as db:
            open_posts = db.conn.execute(
                f"SELECT count(*) FROM posts WHERE state NOT IN ({marks})", tuple(FINAL)
            ).fetchone()[0]
            open_slots = db.conn.execute(
                "SELECT count(*) FROM slots WHERE state IN ('due', 'claimed') AND due_at <= ?",
                (iso(datetime.now(UTC)),),
            ).fetchone()[0]
        return int(open_posts) + int(open_slots)

    def settle(self, life: Callable[[], None], patience: int) -> None:
        """Lives in peace until everything has its end, or so many in a row ended nothing more."""
        fewest, in_vain = self.left(), 0
        while fewest and in_vain < patience:
            self.work()
            life()
            left = self.left()
            in_vain = in_vain + 1 if left >= fewest else 0
            fewest = min(fewest, left)
