"""What every command stands on: configuration, clock, streams, and how parts are built."""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from engine.clock import Clock, SystemClock
from engine.config import Config, load_config, with_credentials
from engine.errors import DatabaseUnusable
from engine.store.database import opened
from engine.store.migrations import pending

if TYPE_CHECKING:
    from engine.llm.base import Model
    from engine.llm.current import CurrentModel
    from engine.posting.publisher import Publisher


@dataclass
class App:
    """One process of BTCBuzzBot. ``actor`` names who acts when an operator types a command."""

    config: Config
    clock: Clock = field(default_factory=SystemClock)
    rng: random.Random = field(default_factory=random.SystemRandom)
    stdin: TextIO = field(default_factory=lambda: sys.stdin)
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    actor: str = "operator"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> App:
        """Raises: ConfigError."""
        config = load_config(with_credentials(environ))
        return cls(config, actor=environ.get("USER") or f"uid {os.getuid()}")

    @property
    def db_path(self) -> Path:
        return self.config.db

    def ready(self) -> Path:
        """The database's path, migrated (with a backup first) and holding the shipped templates.

        Raises: StoreError.
        """
        from engine.service.backup import migrate_with_backup
        from engine.service.schedule import ensure_default_schedule
        from engine.writing.shipped import ensure_templates

        migrate_with_backup(self.db_path, clock=self.clock)
        with opened(self.db_path) as db:
            ensure_templates(db, now=self.clock.now())
            ensure_default_schedule(db, "UTC", self.clock.now())
        return self.db_path

    def existing(self) -> Path:
        """The database's path for commands that only look.

        Raises: DatabaseUnusable when there is none, or its schema is not up to date.
        """
        if not self.db_path.exists():
            raise DatabaseUnusable(
                f"{self.db_path} does not exist. Run `runner.py migrate` to create it, "
                "or point BTCBUZZ_DB at your database."
            )
        with opened(self.db_path) as db:
            waiting = pending(db)
        if waiting:
            raise DatabaseUnusable(
                f"{self.db_path} lacks {len(waiting)} migrations. Run `runner.py migrate`."
            )
        return self.db_path

    def model_in_force(self) -> str:
        """``backend:name`` of what the operator chose, else of the environment."""
        from engine.llm.current import in_force

        if not self.db_path.exists():
            return self.config.named_model
        with opened(self.db_path, "ro") as db:
            return in_force(db, self.config)

    def model(self, name: str | None = None) -> Model:
        """The model in force, or ``backend:name``, guarded by retry and circuit breaker."""
        from engine.llm.build import build_model

        name = name or self.model_in_force()
        return build_model(self.config, name=name, db_path=self.db_path, clock=self.clock)

    def current_model(self) -> CurrentModel:
        """The model in force, which an operator may change while the service runs."""
        from engine.llm.current import CurrentModel

        return CurrentModel(self.config, self.db_path, self.clock)

    def publisher(self) -> Publisher:
        """Where posts go, by configuration."""
        if self.config.publisher == "x":
            from engine.posting.x import XPublisher

            return XPublisher(self.config)
        from engine.posting.dry_run import DryRunPublisher

        return DryRunPublisher(self.db_path)

    def say(self, text: str) -> None:
        """A line for the person at the terminal."""
        print(text, file=self.out, flush=True)

    def answer(self, value: Any, *, as_json: bool, text: str) -> None:
        """A command's result: JSON for programs, a text for people."""
        self.say(json.dumps(value, ensure_ascii=False) if as_json else text)


def plain(value: Any) -> str:
    """A value as a person would type it: texts bare, whole numbers whole, the rest as JSON."""
    if isinstance(value, str):
        return value
    return "none" if value is None else json.dumps(_whole(value), ensure_ascii=False)


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value
