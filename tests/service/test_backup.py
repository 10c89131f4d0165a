"""Backups count only once they are checked; a restore keeps everything and posts nothing blindly."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest

from engine.clock import FakeClock
from engine.errors import DatabaseUnusable, LockHeld, SchemaTooNew, StoreError
from engine.posting import killswitch
from engine.posting.lock import HostLock
from engine.records import Verdict
from engine.service import backup
from engine.service.restore import restore
from engine.store import audit, posts, service_state, settings
from engine.store.database import opened, quick_check, write_tx
from engine.store.posts import NewPost


def write_post(path: Path, text: str, clock: FakeClock) -> int:
    post = NewPost("joke", text, Verdict(), "model", "sample")
    with opened(path) as db:
        return posts.insert(db, post, actor="test", now=clock.now())


def texts(path: Path) -> list[str]:
    with opened(path, "ro") as db:
        return sorted(post.text for post in posts.listing(db))


# backup


def test_a_backup_is_a_whole_checked_private_copy(db_path: Path, clock: FakeClock) -> None:
    write_post(db_path, "one", clock)
    made = backup.backup(db_path, now=clock.now())
    assert backup.verify(made.path).problems == ()
    assert texts(made.path) == ["one"]
    assert made.rows["posts"] == 1
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert made.path.parent.stat().st_mode & 0o077 == 0
    sidecar = made.path.with_name(made.path.name + ".sha256")
    assert sidecar.read_text() == f"{made.sha256}  {made.path.name}\n"
    assert hashlib.sha256(made.path.read_bytes()).hexdigest() == made.sha256
    assert sorted(file.name for file in made.path.parent.iterdir()) == [
        made.path.name,
        sidecar.name,
    ]


def test_a_copy_made_while_others_write_is_one_moment(db_path: Path, clock: FakeClock) -> None:
    """Two posts are always written together; every copy holds both or neither."""
    stop, wrote = threading.Event(), threading.Event()

    def write() -> None:
        while not stop.is_set():
            with opened(db_path) as db, write_tx(db):
                for half in ("left", "right"):
                    post = NewPost("joke", half, Verdict(), "model", "sample")
                    posts.insert(db, post, actor="test", now=clock.now())
            wrote.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        copies = []
        for _ in range(5):
            wrote.clear()
            assert wrote.wait(30)
            copies.append(backup.backup(db_path, now=clock.now()))
            clock.advance(1)
    finally:
        stop.set()
        writer.join()
    assert all(backup.verify(copy.path).problems == () for copy in copies)
    counts = [copy.rows["posts"] for copy in copies]
    assert counts == sorted(set(counts))
    assert [count % 2 for count in counts] == [0] * 5


def test_only_the_newest_are_kept_for_each_label(db_path: Path, clock: FakeClock) -> None:
    with opened(db_path) as db:
        settings.put(db, "backup.keep", 2, actor="test", now=clock.now())
    backup.backup(db_path, now=clock.now(), label="migration")
    for _ in range(4):
        clock.advance(60)
        newest = backup.backup(db_path, now=clock.now(), label="daily")
    kept = backup.listing(db_path, "daily")
    assert len(kept) == 2
    assert kept[0] == newest.path
    assert backup.created_at(kept[0]) == clock.now()
    assert len(backup.listing(db_path)) == 3
    assert len(list((db_path.parent / "backups").glob("*.sha256"))) == 3


def test_the_daily_one_is_made_once_a_day(db_path: Path, clock: FakeClock) -> None:
    made = []
    for _ in range(72):
        made.append(backup.daily(db_path, clock) is not None)
        clock.advance(3600)
    assert [hour for hour, done in enumerate(made) if done] == [0, 24, 48]


def test_a_damaged_database_is_not_passed_on_as_a_backup(db_path: Path, clock: FakeClock) -> None:
    """F28: a price flipped in a stored text; SQLite itself sees nothing."""
    write_post(db_path, "Bitcoin is at $91,250.", clock)
    good = backup.backup(db_path, now=clock.now())
    spoil(db_path, b"$91,250", b"$81,250")
    with opened(db_path) as db:
        assert quick_check(db) is None
    clock.advance(60)
    with pytest.raises(DatabaseUnusable, match="text of post 1"):
        backup.backup(db_path, now=clock.now())
    assert backup.listing(db_path) == [good.path]
    assert [file for file in good.path.parent.iterdir() if file.suffix == ".part"] == []


def test_damage_found_by_the_daily_backup_stops_posting(db_path: Path, clock: FakeClock) -> None:
    """F28."""
    write_post(db_path, "Bitcoin is at $91,250.", clock)
    spoil(db_path, b"$91,250", b"$81,250")
    with pytest.raises(DatabaseUnusable):
        backup.daily(db_path, clock)
    with opened(db_path) as db:
        assert killswitch.is_on(db, db_path)
        assert "text of post 1" in killswitch.status(db, db_path).reason


def test_without_room_nothing_is_written(db_path: Path, clock: FakeClock) -> None:
    with opened(db_path) as db:
        settings.put(db, "service.min_free_mb", 1_000_000, actor="test", now=clock.now())
    with pytest.raises(StoreError, match="No room"):
        backup.backup(db_path, now=clock.now())
    assert backup.listing(db_path) == []


# verify


def spoil(path: Path, old: bytes, new: bytes) -> None:
    """Change bytes of a database nobody has open."""
    with opened(path) as db:
        db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"approve carefully", b"approve carelessl", "text of post 1"),
        (b"test\x00stop", b"test\x00go!!", None),
    ],
)
def test_changed_texts_are_found(
    db_path: Path, clock: FakeClock, old: bytes, new: bytes, says: str | None
) -> None:
    write_post(db_path, "approve carefully", clock)
    if says is None:
        killswitch.stop(db_path, actor="operator", reason="by hand", now=clock.now())
        old, new, says = b"stopkill_switch", b"haltkill_switch", "audit entry"
    assert backup.verify(db_path).problems == ()
    spoil(db_path, old, new)
    assert says in "; ".join(backup.verify(db_path).problems)


def test_a_damaged_page_a_bad_reference_and_a_wrong_checksum_are_found(
    db_path: Path, clock: FakeClock
) -> None:
    for number in range(200):
        write_post(db_path, f"post {number} " + "x" * 200, clock)
    made = backup.backup(db_path, now=clock.now())
    content = bytearray(made.path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = os.urandom(4096)
    made.path.write_bytes(content)
    assert "SHA-256" in backup.verify(made.path).problems[0]
    made.path.with_name(made.path.name + ".sha256").unlink()
    assert backup.verify(made.path).problems != ()
    with opened(db_path) as db:
        db.conn.execute("PRAGMA foreign_keys=OFF")
        with write_tx(db):
            db.conn.execute("UPDATE posts SET slot_id = 4711 WHERE id = 1")
    assert "slots" in backup.verify(db_path).problems[0]


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusable, match="does not exist"):
        backup.verify(tmp_path / "none.db")
    (tmp_path / "text.db").write_text("hello, this is no database at all" * 100)
    try:
        problems = backup.verify(tmp_path / "text.db").problems
    except DatabaseUnusable as error:
        problems = (str(error),)
    assert "not a" in problems[0]


# restore


def test_a_restore_brings_yesterday_back_and_keeps_today(db_path: Path, clock: FakeClock) -> None:
    """RPO is the backup; posting is told to compare with X before it goes on."""
    write_post(db_path, "yesterday", clock)
    made = backup.backup(db_path, now=clock.now())
    clock.advance(86_400)
    write_post(db_path, "today", clock)
    done = restore(db_path, clock=clock, actor="anna")
    assert (done.source, done.made_at) == (made.path, made.created_at)
    assert texts(db_path) == ["yesterday"]
    assert done.kept
    assert texts(done.kept / "bot.db") == ["today", "yesterday"]
    with opened(db_path) as db:
        assert service_state.get(db, service_state.RECONCILE_REQUIRED) == (
            "a backup of 2026-11-22T12:00:00.000Z was restored"
        )
        assert audit.verify_chain(db) is None
        assert [(row.actor, row.what) for row in audit.entries(db)] == [("anna", "restore")]
    assert db_path.stat().st_mode & 0o777 == 0o600
    assert not backup.restoring(db_path).exists()
    assert backup.verify(db_path).problems == ()


def test_a_restore_waits_for_no_runner(db_path: Path, clock: FakeClock) -> None:
    backup.backup(db_path, now=clock.now())
    write_post(db_path, "today", clock)
    with HostLock(db_path), pytest.raises(LockHeld):
        restore(db_path, clock=clock)
    assert texts(db_path) == ["today"]


def test_the_newest_sound_backup_is_taken(db_path: Path, clock: FakeClock) -> None:
    write_post(db_path, "one", clock)
    backup.backup(db_path, now=clock.now())
    clock.advance(60)
    write_post(db_path, "two", clock)
    newest = backup.backup(db_path, now=clock.now())
    newest.path.write_bytes(newest.path.read_bytes()[:-4096])
    restore(db_path, clock=clock)
    assert texts(db_path) == ["one"]


def test_a_database_beyond_reading_can_be_replaced(db_path: Path, clock: FakeClock) -> None:
    """F28: the damaged files are kept as they are; posting stays stopped until a person looks."""
    write_post(db_path, "one", clock)
    backup.backup(db_path, now=clock.now())
    db_path.write_bytes(b"\0" * 20_000)
    done = restore(db_path, clock=clock)
    assert texts(db_path) == ["one"]
    assert done.kept
    assert (done.kept / "bot.db").read_bytes() == b"\0" * 20_000
    with opened(db_path) as db:
        assert killswitch.is_on(db, db_path)


def test_a_lost_database_can_be_restored(db_path: Path, clock: FakeClock) -> None:
    write_post(db_path, "one", clock)
    backup.backup(db_path, now=clock.now())
    for file in db_path.parent.glob("bot.db*"):
        file.unlink()
    assert restore(db_path, clock=clock).kept is None
    assert texts(db_path) == ["one"]


def test_a_stop_in_force_survives_an_older_database(db_path: Path, clock: FakeClock) -> None:
    """Stopped at noon, restored from the morning: still stopped."""
    backup.backup(db_path, now=clock.now())
    with opened(db_path) as db:
        killswitch.record(db, actor="runner", reason="401 from X", now=clock.now())
    restore(db_path, clock=clock)
    with opened(db_path) as db:
        assert killswitch.is_on(db, db_path)


def test_bad_sources_change_nothing(db_path: Path, clock: FakeClock, tmp_path: Path) -> None:
    write_post(db_path, "today", clock)
    with pytest.raises(StoreError, match="no sound backup"):
        restore(db_path, clock=clock)
    with pytest.raises(DatabaseUnusable, match="does not exist"):
        restore(db_path, tmp_path / "none.db", clock=clock)
    made = backup.backup(db_path, now=clock.now())
    with opened(made.path) as db, write_tx(db):
        db.conn.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
            "VALUES ('btcbuzzbot', '999_future', '2027-01-01')"
        )
    made.path.with_name(made.path.name + ".sha256").unlink()
    with pytest.raises(SchemaTooNew):
        restore(db_path, made.path, clock=clock)
    assert texts(db_path) == ["today"]
    assert not backup.restoring(db_path).exists()


def test_an_interrupted_restore_is_noticed_and_can_be_repeated(
    db_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two renames there is no database; the runner must not begin an empty one."""
    write_post(db_path, "one", clock)
    backup.backup(db_path, now=clock.now())
    rename = Path.replace

    def crash(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        restore(db_path, clock=clock)
    monkeypatch.setattr(Path, "replace", rename)
    assert not db_path.exists()
    with pytest.raises(DatabaseUnusable, match="interrupted"):
        backup.migrate_with_backup(db_path, clock=clock)
    assert not db_path.exists()
    restore(db_path, clock=clock)
    assert texts(db_path) == ["one"]
    backup.migrate_with_backup(db_path, clock=clock)


def test_many_restores_in_a_row_lose_nothing_that_was_backed_up(
    db_path: Path, clock: FakeClock
) -> None:
    """The drill: back up, go on, lose the files, restore, compare."""
    for number in range(8):
        write_post(db_path, f"post {number}", clock)
        backup.backup(db_path, now=clock.now())
        before = texts(db_path)
        clock.advance(3600)
        write_post(db_path, "after the backup", clock)
        if number % 2:
            db_path.write_bytes(os.urandom(8192))
        restore(db_path, clock=clock)
        assert texts(db_path) == before
        clock.advance(3600)
