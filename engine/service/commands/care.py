"""``status``, ``doctor``, ``backup``, ``restore``, ``verify``: looking after a running bot."""

from __future__ import annotations

import argparse
import dataclasses
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.clock import iso
from engine.errors import StoreError
from engine.posting import killswitch
from engine.resources import streamlit_config
from engine.service import backup, health
from engine.service.app import App, plain
from engine.service.restore import restore
from engine.store.database import opened

if TYPE_CHECKING:
    from engine.llm.base import Model


def add(commands: Any) -> None:
    """Register this group's commands."""
    status = commands.add_parser("status", help="is it alive, what comes next, how many of each")
    status.set_defaults(handler=_status)
    doctor = commands.add_parser("doctor", help="check everything that must be right")
    doctor.set_defaults(handler=_doctor)
    save = commands.add_parser("backup", help="an online copy, checked before it counts")
    save.set_defaults(handler=_backup)
    bring = commands.add_parser("restore", help="put a backup in the database's place")
    bring.add_argument("file", type=Path, nargs="?", help="the backup (the newest sound one)")
    bring.set_defaults(handler=_restore)
    verify = commands.add_parser("verify", help="judge the database or a backup, to the last hash")
    verify.add_argument("file", type=Path, nargs="?", help="a backup (the database itself)")
    verify.set_defaults(handler=_verify)
    for action in (status, doctor, save, bring, verify):
        action.add_argument("--json", action="store_true", help="answer in JSON")


def _status(app: App, args: argparse.Namespace) -> None:
    with opened(app.existing(), "ro") as db:
        now = health.status(db, app.clock, kill_switch=killswitch.is_on(db, app.db_path))
    row = now.to_dict()
    lines = [f"{name:18} {plain(value)}" for name, value in row.items()]
    app.answer(row, as_json=args.json, text="\n".join(lines))


def _doctor(app: App, args: argparse.Namespace) -> int:
    from engine.service.doctor import Patient, diagnose

    model = _model(app)
    try:
        checks = diagnose(Patient(app.config, app.clock, model, streamlit_config()))
    finally:
        model.close()
    rows = [dataclasses.asdict(check) for check in checks]
    lines = [f"{check.state:5} {check.name:14} {check.message}" for check in checks]
    app.answer(rows, as_json=args.json, text="\n".join(lines))
    return 1 if any(check.state == "fail" for check in checks) else 0


def _model(app: App) -> Model:
    """The model in force; the configured one where the database cannot tell."""
    from engine.llm.build import build_model

    try:
        app.existing()
        return app.model()
    except (StoreError, sqlite3.Error):
        return build_model(app.config, clock=app.clock)


def _backup(app: App, args: argparse.Namespace) -> None:
    made = backup.backup(app.existing(), now=app.clock.now())
    row = {
        "path": str(made.path), "created_at": iso(made.created_at), "bytes": made.bytes,
        "sha256": made.sha256, "rows": made.rows,
    }  # fmt: skip
    text = f"{made.path} · {made.bytes / 1e6:.1f} MB · sha256 {made.sha256[:16]}…"
    app.answer(row, as_json=args.json, text=text)


def _restore(app: App, args: argparse.Namespace) -> None:
    done = restore(app.db_path, args.file, clock=app.clock, actor=app.actor)
    row = {"source": str(done.source), "kept": str(done.kept) if done.kept else None}
    text = f"Restored from {done.source}. The former files are in {done.kept}. Before it posts "
    text += "again, the runner compares with what the account already shows."
    app.answer(row, as_json=args.json, text=text)


def _verify(app: App, args: argparse.Namespace) -> int:
    found = backup.verify(args.file or app.db_path)
    row = {"problems": list(found.problems), "rows": found.rows}
    text = "\n".join(found.problems) or "Sound: structure, references, bodies, audit chain."
    app.answer(row, as_json=args.json, text=text)
    return 1 if found.problems else 0
