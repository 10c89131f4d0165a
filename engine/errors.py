"""Every error the engine raises on purpose, as one tree.

::

    BuzzError                     what an operator may read; carries the exit code
    ├── UsageError                bad command, setting value or file        (exit 2)
    ├── ConfigError               bad environment                           (exit 2)
    ├── StoreError
    │   ├── DatabaseUnusable      missing, read-only, corrupt, wrong place  (exit 2)
    │   └── SchemaTooNew          written by a newer version                (exit 2)
    ├── MarketError
    │   ├── SourceError           one source failed; says which and why
    │   └── SnapshotHeld          no proof worth trusting; says why
    ├── ModelError                (``retryable`` tells whether a retry can help)
    │   ├── ModelUnreachable      refused, timed out, connection broke
    │   ├── ModelNotFound         the server does not have this model
    │   ├── ModelBusy             queue full, still loading
    │   ├── ModelRefused          the request is wrong; the same request fails again
    │   ├── ModelBadReply         empty, truncated, no final record, not the protocol
    │   ├── ModelCancelled        the caller closed the model during the call
    │   └── ModelOff              circuit breaker open
    ├── TemplateError             unknown field, missing or mistyped variable (exit 2)
    │   └── NothingNew            every vetted line that fits was posted lately
    ├── QueueConflict             the post is no longer what the caller saw
    ├── PermissionDenied          the role may not do this
    └── PostingError
        ├── LockHeld              another runner holds the host lock         (exit 2)
        └── PostingStopped        kill switch, budget or guard says no

Messages end with what to do next. Data travels as attributes.
"""

from __future__ import annotations

from typing import Any


class BuzzError(Exception):
    """Base of all errors meant for an operator's eyes."""

    exit_code = 1


class UsageError(BuzzError):
    """The caller asked for something that does not exist or does not parse."""

    exit_code = 2


class ConfigError(BuzzError):
    """An environment variable is unknown or has a bad value."""

    exit_code = 2


class StoreError(BuzzError):
    """The database did not do what was asked."""


class DatabaseUnusable(StoreError):
    """The database cannot be opened safely."""

    exit_code = 2


class SchemaTooNew(StoreError):
    """A newer version wrote this database; this one must not touch it."""

    exit_code = 2


class MarketError(BuzzError):
    """Market data is missing or not fit for a snapshot."""


class SourceError(MarketError):
    """One data source failed.

    Attributes: ``source`` (its name), ``reason`` (one clause, no trailing period).
    """

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"{source}: {reason}")
        self.source = source
        self.reason = reason


class SnapshotHeld(MarketError):
    """No consensus snapshot can be made now; ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ModelError(BuzzError):
    """A model call failed. ``retryable`` is true where the same call may go through later."""

    retryable = False


class ModelUnreachable(ModelError):
    """Nobody answered, or the connection broke."""

    retryable = True


class ModelNotFound(ModelError):
    """The server answers but does not have this model."""


class ModelBusy(ModelError):
    """The server asks to come back later."""

    retryable = True


class ModelRefused(ModelError):
    """The server rejects this request and would reject it again."""


class ModelBadReply(ModelError):
    """The reply cannot count as an answer.

    ``kind`` is one of ``empty``, ``truncated``, ``no_final``, ``error_line``, ``garbled``; the
    first two come out the same again with the same seed, so a retry cannot help. ``generation``
    is what did arrive (an :class:`engine.llm.base.Generation`), None where nothing countable did.
    """

    def __init__(self, kind: str, message: str, generation: Any = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retryable = kind not in ("empty", "truncated")
        self.generation = generation


class ModelCancelled(ModelError):
    """The model was closed while it wrote."""


class ModelOff(ModelError):
    """The circuit breaker is open; posts come from templates until it closes."""


class TemplateError(BuzzError):
    """A template or its variables are wrong."""

    exit_code = 2


class NothingNew(TemplateError):
    """Nothing vetted is left that was not posted lately: the slot is better left empty."""


class QueueConflict(BuzzError):
    """The post is no longer what the caller saw. ``state`` is what it is now."""

    def __init__(self, message: str, state: str) -> None:
        super().__init__(message)
        self.state = state


class PermissionDenied(BuzzError):
    """This role may not do this."""


class PostingError(BuzzError):
    """Posting did not go ahead."""


class LockHeld(PostingError):
    """Another runner is alive on this database."""

    exit_code = 2


class PostingStopped(PostingError):
    """A guard says no: ``guard`` names it."""

    def __init__(self, guard: str, message: str) -> None:
        super().__init__(message)
        self.guard = guard
