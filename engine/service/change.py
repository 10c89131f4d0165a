"""What people change while the bot runs: settings, schedules, templates, voice. Each change checks
the role, is written to the audit, and takes effect at the runner's next look.

``actor`` is an operator, or the name of whoever types commands on this machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from engine.errors import UsageError
from engine.posting.actors import Role, acting
from engine.service import schedule, users
from engine.service.users import Operator
from engine.store import schedules, settings, templates, voice
from engine.store.audit import audit, state_hash
from engine.store.database import write_tx
from engine.store.schedules import Plan
from engine.store.templates import Promotion, TemplateVersion
from engine.store.voice import VoiceProfile
from engine.writing.templates import Variable, fields


def change_settings(
    db: Database, values: Mapping[str, Any], *, actor: Operator | str, now: datetime
) -> list[str]:
    """Store several settings together; answers the keys that really changed.

    Raises: UsageError (then none is stored), PermissionDenied.
    """
    changed = []
    with write_tx(db):
        name = _acting(db, actor, "admin")
        for key, value in values.items():
            before = settings.get(db, key)
            after = settings.put(db, key, value, actor=name, now=now)
            if before != after:
                changed.append(key)
                hashes = state_hash(before), state_hash(after)
                audit(db, name, "changed", f"setting:{key}", *hashes, now)
        if "content.mix" in changed:
            schedule.plan_slots(db, now)
    return changed


def save_schedule(
    db: Database, schedule_id: int | None, plan: Plan, *, actor: Operator | str, now: datetime
) -> int:
    """Raises: UsageError, PermissionDenied."""
    with write_tx(db):
        name = _acting(db, actor, "editor")
        before = next((s.plan for s in schedules.listing(db) if s.id == schedule_id), None)
        saved = schedule.save_schedule(db, schedule_id, plan, now)
        hashes = state_hash(repr(before)), state_hash(repr(plan))
        audit(db, name, "changed", f"schedule:{saved}", *hashes, now)
    return saved


def save_version(
    db: Database,
    template_id: int,
    *,
    system: str,
    body: str,
    variables: list[dict[str, Any]],
    note: str,
    actor: Operator,
    now: datetime,
) -> TemplateVersion:
    """The next version of a template; every field in it must be described.

    Raises: TemplateError, UsageError, PermissionDenied.
    """
    known = {Variable.from_dict(row).name for row in variables}
    lost = [name for name in fields(system) + fields(body) if name not in known]
    if lost:
        raise UsageError(f"{{{lost[0]}}} is not described under Variables. Add it or remove it.")
    with write_tx(db):
        name = _acting(db, actor, "editor")
        version = templates.add_version(
            db, template_id, system=system, body=body, variables=variables, note=note,
            actor=name, now=now,
        )  # fmt: skip
        subject = f"template:{template_id}"
        audit(db, name, "saved a version", subject, None, version.sha256, now)
    return version


def promote(
    db: Database, version_id: int, *, reason: str, actor: Operator | str, now: datetime,
    evidence: str | None = None,
) -> Promotion:  # fmt: skip
    """Put a version into production, with a reason and what speaks for it.

    Raises: UsageError, PermissionDenied.
    """
    with write_tx(db):
        name = _acting(db, actor, "approver")
        done = templates.promote(
            db, version_id, reason=reason, actor=name, now=now, evidence=evidence
        )
        audit(db, name, "promoted", f"template:{done.template_id}", None, str(version_id), now)
    return done


def roll_back(
    db: Database, template_id: int, *, reason: str, actor: Operator | str, now: datetime
) -> Promotion:
    """Production goes one step back. Raises: UsageError, PermissionDenied."""
    with write_tx(db):
        name = _acting(db, actor, "approver")
        done = templates.roll_back(db, template_id, reason=reason, actor=name, now=now)
        audit(db, name, "rolled back", f"template:{template_id}", None, str(done.version_id), now)
    return done


def save_voice(
    db: Database, profile: VoiceProfile, *, note: str, actor: Operator, now: datetime
) -> int:
    """The next version of the voice profile. Raises: PermissionDenied."""
    with write_tx(db):
        name = _acting(db, actor, "editor")
        version = voice.save(db, profile, name, now, note)
        audit(db, name, "changed", "voice", None, str(version), now)
    return version


def _acting(db: Database, actor: Operator | str, needed: Role) -> str:
    """The name to write down; an operator's role is read anew. Raises: PermissionDenied."""
    who = actor if isinstance(actor, str) else users.require(db, actor, needed)
    return acting(who, needed)
