"""F26 to F30, F33, F34: full disks, damaged files, old copies, migrations that die or race."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.errors import DatabaseUnusable, SchemaTooNew, StoreError
from engine.records import Verdict
from engine.service import alerts as service_alerts
from engine.service import backup, schedule
from engine.service.restore import restore
from engine.store import alerts, integrity, migrations, posts, service_state, slots
from engine.store.database import connect, opened, quick_check, write_tx
from engine.store.migrations import SCHEMA
from engine.store.posts import NewPost
from engine.store.schedules import Plan
from tests.faults.rig import Rig

HALF_HOURS = tuple(f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in (0, 30))


def python(code: str, *args: object) -> subprocess.Popen[str]:
    """A process of its own: SQLite's locks are per process."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out + err


# F26: full disk


def plan(db: Database, clock: FakeClock) -> None:
    schedule.plan_slots(db, clock.now(), horizon_h=24 * 7)


def fill(db: Database, clock: FakeClock) -> None:
    for slot in slots.waiting(db, clock.now() + timedelta(days=9)):
        with write_tx(db):
            if schedule.claim(db, slot.id, clock.now() + timedelta(days=9)):
                post = NewPost("joke", "x" * 200, Verdict(), "model", "sample", slot_id=slot.id)
                post_id = posts.insert(db, post, actor="test", now=clock.now())
                schedule.finish(db, slot.id, "filled", now=clock.now(), post_id=post_id)


def alert(db: Database, clock: FakeClock) -> None:
    for number in range(200):
        alerts.raise_alert(db, "job_failing", str(number), "warning", "x" * 200, clock.now())


def whole(db: Database) -> None:
    """Nothing half-done: the file is sound and every filled slot has its post."""
    assert quick_check(db) is None
    filled = slots.ended_since(db, datetime(2000, 1, 1, tzinfo=UTC), "filled")
    assert all(posts.get(db, slot.post_id or 0) for slot in filled)
    assert len(posts.listing(db, limit=1_000)) == len(filled)
    assert slots.claimed(db) == []


@pytest.mark.parametrize("work", [plan, fill, alert])
def test_f26_a_full_disk_at_every_page_leaves_nothing_half_done(
    db_path: Path, clock: FakeClock, work: Callable[[Database, FakeClock], None]
) -> None:
    """SQLITE_FULL as the file may grow by 0, 1, 2, … pages; with space again, work goes on."""
    with opened(db_path) as db:
        plan_name = Plan("s", "UTC", HALF_HOURS, content_type="joke")
        schedule.save_schedule(db, None, plan_name, clock.now())
        if work is fill:
            plan(db, clock)
        pages = db.conn.execute("PRAGMA page_count").fetchone()[0]
    failures = 0
    for room in range(40):
        with opened(db_path) as db:
            db.conn.execute("PRAGMA synchronous=OFF")  # what is full does not depend on it
            db.conn.execute(f"PRAGMA max_page_count={pages + room}")
            before = slots.counts(db)
            try:
                work(db, clock)
            except sqlite3.OperationalError as error:
                assert "full" in str(error)
                failures += 1
                if work is plan:
                    assert slots.counts(db) == before
            whole(db)
    assert failures >= 3
    with opened(db_path) as db:
        work(db, clock)
        whole(db)
        if work is plan:
            assert slots.counts(db)["due"] == 7 * 48
        if work is fill:
            assert slots.counts(db).get("filled") == 7 * 48
        if work is alert:
            assert len(alerts.open_alerts(db)) == 200


def test_f26_a_backup_that_hits_the_write_limit_leaves_no_half_copy(
    db_path: Path, clock: FakeClock
) -> None:
    """RLIMIT_FSIZE, as a quota gives it: an error, no part file, the database untouched."""
    with opened(db_path) as db:
        schedule.save_schedule(
            db, None, Plan("s", "UTC", HALF_HOURS, content_type="joke"), clock.now()
        )
    code, said = ended(
        python(
            """
            import resource, sys
            from datetime import UTC, datetime
            from pathlib import Path
            from engine.errors import StoreError
            from engine.service.backup import backup
            limit = 100_000
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            try:
                backup(Path(sys.argv[1]), now=datetime(2026, 11, 22, tzinfo=UTC))
            except StoreError as error:
                print("refused:", error)
            """,
            db_path,
        )
    )
    assert code == 0, said
    assert "refused: The backup of" in said
    assert list((db_path.parent / "backups").iterdir()) == []
    assert backup.verify(db_path).problems == ()
    assert backup.backup(db_path, now=clock.now()).path.exists()


