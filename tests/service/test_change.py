"""Changes by people: the role is checked, the audit knows, all or nothing."""

from __future__ import annotations

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.errors import PermissionDenied, TemplateError, UsageError
from engine.service import change, users
from engine.service.users import LOCAL, Operator
from engine.store import audit, settings, templates
from engine.store.schedules import Plan
from engine.writing.shipped import ensure_templates

BOSS = Operator(LOCAL, "admin")


def test_settings_are_changed_together_or_not_at_all(db: Database, clock: FakeClock) -> None:
    with pytest.raises(UsageError):
        change.change_settings(
            db, {"posting.daily_cap": 3, "posting.hourly_cap": -1}, actor=BOSS, now=clock.now()
        )
    assert settings.get(db, "posting.daily_cap") == 12


def test_only_real_changes_are_audited(db: Database, clock: FakeClock) -> None:
    values = {"posting.daily_cap": 12, "posting.hourly_cap": 2}
    assert change.change_settings(db, values, actor=BOSS, now=clock.now()) == ["posting.hourly_cap"]
    entries = audit.entries(db)
    assert [(e.subject, e.actor) for e in entries] == [
        ("setting:posting.hourly_cap", "local operator (console)")
    ]
    assert audit.verify_chain(db) is None


def test_an_editor_changes_schedules_and_templates_but_no_settings(
    db: Database, clock: FakeClock
) -> None:
    for name, role in (("ann", "admin"), ("ed", "editor")):
        users.create_user(
            db,
            name=name,
            password="long enough",
            role=role,
            actor=_boss(db, clock),
            now=clock.now(),
        )
    editor = users.sign_in(db, "ed", "long enough", now=clock.now())
    change.save_schedule(db, None, Plan("night", "UTC", ("23:00",)), actor=editor, now=clock.now())
    with pytest.raises(PermissionDenied):
        change.change_settings(db, {"posting.daily_cap": 1}, actor=editor, now=clock.now())


def _boss(db: Database, clock: FakeClock) -> Operator:
    if users.local_operator(db):
        return BOSS
    return users.sign_in(db, "ann", "long enough", now=clock.now())


def test_a_version_with_an_unknown_field_is_not_saved(db: Database, clock: FakeClock) -> None:
    ensure_templates(db, now=clock.now())
    template = templates.listing(db)[0]
    newest = templates.versions(db, template.id)[0]
    common = {"system": newest.system, "note": "", "actor": BOSS, "now": clock.now()}
    with pytest.raises(UsageError, match=r"\{nonsense\} is not described"):
        change.save_version(
            db,
            template.id,
            body="{nonsense}",
            variables=list(newest.variables),
            **common,  # type: ignore[arg-type]
        )
    with pytest.raises(TemplateError):
        change.save_version(
            db,
            template.id,
            body="{a.b}",
            variables=list(newest.variables),
            **common,  # type: ignore[arg-type]
        )


def test_a_promotion_and_its_rollback_are_one_step_each(db: Database, clock: FakeClock) -> None:
    ensure_templates(db, now=clock.now())
    template = templates.listing(db)[0]
    first = templates.versions(db, template.id)[0]
    second = change.save_version(
        db, template.id, system=first.system, body=first.body + "\n", note="",
        variables=list(first.variables), actor=BOSS, now=clock.now(),
    )  # fmt: skip
    change.promote(db, second.id, reason="shorter", actor=BOSS, now=clock.now())
    assert templates.labelled(db, template.id) == second
    change.roll_back(db, template.id, reason="dull", actor=BOSS, now=clock.now())
    assert templates.labelled(db, template.id) == first
    told = [entry.what for entry in audit.entries(db, subject=f"template:{template.id}")]
    assert sorted(told) == ["promoted", "rolled back", "saved a version"]
