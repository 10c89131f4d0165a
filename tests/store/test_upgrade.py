"""From the first schema with data to the last: every step applies, no row is lost or changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock, iso
from engine.posting import queue
from engine.store import generations, migrations, posts, settings, slots, snapshots, templates
from engine.store.database import opened

AT = "2026-11-22T12:00:00.000Z"
LATER = "2026-11-22T16:00:00.000Z"

# A row in every table of the first schema, in the order of their references.
ROWS = {
    "settings": "('posting.daily_cap', '3', :at, 't')",
    "snapshots": "(1, :at, 'live', 67432.18, 0.1, '{\"price_usd\": 67432.18}', '[]', '[]', :at)",
    "prompt_templates": "(1, 'n', 'b', 'joke', :at, NULL, NULL, 0, NULL)",
    "template_versions": "(1, 1, 1, 's', 'b', '[]', '', 'sha', :at, 't')",
    "template_promotions": "(1, 1, 'production', 1, NULL, 'first', NULL, 't', :at)",
    "schedules": "(1, 'default', 'UTC', '[\"12:00\"]', '[1,2,3,4,5,6,7]', NULL, 1, :at, :at)",
    "slots": "(1, '1|2026-11-22|12:00', 1, '2026-11-22', '12:00', 'UTC', :at, 'joke', 'filled', "
    "NULL, 1, 1, NULL, :at, :at, :at), "
    "(2, '1|2026-11-22|16:00', 1, '2026-11-22', '16:00', 'UTC', :later, 'joke', 'due', NULL, "
    "NULL, 0, NULL, NULL, NULL, :at)",
    "heartbeats": "('runner', :at, 'boot', 1.0, 7, '{}')",
    "breakers": "('ollama:m', 'closed', 0, 0, NULL, NULL, :at)",
    "job_runs": "(1, 'market', :at, 0.5, 'ok', NULL)",
}
POST = (
    "INSERT INTO posts (id, slot_id, content_type, text, body_sha256, state, snapshot_id, world, "
    "verdict, origin, is_llm_generated, prompt_template_id, template_version_id, model_name, "
    "created_at, updated_at) VALUES (1, 1, 'joke', 'A block walks into a bar.', :sha, "
    "'pending_approval', 1, 'live', 'pass', 'model', 1, 1, 1, 'm', :at, :at)"
)
REVISION = "INSERT INTO post_revisions VALUES (1, 1, 1, 'A block walks into a bar.', :sha, 1, 'pass', '[]', 't', :at)"
CALL = (
    "INSERT INTO generation_params (id, post_id, model_name, raw_prompt, completion_time, "
    "created_at, draft_key, purpose, backend, options, outcome, raw_text, snapshot_id) "
    "VALUES (1, 1, 'm', 'p', 1.5, :at, 'k', 'post', 'ollama', '{}', 'ok', 'A block', 1)"
)


def tables(db: Database) -> dict[str, list[str]]:
    """Columns of every table of the schema in force."""
    names = [name for name in db.table_names() if not name.startswith(("sqlite_", "_sqlite"))]
    return {name: [column.name for column in db[name].columns] for name in names}


def contents(db: Database, known: dict[str, list[str]]) -> dict[str, list[tuple[object, ...]]]:
    return {
        name: sorted(
            db.conn.execute(f"SELECT {', '.join(columns)} FROM {name}").fetchall(), key=repr
        )
        for name, columns in known.items()
    }


def test_every_release_in_between_can_be_upgraded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    """A database is made by the first schema, filled, and brought up one file at a time, as if
    each had been a release; then today's code works with what is in it."""
    files = sorted(migrations.SCHEMA.glob("[0-9]*.sql"))
    old = tmp_path / "schema"
    old.mkdir()
    monkeypatch.setattr(migrations, "SCHEMA", old)
    path = tmp_path / "bot.db"
    shutil.copy(files[0], old)
    values = {"at": AT, "later": LATER, "sha": posts.body_hash("A block walks into a bar.")}
    with opened(path) as db:
        assert migrations.migrate(db) == [files[0].stem]
        for table, row in ROWS.items():
            db.conn.execute(f"INSERT INTO {table} VALUES {row}", values)
        for statement in (POST, REVISION, CALL):
            db.conn.execute(statement, values)
        db.conn.commit()
        first = {name: columns for name, columns in tables(db).items() if name != "migrations"}
        before = contents(db, first)
        assert [name for name, rows in before.items() if not rows] == []
    for file in files[1:]:
        shutil.copy(file, old)
        with opened(path) as db:
            assert migrations.migrate(db) == [file.stem]
    with opened(path) as db:
        assert migrations.pending(db) == []
        assert contents(db, first) == before
        assert db.conn.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert db.conn.execute("PRAGMA foreign_key_check").fetchone() is None
        assert settings.get(db, "posting.daily_cap") == 3
        assert templates.get_version(db, 1).body == "b"
        snapshot = snapshots.get(db, 1)
        assert snapshot is not None
        assert snapshot.facts.price_usd == 67432.18
        assert [call.raw_text for call in generations.listing(db)] == ["A block"]
        assert [iso(slot.due_at) for slot in slots.upcoming(db, clock.now())] == [LATER]
        approved = queue.approve(db, 1, revision=1, actor="anna", now=clock.now())
        assert approved.state == "approved"