def test_with_a_full_disk_the_alert_still_reaches_the_outside(
    db_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The database cannot store the alert; the sentence goes out past it."""
    from engine.config import Config
    from engine.service.notify import tell

    answer = tell(db_path, Config(db=db_path), clock, "the disk is full")
    assert answer == {"log": None, "file": None}
    assert "the disk is full" in db_path.with_name("bot.alerts.log").read_text()


# F27: a long reader


def test_f27_a_long_reader_blocks_neither_slots_nor_alerts(db_path: Path, clock: FakeClock) -> None:
    reader = connect(db_path, "ro")
    reader.conn.execute("BEGIN")
    reader.conn.execute("SELECT count(*) FROM slots").fetchone()
    with opened(db_path) as db:
        schedule.save_schedule(db, None, Plan("s", "UTC", HALF_HOURS), clock.now())
        service_alerts.watch_heartbeat(db, clock)
        assert slots.counts(db)["due"] == 96
    backup.backup(db_path, now=clock.now())
    assert reader.conn.execute("SELECT count(*) FROM slots").fetchone()[0] == 0
    reader.close()


# F28: damage


def test_f28_a_torn_last_frame_of_the_wal_costs_that_commit_only(
    db_path: Path, clock: FakeClock, tmp_path: Path
) -> None:
    """Files copied at the instant of a power cut, the last frame half written."""
    torn = tmp_path / "torn.db"
    with opened(db_path) as db:
        for number in range(5):
            alerts.raise_alert(db, "disk_low", str(number), "info", "x", clock.now())
        wal = db_path.with_name("bot.db-wal").read_bytes()
        torn.write_bytes(db_path.read_bytes())
        torn.with_name("torn.db-wal").write_bytes(wal[:-1_000])
    with opened(torn) as db:
        assert quick_check(db) is None
        assert [row.key for row in alerts.open_alerts(db)] == ["0", "1", "2", "3"]
    assert backup.verify(torn).problems == ()


def test_f28_a_flipped_byte_in_a_stored_text_is_found_by_its_hash_alone(
    db_path: Path, clock: FakeClock
) -> None:
    with opened(db_path) as db:
        post = NewPost("price", "BTC is at $91,250.", Verdict(), "model", "sample")
        posts.insert(db, post, actor="test", now=clock.now())
        db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = db_path.read_bytes()
    db_path.write_bytes(content.replace(b"$91,250", b"$91,350", 1))
    with opened(db_path) as db:
        assert db.conn.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    (problem,) = integrity.inspect(db_path).problems
    assert "is not the one that was stored" in problem


# F29: an old copy


def test_f29_a_database_from_yesterday_posts_nothing_that_x_already_has(
    rig: Rig, clock: FakeClock
) -> None:
    """Approved and backed up, then posted, then restored: X's own log holds it once, and the
    restored row learns its id. What was never posted still goes out once."""
    rig.settings(posting__draft_ttl_s=7 * 86_400)
    posted, waiting = rig.approved("Posted after the backup."), rig.approved("Never posted.")
    with opened(rig.db_path) as db, write_tx(db):
        db.conn.execute("UPDATE posts SET not_before = '2027-01-01' WHERE id = ?", (waiting,))
    backup.backup(rig.db_path, now=clock.now())
    clock.advance(60)
    assert rig.round().kind == "posted"
    x_post_id = rig.post(posted).x_post_id
    rig.end()
    clock.advance(86_400)

    restore(rig.db_path, clock=clock)
    with opened(rig.db_path) as db:
        assert posts.need(db, posted).state == "approved"
        assert service_state.get(db, service_state.RECONCILE_REQUIRED)
    rig.start()
    for _ in range(120):
        rig.round()
        rig.poster.reconcile()
        clock.advance(30)
    assert rig.x.accepted() == ["Posted after the backup."]
    assert (rig.post(posted).state, rig.post(posted).x_post_id) == ("posted", x_post_id)
    with opened(rig.db_path) as db:
        assert service_state.get(db, service_state.RECONCILE_REQUIRED) is None
        with write_tx(db):
            db.conn.execute("UPDATE posts SET not_before = NULL WHERE id = ?", (waiting,))
    for _ in range(3):
        rig.round()
    assert rig.x.accepted() == ["Posted after the backup.", "Never posted."]


# F33, F34: migrations


@pytest.fixture
def old_db(tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database that knows only the first migration, with something in it."""
    path, past = tmp_path / "old" / "bot.db", tmp_path / "schema-1"
    past.mkdir()
    (past / "001_core.sql").write_text((SCHEMA / "001_core.sql").read_text())
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "SCHEMA", past)
        backup.migrate_with_backup(path, clock=clock)
    with opened(path) as db, write_tx(db):
        db.conn.execute("INSERT INTO settings VALUES ('posting.daily_cap', '7', '2026', 'anna')")
    return path


def shape(path: Path) -> list[tuple[str, ...]]:
    with opened(path, "ro") as db:
        return db.conn.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()


MIGRATE = """
    import sys
    from pathlib import Path
    from engine.clock import SystemClock
    from engine.service.backup import migrate_with_backup
    names, copy = migrate_with_backup(Path(sys.argv[1]), clock=SystemClock())
    print(len(names))
"""


