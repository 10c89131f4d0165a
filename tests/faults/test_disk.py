"""F26, F27, F28, F30 for posting: disks that are full, locks that last, bytes and files that change."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlite_utils import Database

from engine.errors import DatabaseUnusable
from engine.posting import killswitch, spool
from engine.posting.publisher import Answer
from engine.store import database
from engine.store.audit import verify_chain
from engine.store.database import opened
from tests.faults.rig import Rig
from tests.faults.x_server import Act, XServer


@contextmanager
def no_more_bytes(db_path: Path) -> Iterator[None]:
    """Files may not grow past what the WAL has now: its next frame fails (SQLITE_IOERR_WRITE)."""
    wal = db_path.with_name(db_path.name + "-wal")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = max(wal.stat().st_size if wal.exists() else 0, 16_384)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> list[Database]:
    """Connections that give up on a lock after 50 ms; answers those opened."""
    plain, seen = database.connect, []

    def connect(*args: object, **kwargs: object) -> Database:
        db = plain(*args, **kwargs)  # type: ignore[arg-type]
        db.conn.execute("PRAGMA busy_timeout=50")
        seen.append(db)
        return db

    monkeypatch.setattr(database, "connect", connect)
    return seen


class TestF26FullDisk:
    def test_when_the_intent_cannot_be_committed_nothing_is_posted(
        self, rig: Rig, x: XServer
    ) -> None:
        post_id = rig.approved()
        with opened(rig.db_path), no_more_bytes(rig.db_path):
            done = rig.round()
        assert (done.kind, done.guard) == ("stopped", "database")
        assert x.events("request") == []
        assert rig.post(post_id).state == "approved"
        assert rig.attempts(post_id) == []
        assert rig.round().kind == "posted"

    @pytest.mark.parametrize("act", [Act(), Act(how="drop"), Act(False, status=400, body={})])
    def test_when_the_outcome_cannot_be_committed_it_is_spooled_and_posting_stops(
        self, rig: Rig, x: XServer, act: Act
    ) -> None:
        post_id = rig.approved("The first text.")
        rig.approved("The second text.")
        x.next_post(act)
        send = rig.publisher.publish
        with opened(rig.db_path):  # keeps the WAL from being emptied
            limits = []

            def then_full(
                text: str, *, timeout_s: float, before_send: Callable[[], None]
            ) -> Answer:
                answer = send(text, timeout_s=timeout_s, before_send=before_send)
                limits.append(no_more_bytes(rig.db_path))
                limits[0].__enter__()
                return answer

            rig.publisher.publish = then_full  # type: ignore[method-assign]
            try:
                assert rig.round().kind == "spooled"
                assert rig.post(post_id).state == "publishing"
                assert spool.read(rig.db_path) is not None
                assert rig.round().guard == "spool"
            finally:
                limits[0].__exit__(None, None, None)
        rig.publisher.publish = send  # type: ignore[method-assign]
        rig.round()  # takes the outcome in, then goes on
        assert spool.read(rig.db_path) is None
        ends = {"reply201": "posted", "drop": "unknown", "reply400": "failed"}
        how = act.how if act.how == "drop" else f"reply{act.status or 201}"
        assert rig.post(post_id).state == ends[how]
        assert x.accepted().count("The first text.") == int(act.accept)

    def test_when_the_spool_cannot_be_written_either_the_outcome_is_found_on_x(
        self, rig: Rig, x: XServer
    ) -> None:
        """Nothing can be noted any more: the attempt ends at its deadline and is reconciled."""
        post_id = rig.approved()
        send = rig.publisher.publish
        spool.path_of(rig.db_path).unlink()
        spool.path_of(rig.db_path).mkdir()
        full = no_more_bytes(rig.db_path)

        def then_nothing(text: str, *, timeout_s: float, before_send: Callable[[], None]) -> Answer:
            answer = send(text, timeout_s=timeout_s, before_send=before_send)
            full.__enter__()
            return answer

        rig.publisher.publish = then_nothing  # type: ignore[method-assign]
        with opened(rig.db_path):  # keeps the WAL from being emptied
            try:
                done = rig.round()
            finally:
                full.__exit__(None, None, None)
        assert (done.kind, done.guard) == ("unknown", "spool")
        assert rig.post(post_id).state == "publishing"
        rig.publisher.publish = send  # type: ignore[method-assign]
        assert rig.round().guard == "in_flight"
        rig.clock.advance(60)  # type: ignore[attr-defined]
        assert rig.reconcile_until_decided() == ["posted"]
        assert rig.post(post_id).x_post_id == x.posts[0].id
        assert len(x.accepted()) == 1

    def test_when_the_last_look_before_sending_fails_nothing_leaves(
        self, rig: Rig, x: XServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """That nothing left is certain: it is tried again later, and nobody has to look at X."""
        post_id = rig.approved()
        looks = iter([False])  # the claim's own look

        def broken(*args: object) -> bool:
            for answer in looks:
                return answer
            raise sqlite3.OperationalError("disk I/O error")

        with monkeypatch.context() as patch:
            patch.setattr(killswitch, "is_on", broken)
            assert rig.round().kind == "not_sent"
        assert x.events("request") == []
        rig.clock.advance(60)  # type: ignore[attr-defined]
        assert rig.round().kind == "posted"
        assert x.accepted() == [rig.post(post_id).text]

    def test_without_room_for_the_spool_no_runner_starts(self, rig: Rig) -> None:
        spool.path_of(rig.db_path).unlink()
        spool.path_of(rig.db_path).symlink_to("/dev/full")
        with pytest.raises(DatabaseUnusable, match=r"bot\.spool cannot be written \(No space left"):
            rig.restart()

    def test_a_spooled_outcome_survives_a_restart(self, rig: Rig, x: XServer) -> None:
        post_id = rig.approved()
        send = rig.publisher.publish

        def then_die(text: str, *, timeout_s: float, before_send: Callable[[], None]) -> Answer:
            answer = send(text, timeout_s=timeout_s, before_send=before_send)
            (attempt,) = rig.attempts(post_id)
            spool.write(rig.db_path, spool.Spooled(attempt.uuid, answer, rig.clock.now()))
            raise KeyboardInterrupt

        rig.publisher.publish = then_die  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            rig.round()
        rig.restart()
        assert rig.post(post_id).x_post_id == x.posts[0].id
        assert len(x.events("request")) == 1

    @pytest.mark.parametrize("torn", ["", "{", '{"uuid": 1}', "\x00\x01", "[]"])
    def test_a_torn_spool_line_is_reconciled_instead(self, rig: Rig, x: XServer, torn: str) -> None:
        post_id = rig.approved()
        x.next_post(Act(how="drop"))
        rig.round()
        spool.path_of(rig.db_path).write_text(torn)
        rig.restart()
        assert rig.reconcile_until_decided() == ["posted"]
        assert rig.post(post_id).state == "posted"

    def test_the_spool_is_reserved_before_it_is_needed(self, rig: Rig) -> None:
        assert spool.path_of(rig.db_path).stat().st_size == spool.SIZE


class TestF27Locks:
    def test_a_long_writer_delays_and_loses_nothing(
        self, hurried: list[Database], rig: Rig, x: XServer
    ) -> None:
        post_id = rig.approved()
        writer = sqlite3.connect(rig.db_path)
        writer.execute("BEGIN IMMEDIATE")
        for _ in range(3):
            done = rig.round()
            assert (done.kind, done.guard) == ("stopped", "database")
        writer.rollback()
        writer.close()
        assert rig.round().kind == "posted"
        assert x.accepted() == [rig.post(post_id).text]

    def test_a_writer_that_comes_between_intent_and_outcome_is_waited_out_by_the_spool(
        self, hurried: list[Database], rig: Rig, x: XServer
    ) -> None:
        post_id = rig.approved()
        writer = sqlite3.connect(rig.db_path, check_same_thread=False)

        def come_between(stage: str) -> None:
            if stage == "accepted":
                writer.execute("BEGIN IMMEDIATE")

        x.hook = come_between
        assert rig.round().kind == "spooled"
        assert rig.round().kind == "stopped"
        writer.rollback()
        writer.close()
        rig.round()
        assert rig.post(post_id).state == "posted"
        assert len(x.accepted()) == 1

    def test_a_long_reader_blocks_nothing(self, rig: Rig) -> None:
        rig.approved()
        with opened(rig.db_path) as reader:
            reader.conn.execute("BEGIN")
            reader.conn.execute("SELECT * FROM posts").fetchall()
            assert rig.round().kind == "posted"
            reader.conn.execute("ROLLBACK")


class TestF28Damage:
    @pytest.mark.parametrize("column", ["text = 'BTC at $9'", "body_sha256 = 'f00'"])
    def test_a_changed_body_is_never_sent_and_stops_posting(
        self, rig: Rig, x: XServer, column: str
    ) -> None:
        """SQLite has no checksums: 258 of 300 flipped bits go unreported (facts, finding 9)."""
        rig.approved("BTC at $90,000")
        with opened(rig.db_path) as db:
            db.conn.execute("DROP TRIGGER posts_change_their_text_as_new_drafts")
            db.conn.execute(f"UPDATE posts SET {column}")
            db.conn.commit()
        assert rig.round().guard == "integrity"
        assert rig.round().guard == "kill_switch"
        assert x.events("request") == []

    def test_a_changed_audit_entry_is_found(self, rig: Rig) -> None:
        rig.approved()
        rig.round()
        with opened(rig.db_path) as db:
            assert verify_chain(db) is None
            db.conn.execute("DROP TRIGGER audit_stays")
            db.conn.execute("UPDATE audit SET actor = 'nobody' WHERE id = 3")
            assert "audit entry 3" in str(verify_chain(db))

    def test_a_missing_audit_entry_is_found(self, rig: Rig) -> None:
        rig.approved()
        rig.round()
        with opened(rig.db_path) as db:
            db.conn.execute("DROP TRIGGER audit_is_kept")
            db.conn.execute("DELETE FROM audit WHERE id = 3")
            assert "3 to 3 are missing" in str(verify_chain(db))


class TestF30TheFileChanges:
    def test_replaced(self, rig: Rig, x: XServer, tmp_path: Path) -> None:
        rig.approved()
        with opened(rig.db_path) as db:
            db.conn.execute("VACUUM INTO ?", (str(tmp_path / "copy.db"),))
        (tmp_path / "copy.db").replace(rig.db_path)
        done = rig.round()
        assert (done.kind, done.guard) == ("stopped", "database")
        assert "replaced or removed" in done.reason
        assert x.events("request") == []

    def test_deleted_and_not_made_anew(self, rig: Rig, x: XServer) -> None:
        rig.approved()
        rig.db_path.unlink()
        assert rig.round().guard == "database"
        assert rig.poster.reconcile() == []
        assert not rig.db_path.exists()
        assert x.events("request") == []

    def test_replaced_while_a_call_is_in_flight_the_outcome_is_spooled(
        self, rig: Rig, x: XServer, tmp_path: Path
    ) -> None:
        rig.approved()
        copy = tmp_path / "copy.db"
        with opened(rig.db_path) as db:
            db.conn.execute("VACUUM INTO ?", (str(copy),))

        def swap(stage: str) -> None:
            if stage == "accepted":
                for name in ("bot.db", "bot.db-wal", "bot.db-shm"):
                    (tmp_path / name).replace(tmp_path / f"moved-{name}")
                copy.replace(rig.db_path)

        x.hook = swap
        assert rig.round().kind == "spooled"
        assert rig.round().guard == "database"
        x.hook = lambda stage: None
        rig.restart()  # the copy does not know the attempt: nothing is posted until a person looked
        with opened(rig.db_path) as db:
            assert killswitch.is_on(db, rig.db_path)
        assert len(x.accepted()) == 1
