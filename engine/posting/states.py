"""The states of a post and the changes between them, as people and code read them.

::

    draft -> validated -> pending_approval -> approved -> publishing -> posted
       |-> rejected        |-> rejected        |            |-> approved  (proved not sent)
       \\-> expired         |-> expired         |-> expired  |-> failed    (X refused)
                           `-> draft (edited)  `-> pending  `-> unknown -> posted (found)
                                 (new revision)  _approval               |-> held -> operator:
                                                 (taken back)            |   posted | approved |
                                                                         |   abandoned
                                                                         `-> failed | approved

``held`` leaves by ``resolve.resolve_held``: link an id (posted), confirm absence (approved), abandon.
The schema (010_posting.sql) enforces the same pairs; tests/posting compares the two.
"""

from __future__ import annotations

STATES = (
    "draft",
    "validated",
    "pending_approval",
    "approved",
    "publishing",
    "posted",
    "rejected",
    "expired",
    "unknown",
    "held",
    "failed",
    "abandoned",
)

FINAL = frozenset({"posted", "rejected", "expired", "failed", "abandoned"})

TRANSITIONS: dict[str, frozenset[str]] = {
    "draft": frozenset({"validated", "rejected", "expired"}),
    "validated": frozenset({"pending_approval", "rejected", "expired", "draft"}),
    "pending_approval": frozenset({"approved", "rejected", "expired", "draft"}),
    "approved": frozenset({"publishing", "expired", "pending_approval"}),
    "publishing": frozenset({"posted", "approved", "failed", "unknown"}),
    "unknown": frozenset({"posted", "held", "failed", "approved"}),
    "held": frozenset({"posted", "approved", "abandoned"}),
    **{state: frozenset() for state in FINAL},
}
