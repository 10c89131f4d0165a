"""A streamed call: pieces as they come, and whoever leaves ends the model's work."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.models import Loaded, Run, Stopped
from engine.llm.base import Options
from engine.llm.scripted import ScriptedModel
from engine.market.replay import sample_snapshot
from engine.store import settings, snapshots
from engine.store.database import opened
from engine.writing import trial
from engine.writing.trial import Setting, Wish
from tests.console.conftest import Launch
from tests.console.worlds import make_database

TEXT = "Patience is a plan that needs no chart and no alarm."


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    make_database(tmp_path / "bot.db")
    now = datetime.now(UTC)
    with opened(tmp_path / "bot.db") as db:
        snapshot = snapshots.insert(db, sample_snapshot(now), now=now)
        wish = Wish("motivation", snapshot, Options(), prompt="Say it calmly.")
        return trial.prepare(db, wish, random.Random(1))


def run(setting: Setting, *texts: str | Exception) -> Run:
    return Run(setting, Loaded(ScriptedModel(texts)), seed=1, timeout_s=5.0)


def test_the_text_comes_in_pieces_and_is_judged_at_the_end(setting: Setting) -> None:
    call = run(setting, TEXT)
    pieces = list(call)
    assert len(pieces) > 5 and "".join(pieces) == TEXT
    assert call.result is not None and call.result.verdict is not None


def test_whoever_stops_listening_stops_the_model_at_its_next_piece(setting: Setting) -> None:
    call = run(setting, TEXT)
    go_on = threading.Event()
    real = call._take

    def slow(piece: str) -> None:
        real(piece)
        go_on.wait(5)

    call._take = slow  # type: ignore[method-assign]
    pieces = iter(call)
    assert next(pieces) == "Patience"
    pieces.close()  # type: ignore[attr-defined]
    go_on.set()
    while call._pieces.get(timeout=5) is not None:
        continue
    assert call.result is None and isinstance(call.failure, Stopped)
    assert not call._loaded.lock.locked()


def test_a_model_that_fails_is_told_on_the_page(setting: Setting) -> None:
    call = run(setting, ZeroDivisionError("a broken backend"))
    assert list(call) == []
    assert isinstance(call.failure, ZeroDivisionError)


def test_the_sidebar_names_the_model_that_was_chosen_last(launch: Launch, tmp_path: Path) -> None:
    make_database(tmp_path / "bot.db")
    with opened(tmp_path / "bot.db") as db:
        settings.put(db, "model.current", "scripted:other", actor="test", now=datetime.now(UTC))
    assert any("model other" in line.value for line in launch("queue").sidebar.markdown)
