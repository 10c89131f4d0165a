"""From the first schema with data to the last: every step applies, no row is lost or changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.clock import FakeClock
from engine.records import Facts, Snapshot
from engine.store import migrations, settings, snapshots, templates
from engine.store.database import opened


def test_every_release_in_between_can_be_upgraded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    """A database is made by the first schema, filled, and brought up one file at a time, as if
    each had been a release."""
    files = sorted(migrations.SCHEMA.glob("[0-9]*.sql"))
    old = tmp_path / "schema"
    old.mkdir()
    monkeypatch.setattr(migrations, "SCHEMA", old)
    path = tmp_path / "bot.db"
    shutil.copy(files[0], old)
    with opened(path) as db:
        assert migrations.migrate(db) == [files[0].stem]
        snapshot = snapshots.insert(
            db, Snapshot(Facts(clock.now(), 67_432.18), "live"), now=clock.now()
        )
        settings.put(db, "posting.daily_cap", 3, actor="t", now=clock.now())
        version = templates.create(
            db, name="n", purpose="joke", system="s", body="b", variables=[], actor="t",
            now=clock.now(),
        )  # fmt: skip
    for file in files[1:]:
        shutil.copy(file, old)
        with opened(path) as db:
            assert migrations.migrate(db) == [file.stem]
    with opened(path) as db:
        assert migrations.pending(db) == []
        assert snapshots.get(db, snapshot.id or 0) == snapshot
        assert settings.get(db, "posting.daily_cap") == 3
        assert templates.get_version(db, version.id) == version
        assert db.conn.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert db.conn.execute("PRAGMA foreign_key_check").fetchone() is None
