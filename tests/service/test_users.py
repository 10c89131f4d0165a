"""Accounts: roles read at the write, a throttle that counts in the database, never locked out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlite_utils import Database

from engine.clock import FakeClock
from engine.errors import PermissionDenied, UsageError
from engine.service import users
from engine.service.users import LOCAL, Operator
from engine.store import audit
from engine.store import users as stored
from engine.store.database import opened

LONG = "long enough"


@pytest.fixture
def admin(db: Database, clock: FakeClock) -> Operator:
    users.create_user(
        db, name="ann", password=LONG, role="admin", actor=Operator(LOCAL, "admin"), now=clock.now()
    )
    return users.sign_in(db, "ann", LONG, now=clock.now())


def test_the_password_is_kept_as_argon2id_only(db: Database, admin: Operator) -> None:
    digest = db.conn.execute("SELECT password_hash FROM users").fetchone()[0]
    assert digest.startswith("$argon2id$") and LONG not in digest


def test_the_first_user_comes_from_the_environment_once(db: Database, clock: FakeClock) -> None:
    assert users.ensure_first_user(db, LONG, now=clock.now())
    assert not users.ensure_first_user(db, "another password", now=clock.now())
    assert users.sign_in(db, "ADMIN", LONG, now=clock.now()).role == "admin"


def test_a_short_password_is_refused(db: Database, clock: FakeClock) -> None:
    with pytest.raises(UsageError, match="at least 8"):
        users.ensure_first_user(db, "short", now=clock.now())


def test_the_local_operator_ends_with_the_first_account(
    db: Database, admin: Operator, clock: FakeClock
) -> None:
    assert users.local_operator(db) is None
    with pytest.raises(PermissionDenied):
        users.require(db, Operator(LOCAL, "admin"), "viewer")


def test_a_role_that_was_taken_away_is_gone_at_the_next_write(
    db: Database, admin: Operator, clock: FakeClock
) -> None:
    users.create_user(db, name="bob", password=LONG, role="approver", actor=admin, now=clock.now())
    bob = users.sign_in(db, "bob", LONG, now=clock.now())
    assert users.require(db, bob, "approver") == bob
    clock.advance(1)
    users.change_role(db, "bob", "viewer", actor=admin, now=clock.now())
    with pytest.raises(PermissionDenied, match="Sign in again"):
        users.require(db, bob, "viewer")


@pytest.mark.parametrize("role, may", [("viewer", 1), ("editor", 2), ("approver", 3), ("admin", 4)])
def test_each_role_may_what_lower_roles_may(role: str, may: int) -> None:
    operator = Operator("x", role)  # type: ignore[arg-type]
    assert [operator.may(needed) for needed in users.ROLES] == [n < may for n in range(4)]


def test_only_an_admin_makes_accounts(db: Database, admin: Operator, clock: FakeClock) -> None:
    users.create_user(db, name="bob", password=LONG, role="approver", actor=admin, now=clock.now())
    bob = users.sign_in(db, "bob", LONG, now=clock.now())
    with pytest.raises(PermissionDenied, match="needs admin"):
        users.create_user(db, name="eve", password=LONG, role="admin", actor=bob, now=clock.now())


@pytest.mark.parametrize("change", ["role", "close"])
def test_the_last_admin_cannot_be_lost(
    db: Database, admin: Operator, clock: FakeClock, change: str
) -> None:
    with pytest.raises(UsageError, match="last admin"):
        if change == "role":
            users.change_role(db, "ann", "editor", actor=admin, now=clock.now())
        else:
            users.disable(db, "ann", True, actor=admin, now=clock.now())


def test_a_parallel_burst_of_guesses_is_counted_before_it_is_checked(
    db_path: Path, db: Database, admin: Operator, clock: FakeClock
) -> None:
    def guess(_: int) -> str:
        with opened(db_path) as own:
            try:
                users.sign_in(own, "ann", "wrong wrong", now=clock.now())
            except PermissionDenied as refused:
                return str(refused)
        return "in"

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(guess, range(8)))
    assert (
        sum("name or the password is wrong" in answer for answer in answers) == users.WRONG_PER_NAME
    )
    assert sum("Too many" in answer for answer in answers) == 8 - users.WRONG_PER_NAME


def test_a_right_password_forgives_earlier_wrong_ones(
    db: Database, admin: Operator, clock: FakeClock
) -> None:
    for _ in range(3):
        for _ in range(users.WRONG_PER_NAME - 1):
            with pytest.raises(PermissionDenied):
                users.sign_in(db, "ann", "wrong wrong", now=clock.now())
        assert users.sign_in(db, "ann", LONG, now=clock.now()).name == "ann"


def test_an_identity_enters_only_if_verified_and_listed(
    db: Database, admin: Operator, clock: FakeClock
) -> None:
    users.allow_identity(
        db,
        issuer="https://id.example",
        email="ann@example.org",
        name="ann",
        actor=admin,
        now=clock.now(),
    )
    enter = users.sign_in_by_identity
    assert enter(db, "https://id.example", "Ann@example.org", verified=True).role == "admin"
    for issuer, email, verified in (
        ("https://id.example", "ann@example.org", False),
        ("https://other.example", "ann@example.org", True),
        ("https://id.example", "bob@example.org", True),
    ):
        with pytest.raises(PermissionDenied, match="not on the list"):
            enter(db, issuer, email, verified=verified)


def test_a_changed_password_signs_every_open_tab_out(
    db: Database, admin: Operator, clock: FakeClock
) -> None:
    clock.advance(1)
    users.change_password(db, "ann", "another long one", actor=admin, now=clock.now())
    assert users.still(db, admin) is None
    assert users.sign_in(db, "ann", "another long one", now=clock.now())


def test_whatever_changes_who_may_do_what_is_in_the_audit(
    db: Database, admin: Operator, clock: FakeClock
) -> None:
    now = clock.now()
    bob = users.create_user(db, name="bob", password=LONG, role="editor", actor=admin, now=now)
    users.change_role(db, "bob", "approver", actor=admin, now=now)
    users.change_password(db, "bob", "another long one", actor=admin, now=now)
    users.allow_identity(db, issuer="https://id", email="bob@id", name="bob", actor=admin, now=now)
    (identity,) = stored.identities(db)
    users.revoke_identity(db, identity.id, actor=admin, now=now)
    users.disable(db, "bob", True, actor=admin, now=now)
    users.disable(db, "bob", False, actor=admin, now=now)
    told = audit.entries(db, subject=f"user:{bob.id}")
    assert sorted(entry.what for entry in told) == sorted(
        ["created", "made approver", "password changed", "identity allowed", "identity revoked",
         "closed", "reopened"]
    )  # fmt: skip
    assert {entry.actor for entry in told} == {"ann (console)"}
    assert audit.verify_chain(db) is None
