"""Prompt templates: immutable numbered versions, labels moved by recorded promotions."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from engine.clock import iso
from engine.errors import UsageError
from engine.records import canonical_json
from engine.store.database import write_tx

PRODUCTION = "production"


@dataclass(frozen=True)
class Template:
    """One row of ``prompt_templates``; ``template`` is the text of the production version."""

    id: int
    name: str
    template: str
    purpose: str
    created_at: str
    last_used: str | None
    performance_score: float | None
    performance_n: int
    archived_at: str | None


@dataclass(frozen=True)
class TemplateVersion:
    """One immutable version; ``variables`` are plain dicts (engine.writing.templates.Variable)."""

    id: int
    template_id: int
    number: int
    system: str
    body: str
    variables: tuple[dict[str, Any], ...]
    note: str
    sha256: str
    created_at: str
    created_by: str


@dataclass(frozen=True)
class Promotion:
    """One move of a label; ``version_id`` None means that the label was taken away."""

    id: int
    template_id: int
    label: str
    version_id: int | None
    previous_version_id: int | None
    reason: str
    evidence: str | None
    actor: str
    created_at: str


_TEMPLATE = ", ".join(Template.__dataclass_fields__)
_VERSION = ", ".join(TemplateVersion.__dataclass_fields__)
_PROMOTION = ", ".join(Promotion.__dataclass_fields__)


def create(
    db: Database,
    *,
    name: str,
    purpose: str,
    system: str,
    body: str,
    variables: list[dict[str, Any]],
    actor: str,
    now: datetime,
    note: str = "",
) -> TemplateVersion:
    """A new template with its version 1, not yet in production.

    Raises: UsageError when the name is taken.
    """
    with write_tx(db):
        if db.conn.execute("SELECT 1 FROM prompt_templates WHERE name = ?", (name,)).fetchone():
            raise UsageError(f"a template named {name!r} exists. Save a new version of it instead.")
        cursor = db.conn.execute(
            "INSERT INTO prompt_templates (name, template, purpose, created_at) VALUES (?, ?, ?, ?)",
            (name, body, purpose, iso(now)),
        )
        return add_version(
            db,
            int(cursor.lastrowid or 0),
            system=system,
            body=body,
            variables=variables,
            actor=actor,
            now=now,
            note=note,
        )


def add_version(
    db: Database,
    template_id: int,
    *,
    system: str,
    body: str,
    variables: list[dict[str, Any]],
    actor: str,
    now: datetime,
    note: str = "",
) -> TemplateVersion:
    """Save the next version; an equal newest version is answered instead of a copy."""
    text = canonical_json({"system": system, "body": body, "variables": variables})
    digest = hashlib.sha256(text.encode()).hexdigest()
    with write_tx(db):
        newest = db.conn.execute(
            f"SELECT {_VERSION} FROM template_versions WHERE template_id = ? "
            "ORDER BY number DESC LIMIT 1",
            (template_id,),
        ).fetchone()
        if newest and _version(newest).sha256 == digest:
            return _version(newest)
        cursor = db.conn.execute(
            "INSERT INTO template_versions (template_id, number, system, body, variables, note, "
            "sha256, created_at, created_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                template_id,
                (_version(newest).number if newest else 0) + 1,
                system,
                body,
                canonical_json(variables),
                note,
                digest,
                iso(now),
                actor,
            ),
        )
    version = get_version(db, int(cursor.lastrowid or 0))
    assert version is not None  # noqa: S101  inserted above
    return version


def promote(
    db: Database,
    version_id: int,
    *,
    reason: str,
    actor: str,
    now: datetime,
    label: str = PRODUCTION,
    evidence: str | None = None,
) -> Promotion:
    """Give ``label`` to a version; recorded with its reason, one step to undo.

    Raises: UsageError for an unknown version or an empty reason.
    """
    version = get_version(db, version_id)
    if version is None:
        raise UsageError(f"template version {version_id} does not exist.")
    if not reason.strip():
        raise UsageError("a promotion needs a reason. Say in a few words why.")
    with write_tx(db):
        current = labelled(db, version.template_id, label)
        db.conn.execute(
            "INSERT INTO template_promotions (template_id, label, version_id, "
            "previous_version_id, reason, evidence, actor, created_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                version.template_id,
                label,
                version_id,
                current.id if current else None,
                reason.strip(),
                evidence,
                actor,
                iso(now),
            ),
        )
        if label == PRODUCTION:
            db.conn.execute(
                "UPDATE prompt_templates SET template = ? WHERE id = ?",
                (version.body, version.template_id),
            )
    return promotions(db, version.template_id)[0]


def roll_back(
    db: Database, template_id: int, *, reason: str, actor: str, now: datetime
) -> Promotion:
    """Production goes back to the version before the last promotion.

    Raises: UsageError when there is none.
    """
    last = next((p for p in promotions(db, template_id) if p.label == PRODUCTION), None)
    if last is None or last.previous_version_id is None:
        raise UsageError("there is no earlier production version to go back to.")
    return promote(db, last.previous_version_id, reason=f"rollback: {reason}", actor=actor, now=now)


def promotions(db: Database, template_id: int) -> list[Promotion]:
    """History of all labels of a template, newest first."""
    rows = db.conn.execute(
        f"SELECT {_PROMOTION} FROM template_promotions WHERE template_id = ? ORDER BY id DESC",
        (template_id,),
    ).fetchall()
    return [Promotion(*row) for row in rows]


def labelled(db: Database, template_id: int, label: str = PRODUCTION) -> TemplateVersion | None:
    """The version that has ``label`` now."""
    row = db.conn.execute(
        "SELECT version_id FROM template_promotions WHERE template_id = ? AND label = ? "
        "ORDER BY id DESC LIMIT 1",
        (template_id, label),
    ).fetchone()
    return get_version(db, row[0]) if row and row[0] else None


def production(db: Database, purpose: str) -> tuple[Template, TemplateVersion] | None:
    """The template in production for a purpose: the one promoted last among those alive."""
    row = db.conn.execute(
        "SELECT t.id FROM prompt_templates t JOIN template_promotions p ON p.template_id = t.id "
        "WHERE t.purpose = ? AND t.archived_at IS NULL AND p.label = ? ORDER BY p.id DESC LIMIT 1",
        (purpose, PRODUCTION),
    ).fetchone()
    if row is None:
        return None
    template, version = get(db, row[0]), labelled(db, row[0])
    return (template, version) if template and version else None


def get(db: Database, template_id: int) -> Template | None:
    row = db.conn.execute(
        f"SELECT {_TEMPLATE} FROM prompt_templates WHERE id = ?", (template_id,)
    ).fetchone()
    return Template(*row) if row else None


def by_name(db: Database, name: str) -> Template | None:
    row = db.conn.execute(
        f"SELECT {_TEMPLATE} FROM prompt_templates WHERE name = ?", (name,)
    ).fetchone()
    return Template(*row) if row else None


def listing(db: Database, *, archived: bool = False) -> list[Template]:
    """All templates by name; archived ones only when asked for."""
    where = "" if archived else "WHERE archived_at IS NULL"
    rows = db.conn.execute(f"SELECT {_TEMPLATE} FROM prompt_templates {where} ORDER BY name")
    return [Template(*row) for row in rows.fetchall()]


def versions(db: Database, template_id: int) -> list[TemplateVersion]:
    """Versions of a template, newest first."""
    rows = db.conn.execute(
        f"SELECT {_VERSION} FROM template_versions WHERE template_id = ? ORDER BY number DESC",
        (template_id,),
    ).fetchall()
    return [_version(row) for row in rows]


def get_version(db: Database, version_id: int) -> TemplateVersion | None:
    row = db.conn.execute(
        f"SELECT {_VERSION} FROM template_versions WHERE id = ?", (version_id,)
    ).fetchone()
    return _version(row) if row else None


def archive(db: Database, template_id: int, *, now: datetime) -> None:
    """Take a template out of use; its versions and history stay.

    Raises: UsageError for an unknown id, or when it is the last one in production for its purpose.
    """
    template = get(db, template_id)
    if template is None:
        raise UsageError(f"template {template_id} does not exist.")
    in_force = production(db, template.purpose)
    if in_force and in_force[0].id == template_id:
        raise UsageError(
            f"{template.name} is in production for {template.purpose}. Promote another one first."
        )
    with write_tx(db):
        db.conn.execute(
            "UPDATE prompt_templates SET archived_at = ? WHERE id = ?", (iso(now), template_id)
        )


def touch(db: Database, template_id: int, *, now: datetime) -> None:
    """Note that a template was used."""
    with write_tx(db):
        db.conn.execute(
            "UPDATE prompt_templates SET last_used = ? WHERE id = ?", (iso(now), template_id)
        )


def score(db: Database, template_id: int, *, performance: float | None, n: int) -> None:
    """Store the performance score with the sample it rests on (engine.lab.report)."""
    with write_tx(db):
        db.conn.execute(
            "UPDATE prompt_templates SET performance_score = ?, performance_n = ? WHERE id = ?",
            (performance, n, template_id),
        )


def _version(row: tuple[Any, ...]) -> TemplateVersion:
    values = dict(zip(TemplateVersion.__dataclass_fields__, row, strict=True))
    values["variables"] = tuple(json.loads(values["variables"]))
    return TemplateVersion(**values)
