"""Opening a database: the promises are set and read back, bad places are refused in a sentence."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlite_utils import Database

from engine.errors import DatabaseUnusable
from engine.store import database
from engine.store.database import connect, explain, file_system_of, identity, opened, write_tx

MOUNTS = """\
/dev/vda / ext4 rw 0 0
server:/export /srv nfs4 rw 0 0
/dev/vdb /srv/local xfs rw 0 0
//box/share /mnt/my\\040share cifs rw 0 0
tmpfs /data tmpfs rw 0 0
host:/data /data fuse.sshfs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home/anna", "ext4"),
        ("/srv/bot", "nfs4"),
        ("/srv/local/bot", "xfs"),
        ("/srvice", "ext4"),
        ("/mnt/my share/bot", "cifs"),
        ("/data", "fuse.sshfs"),  # mounted over the tmpfs
    ],
)
def test_the_innermost_and_latest_mount_holds_a_folder(
    tmp_path: Path, folder: str, kind: str
) -> None:
    table = tmp_path / "mounts"
    table.write_text(MOUNTS)
    assert file_system_of(Path(folder), table) == kind


def test_without_a_table_of_mounts_nobody_knows(tmp_path: Path) -> None:
    assert file_system_of(tmp_path, tmp_path / "no such file") == "unknown"


def test_a_network_file_system_is_refused_and_no_file_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "file_system_of", lambda folder: "nfs4")
    with pytest.raises(DatabaseUnusable, match=r"network file system \(nfs4\).*local disk"):
        connect(tmp_path / "bot.db")
    assert list(tmp_path.iterdir()) == []


def test_every_pragma_holds_on_every_connection(db_path: Path) -> None:
    for mode in ("rw", "ro"):
        with opened(db_path, mode) as db:  # type: ignore[arg-type]
            found = {
                name: db.conn.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout",
                             "trusted_schema", "cell_size_check", "recursive_triggers")
            }  # fmt: skip
        assert found == {
            "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000,
            "trusted_schema": 0, "cell_size_check": 1, "recursive_triggers": 1,
        }  # fmt: skip


def test_a_reader_cannot_write(db_path: Path) -> None:
    with opened(db_path, "ro") as db, pytest.raises(sqlite3.OperationalError, match="readonly"):
        db.conn.execute("DELETE FROM settings")


def test_a_new_database_is_its_owners_alone(tmp_path: Path) -> None:
    with opened(tmp_path / "new" / "bot.db"):
        assert (tmp_path / "new" / "bot.db").stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_failed_transaction_leaves_nothing_and_a_nested_one_is_part_of_it(db: Database) -> None:
    def add(key: str) -> None:
        with write_tx(db):
            db.conn.execute("INSERT INTO settings VALUES (?, '1', 'now', 'test')", (key,))

    with pytest.raises(ZeroDivisionError), write_tx(db):
        add("inner")
        raise ZeroDivisionError
    assert not db.conn.in_transaction
    add("alone")
    assert db.conn.execute("SELECT key FROM settings").fetchall() == [("alone",)]


def test_a_replaced_file_has_another_identity(tmp_path: Path) -> None:
    file, other = tmp_path / "a", tmp_path / "b"
    file.touch()
    other.touch()
    before = identity(file)
    assert before == identity(file) is not None
    other.replace(file)
    assert identity(file) not in (before, None)
    assert identity(other) is None


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("file is not a database", "restore"),
        ("database disk image is malformed", "restore"),
        ("attempt to write a readonly database", "its owner, its mode"),
        ("database or disk is full", "Free some space"),
        ("database is locked", "Close it, then try again"),
        ("disk I/O error", "doctor"),
    ],
)
def test_what_sqlite_says_is_explained_with_what_to_do(said: str, told: str) -> None:
    assert told in explain(Path("bot.db"), sqlite3.OperationalError(said))
