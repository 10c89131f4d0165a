"""Who may do what: passwords, the sign-in throttle, roles, and the check before every write.

Facts: reliability-and-security §5.4, streamlit §1.4. A role is read from the database at each
write, so a demotion or a disabled account takes effect at once, whatever a tab still shows.
Whatever changes who may do what is in the audit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from engine.errors import PermissionDenied, UsageError
from engine.posting.actors import ROLES, Role, acting
from engine.store import users
from engine.store.audit import audit, state_hash
from engine.store.database import write_tx
from engine.store.users import User

LOCAL = "local operator"
"""Who acts while no user exists and the console is bound to loopback."""

MIN_PASSWORD = 8
WRONG_PER_NAME = 5
WRONG_IN_ALL = 50


@dataclass(frozen=True)
class Operator:
    """Someone who is signed in (an engine.posting.actors.Person); ``stamp`` changes when the
    account does, ``source`` is written to the audit beside the name."""

    name: str
    role: Role
    stamp: str = ""
    source: str = "console"

    def may(self, needed: Role) -> bool:
        return ROLES.index(self.role) >= ROLES.index(needed)


def ensure_first_user(db: Database, password: str, *, now: datetime) -> bool:
    """Create ``admin`` from ``BTCBUZZ_PASSWORD`` if there is no user yet; true if it did.

    Raises: UsageError when the password is too short.
    """
    if users.listing(db):
        return False
    digest = hash_password(password)
    with write_tx(db):
        if users.listing(db):
            return False
        user = users.insert(
            db, name="admin", password_hash=digest, role="admin", actor="BTCBUZZ_PASSWORD", now=now
        )
        _note(db, "BTCBUZZ_PASSWORD", "created", user.id, None, user.role, now)
    return True


def create_user(
    db: Database, *, name: str, password: str | None, role: str, actor: Operator, now: datetime
) -> User:
    """Raises: UsageError, PermissionDenied."""
    if role not in ROLES:
        raise UsageError(f"{role!r} is not a role. Choose one of {', '.join(ROLES)}.")
    name = name.strip()
    if not name or len(name) > 64 or not name.isprintable() or name == LOCAL:
        raise UsageError("a user name has 1 to 64 printable characters.")
    digest = hash_password(password) if password else None
    with write_tx(db):
        who = acting(require(db, actor, "admin"), "admin")
        user = users.insert(
            db, name=name, password_hash=digest, role=role, actor=actor.name, now=now
        )
        _note(db, who, "created", user.id, None, user.role, now)
    return user


def change_role(db: Database, name: str, role: str, *, actor: Operator, now: datetime) -> None:
    """Raises: UsageError, also when nobody would be left to manage users."""
    if role not in ROLES:
        raise UsageError(f"{role!r} is not a role. Choose one of {', '.join(ROLES)}.")
    with write_tx(db):
        who = acting(require(db, actor, "admin"), "admin")
        user = _existing(db, name)
        if role != "admin":
            _keep_an_admin(db, user)
        users.set_role(db, user.id, role, now=now)
        _note(db, who, f"made {role}", user.id, user.role, role, now)


def disable(db: Database, name: str, disabled: bool, *, actor: Operator, now: datetime) -> None:
    """Close or reopen an account. Raises: UsageError as :func:`change_role`."""
    with write_tx(db):
        who = acting(require(db, actor, "admin"), "admin")
        user = _existing(db, name)
        if disabled:
            _keep_an_admin(db, user)
        users.set_disabled(db, user.id, disabled, now=now)
        _note(db, who, "closed" if disabled else "reopened", user.id, None, None, now)


def change_password(
    db: Database, name: str, password: str, *, actor: Operator, now: datetime
) -> None:
    """One's own password, or anyone's as admin. Raises: UsageError, PermissionDenied."""
    digest = hash_password(password)
    with write_tx(db):
        needed: Role = "viewer" if actor.name == name else "admin"
        who = acting(require(db, actor, needed), needed)
        user = _existing(db, name)
        users.set_password_hash(db, user.id, digest, now=now)
        _note(db, who, "password changed", user.id, None, None, now)


def allow_identity(
    db: Database, *, issuer: str, email: str, name: str, actor: Operator, now: datetime
) -> None:
    """Let one account of an OIDC provider in, as the user ``name``."""
    if not issuer.strip() or "@" not in email:
        raise UsageError("an identity is the provider's issuer address and an e-mail address.")
    with write_tx(db):
        who = acting(require(db, actor, "admin"), "admin")
        user = _existing(db, name)
        issuer, email = issuer.strip(), email.strip()
        users.allow_identity(
            db, issuer=issuer, email=email, user_id=user.id, actor=actor.name, now=now
        )
        _note(db, who, "identity allowed", user.id, None, [issuer, email], now)


def revoke_identity(db: Database, identity_id: int, *, actor: Operator, now: datetime) -> None:
    """Nobody enters by it any more. Raises: PermissionDenied."""
    with write_tx(db):
        who = acting(require(db, actor, "admin"), "admin")
        found = next((row for row in users.identities(db) if row.id == identity_id), None)
        if found is None:
            return
        users.revoke_identity(db, identity_id)
        user = _existing(db, found.user)
        _note(db, who, "identity revoked", user.id, [found.issuer, found.email], None, now)


def sign_in(db: Database, name: str, password: str, *, now: datetime) -> Operator:
    """The operator behind a name and a password.

    Raises: PermissionDenied with one sentence that does not tell a wrong name from a wrong
    password; another when the throttle refuses.
    """
    name = name.strip()[:64]
    attempt = users.reserve_sign_in(db, name, now=now, limits=(WRONG_PER_NAME, WRONG_IN_ALL))
    if not attempt:
        raise PermissionDenied("Too many wrong attempts. Wait 15 minutes, then try again.")
    digest = users.password_hash(db, name)
    # an unknown name costs as much time as a wrong password
    right = _verify(digest or _nobody(), password) and digest is not None
    user = users.by_name(db, name)
    if not right or user is None:
        raise PermissionDenied("The name or the password is wrong.")
    users.confirm_sign_in(db, attempt)
    return _operator(user)


def sign_in_by_identity(db: Database, issuer: str, email: str, *, verified: bool) -> Operator:
    """The operator behind an identity that the OIDC provider vouches for.

    Raises: PermissionDenied unless the e-mail is verified and on the allow-list.
    """
    user = users.by_identity(db, issuer, email) if verified else None
    if user is None:
        raise PermissionDenied(
            "This account is not on the list of people who may enter. Ask an admin to add it "
            "under Settings, Users."
        )
    return _operator(user)


def still(db: Database, operator: Operator) -> Operator | None:
    """``operator`` as the database has them now; None when they must sign in again."""
    if operator.name == LOCAL:
        return None if users.any_enabled(db) else operator
    user = users.by_name(db, operator.name)
    if user is None or user.disabled_at or user.updated_at != operator.stamp:
        return None
    return _operator(user)


def local_operator(db: Database) -> Operator | None:
    """Who acts without sign-in: only while no enabled user exists."""
    return None if users.any_enabled(db) else Operator(LOCAL, "admin")


def require(db: Database, operator: Operator, needed: Role) -> Operator:
    """The check in front of every write; reads the role anew.

    Raises: PermissionDenied.
    """
    current = still(db, operator)
    if current is None:
        raise PermissionDenied(f"{operator.name} is signed out or was changed. Sign in again.")
    if not current.may(needed):
        raise PermissionDenied(
            f"{operator.name} is {current.role}; this needs {needed}. Ask an admin."
        )
    return current


def hash_password(password: str) -> str:
    """An argon2id hash. Raises: UsageError when the password is too short."""
    from argon2 import PasswordHasher

    if len(password) < MIN_PASSWORD:
        raise UsageError(f"a password has at least {MIN_PASSWORD} characters. Choose a longer one.")
    return PasswordHasher().hash(password)


def _note(
    db: Database, who: str, what: str, user_id: int, before: object, after: object, now: datetime
) -> None:
    was = None if before is None else state_hash(before)
    audit(
        db, who, what, f"user:{user_id}", was, None if after is None else state_hash(after), now
    )  # fmt: skip


def _verify(digest: str, password: str) -> bool:
    from argon2 import PasswordHasher
    from argon2.exceptions import Argon2Error, InvalidHashError

    try:
        return PasswordHasher().verify(digest, password)
    except (Argon2Error, InvalidHashError):
        return False


def _nobody() -> str:
    return (
        "$argon2id$v=19$m=65536,t=3,p=4$bm9ib2R5LW5vYm9keS1ub2I$"
        "9S0s0nR0t8yYFvUq6v0oYk9m1Q3x5z7B9D1F3H5J7L8"
    )


def _operator(user: User) -> Operator:
    return Operator(user.name, user.role, user.updated_at)  # type: ignore[arg-type]


def _existing(db: Database, name: str) -> User:
    user = users.by_name(db, name)
    if user is None:
        raise UsageError(f"there is no user {name!r}.")
    return user


def _keep_an_admin(db: Database, user: User) -> None:
    if user.role == "admin" and not user.disabled_at and users.enabled_admins(db) == 1:
        raise UsageError(f"{user.name} is the last admin. Make someone else admin first.")
