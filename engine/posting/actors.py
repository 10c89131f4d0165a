"""Who acts, and whether they may: checked again inside the engine at every write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from engine.errors import PermissionDenied

Role = Literal["viewer", "editor", "approver", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "editor", "approver", "admin")


class Person(Protocol):
    """Somebody with a name and a role (the console's signed-in operator is one)."""

    @property
    def name(self) -> str: ...

    @property
    def role(self) -> Role: ...


@dataclass(frozen=True)
class Actor:
    """A person and where they act from: ``console``, ``cli``, ``api``."""

    name: str
    role: Role
    source: str = ""


Who = Person | str
"""A person with a role, or the name of a process on this machine that may do everything."""


def acting(who: Who, needed: Role) -> str:
    """The name to write down.

    Raises: PermissionDenied where the role is too low.
    """
    if isinstance(who, str):
        return who
    if ROLES.index(who.role) < ROLES.index(needed):
        raise PermissionDenied(
            f"{who.name} is {who.role}; this needs {needed}. Ask an admin for the role."
        )
    source = getattr(who, "source", "")
    return f"{who.name} ({source})" if source else who.name