@pytest.mark.parametrize("fresh", [True, False])
def test_f33_processes_that_migrate_at_once_apply_each_step_once(
    old_db: Path, tmp_path: Path, fresh: bool
) -> None:
    """F33."""
    path = tmp_path / "new" / "bot.db" if fresh else old_db
    results = [ended(process) for process in [python(MIGRATE, path) for _ in range(3)]]
    assert [code for code, _ in results] == [0, 0, 0], results
    total = len(list(SCHEMA.glob("[0-9]*.sql")))
    assert sorted(int(said) for _, said in results) == [0, 0, total - (0 if fresh else 1)]
    with opened(path, "ro") as db:
        assert len(integrity.applied(db)) == total
    assert backup.verify(path).problems == ()


def test_a_copy_is_made_before_migrating_and_only_then(old_db: Path, clock: FakeClock) -> None:
    names, copy = backup.migrate_with_backup(old_db, clock=clock)
    assert names
    assert copy
    with opened(copy.path, "ro") as db:
        assert integrity.applied(db) == ("001_core",)
        assert db.conn.execute("SELECT value FROM settings").fetchone() == ("7",)
    assert backup.migrate_with_backup(old_db, clock=clock) == ([], None)
    assert backup.listing(old_db) == [copy.path]


def test_f33_an_old_program_refuses_a_newer_database(
    old_db: Path, tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F33: it neither starts nor changes anything."""
    backup.migrate_with_backup(old_db, clock=clock)
    before = shape(old_db)
    monkeypatch.setattr(migrations, "SCHEMA", tmp_path / "schema-1")
    with pytest.raises(SchemaTooNew, match="newer BTCBuzzBot"):
        backup.migrate_with_backup(old_db, clock=clock)
    assert shape(old_db) == before


@pytest.mark.parametrize("file", sorted(file.name for file in SCHEMA.glob("0[1-9]*.sql")))
def test_f34_a_step_that_fails_rolls_all_of_them_back(
    old_db: Path, tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    """F34: at the end of each step in turn; the copy was made first, and a repair goes through."""
    broken = tmp_path / "schema-broken"
    broken.mkdir()
    for source in SCHEMA.glob("[0-9]*.sql"):
        (broken / source.name).write_text(source.read_text())
    with (broken / file).open("a") as stream:
        stream.write("\nINSERT INTO nowhere VALUES (1);\n")
    before = shape(old_db)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "SCHEMA", broken)
        with pytest.raises(StoreError, match="nothing was changed"):
            backup.migrate_with_backup(old_db, clock=clock)
    assert shape(old_db) == before
    assert len(backup.listing(old_db)) == 1
    clock.advance(60)
    assert backup.migrate_with_backup(old_db, clock=clock)[0]
    assert backup.verify(old_db).problems == ()


@pytest.mark.parametrize("statement", [1, 3, 9, 20, 33])
def test_f34_a_kill_within_a_migration_leaves_the_old_schema(old_db: Path, statement: int) -> None:
    """F34: SIGKILL at the n-th statement of the pending steps."""
    before = shape(old_db)
    code, said = ended(
        python(
            """
            import os, signal, sys
            from pathlib import Path
            from engine.clock import SystemClock
            from engine.service.backup import migrate_with_backup
            from engine.store import migrations
            whole, seen = migrations.statements, 0

            def deadly(sql):
                global seen
                for statement in whole(sql):
                    seen += 1
                    if seen == int(sys.argv[2]):
                        os.kill(os.getpid(), signal.SIGKILL)
                    yield statement

            migrations.statements = deadly
            migrate_with_backup(Path(sys.argv[1]), clock=SystemClock())
            """,
            old_db,
            statement,
        )
    )
    assert code == -signal.SIGKILL, said
    assert shape(old_db) == before
    assert len(backup.listing(old_db)) == 1
    assert ended(python(MIGRATE, old_db))[0] == 0
    assert backup.verify(old_db).problems == ()


# places where no database may be


def test_a_read_only_folder_and_a_foreign_file_are_refused_in_a_sentence(
    tmp_path: Path, clock: FakeClock
) -> None:
    text = tmp_path / "notes.db"
    text.write_text("these are notes, not a database " * 200)
    with pytest.raises(DatabaseUnusable, match="not a sound SQLite database"):
        backup.migrate_with_backup(text, clock=clock)
    assert text.read_text().startswith("these are notes")
    with pytest.raises(DatabaseUnusable, match="is a folder"):
        backup.migrate_with_backup(tmp_path, clock=clock)
    if os.geteuid():  # root may write anywhere
        locked = tmp_path / "locked"
        locked.mkdir(mode=0o500)
        with pytest.raises(DatabaseUnusable, match=r"cannot be (written|opened)"):
            backup.migrate_with_backup(locked / "bot.db", clock=clock)
