"""The contract of a place where posts go, and what it may answer.

A publisher sends one text once. It never retries, never sleeps and never raises for what the
other side did: every end of a call is an :class:`Answer` (facts: reliability-and-security §2.3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Kind = Literal["posted", "not_sent", "refused", "wait", "unknown"]


@dataclass(frozen=True)
class Answer:
    """How one call to publish ended.

    ``posted``    accepted; ``x_post_id`` is its id
    ``not_sent``  proved that nothing left; the same post may be sent later
    ``refused``   the other side says no to this post
    ``wait``      refused for now; nothing for this account before ``retry_at``
    ``unknown``   may or may not have been accepted; ``duplicate`` if the other side says that
                  the same text is there already

    ``trip`` names why posting must stop altogether (keys revoked, account suspended, no credits).
    """

    kind: Kind
    reason: str = ""
    x_post_id: str | None = None
    retry_at: datetime | None = None
    duplicate: bool = False
    trip: str | None = None


@dataclass(frozen=True)
class SeenPost:
    """A post of the account as the other side shows it; ``created_at`` by its clock."""

    x_post_id: str
    text: str
    created_at: datetime


@dataclass(frozen=True)
class TimelineRead:
    """A look at the account's own posts, newest first.

    ``complete`` only if every page of the asked span came back whole; anything less proves
    nothing about what is absent. ``resources`` is what is billed.
    """

    complete: bool
    posts: tuple[SeenPost, ...] = ()
    resources: int = 0
    reason: str = ""
    retry_at: datetime | None = None
    trip: str | None = None


class Publisher(Protocol):
    """Where posts go. ``name`` is ``dry_run`` or ``x``; ``account`` names whose posts they are.

    ``lags``: whether its timeline may show a post later than it accepted it.
    """

    @property
    def name(self) -> str: ...

    @property
    def account(self) -> str: ...

    @property
    def public(self) -> bool:
        """Whether what is sent reaches the public; then only live data may be in it."""
        ...

    @property
    def lags(self) -> bool: ...

    def publish(self, text: str, *, timeout_s: float, before_send: Callable[[], None]) -> Answer:
        """Send ``text`` once.

        ``before_send`` is called as the last thing before anything leaves; if it raises
        PostingStopped, nothing leaves and the answer is ``not_sent``.
        """
        ...

    def timeline(self, *, newest_known_id: str | None, since: datetime | None) -> TimelineRead:
        """Own posts from ``newest_known_id`` on (itself included) or from ``since`` on, whichever
        reaches further back; with neither, the newest hundred."""
        ...

    def created_at(self, x_post_id: str) -> datetime | None:
        """When the other side's clock says the post was made, if the id tells."""
        ...
