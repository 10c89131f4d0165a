"""The sample week: made by the real functions, apart from everything else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from engine.clock import FakeClock
from engine.errors import UsageError
from engine.service import sample
from engine.store import audit
from engine.store.database import opened


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from datetime import UTC, datetime

    path = tmp_path_factory.mktemp("week") / "bot.sample.db"
    sample.fill(path, now=datetime(2026, 11, 22, 12, 30, tzinfo=UTC), days=4)
    return path


def test_it_holds_posts_that_went_out_wait_and_were_refused(week: Path) -> None:
    with opened(week, "ro") as db:
        states = dict(
            db.conn.execute("SELECT state, count(*) FROM posts GROUP BY state").fetchall()
        )
        slots = dict(db.conn.execute("SELECT state, count(*) FROM slots GROUP BY state").fetchall())
    assert states["posted"] >= 10 and states["pending_approval"] >= 2 and states["rejected"] >= 1
    assert slots["filled"] >= 15 and slots["missed"] >= 1


def test_every_row_of_it_is_marked_sample_and_its_audit_is_whole(week: Path) -> None:
    with opened(week, "ro") as db:
        for table in ("posts", "snapshots"):
            worlds = db.conn.execute(f"SELECT DISTINCT world FROM {table}").fetchall()
            assert worlds == [("sample",)]
        assert audit.verify_chain(db) is None


def test_it_leaves_one_file_and_takes_it_away_again(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "bot.sample.db"
    sample.fill(path, now=clock.now() + timedelta(minutes=5), days=1)
    assert [file.name for file in tmp_path.iterdir()] == ["bot.sample.db"]
    with pytest.raises(UsageError, match="shown already"):
        sample.fill(path, now=clock.now(), days=1)
    sample.remove(path)
    assert list(tmp_path.iterdir()) == []
    sample.remove(path)
