"""Shipped templates: put into a new database, offered as new versions to an old one."""

from __future__ import annotations

import json
from datetime import datetime

from sqlite_utils import Database

from engine.resources import data_path
from engine.store import templates
from engine.store.database import write_tx
from engine.writing.templates import Variable, check_template


def ensure_templates(db: Database, *, now: datetime) -> None:
    """Every shipped template exists; its newest shipped text is a version.

    Only a template that is new to the database goes to production by itself: what an operator
    promoted stays.

    Raises: TemplateError when the shipped file is wrong.
    """
    shipped = json.loads(data_path("templates.json").read_text(encoding="utf-8"))
    for row in shipped["templates"]:
        variables = tuple(Variable.from_dict(variable) for variable in row["variables"])
        check_template(row["system"], row["body"], variables)
        text = {key: row[key] for key in ("system", "body", "variables")}
        with write_tx(db):
            existing = templates.by_name(db, row["name"])
            if existing is None:
                version = templates.create(
                    db, name=row["name"], purpose=row["purpose"], actor="shipped", now=now, **text
                )
                templates.promote(
                    db, version.id, reason="shipped with the program", actor="shipped", now=now
                )
            elif not _has_text(db, existing.id, text["body"], text["system"]):
                templates.add_version(db, existing.id, actor="shipped", now=now, **text)


def _has_text(db: Database, template_id: int, body: str, system: str) -> bool:
    return any(
        version.body == body and version.system == system
        for version in templates.versions(db, template_id)
    )
