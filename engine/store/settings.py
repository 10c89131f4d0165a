"""Operators' settings in the database; defaults and ranges come from :mod:`engine.settings`."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from engine.clock import iso
from engine.errors import UsageError
from engine.settings import SETTINGS, check_setting
from engine.store.database import write_tx


def get(db: Database, key: str) -> Any:
    """The value in force for ``key``.

    Raises: UsageError for an unknown key.
    """
    if key not in SETTINGS:
        check_setting(key, None)
    row = db.conn.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
    return json.loads(row[0]) if row else SETTINGS[key].default


def get_all(db: Database) -> dict[str, Any]:
    """Every key with the value in force."""
    stored = dict(db.conn.execute("SELECT key, value FROM settings").fetchall())
    return {
        key: json.loads(stored[key]) if key in stored else setting.default
        for key, setting in SETTINGS.items()
    }


def put(db: Database, key: str, value: Any, *, actor: str, now: datetime) -> Any:
    """Store a checked value; answers it as stored.

    Raises: UsageError.
    """
    checked = check_setting(key, value)
    with write_tx(db):
        db.conn.execute(
            "INSERT INTO settings (key, value, updated_at, updated_by) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value, "
            "updated_at = excluded.updated_at, updated_by = excluded.updated_by",
            (key, json.dumps(checked), iso(now), actor),
        )
    return checked


def parse_value(text: str) -> Any:
    """What a person typed for a value: JSON where it parses, else the text itself.

    Raises: UsageError for NaN and infinities, which JSON does not know.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError:
        return text


def _refuse_constant(name: str) -> None:
    raise UsageError(f"{name} is not a value. Give a number.")
