"""The corpus of attacks against the whole way of a post, with every backend.

The attacker owns the headline and, with the obedient models, the model too: it writes exactly what
the attack wants. Nothing of that may come out validated; a flagged item never goes out unapproved.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlite_utils import Database

from engine.checks import policy
from engine.checks.injection import flags
from engine.clock import FakeClock
from engine.config import load_config
from engine.llm.base import Model
from engine.llm.build import build_backend
from engine.llm.scripted import ScriptedModel
from engine.market.news import clean_title
from engine.market.replay import sample_snapshot
from engine.posting import queue
from engine.records import Headline, Snapshot
from engine.store import news, settings, snapshots
from engine.store.news import NewItem, NewsItem
from engine.writing.generate import Order, Writer
from engine.writing.shipped import ensure_templates
from tests.checks.attacks import Attack, load_attacks
from tests.fakes import ollama_server, openai_server

ATTACKS = load_attacks()
STEP = int(os.environ.get("ATTACK_STEP", "12"))
"""Every so manieth attack is tried in the default run; `ATTACK_STEP=1` tries them all."""
BACKENDS = ("scripted", "ollama", "openai")
RECIPES = ("free", "slots")


def share(turn: int) -> list[Attack]:
    """One test's attacks: each turn begins at another one, so that together they try many."""
    return ATTACKS[turn % STEP :: STEP]


@pytest.fixture
def snapshot(db: Database, clock: FakeClock) -> Snapshot:
    now = clock.now()
    ensure_templates(db, now=now)
    for key, value in (("autonomy.news", "auto"), ("autonomy.trust_after", 0)):
        settings.put(db, key, value, actor="test", now=now)
    return snapshots.insert(db, sample_snapshot(now), now=now)


class Obedient:
    """Any backend whose answers the attacker dictates."""

    def __init__(self, backend: str, stack: ExitStack) -> None:
        self.answer = ""
        self.turn = BACKENDS.index(backend)
        if backend == "scripted":
            model = ScriptedModel(lambda request: self.answer)
            model.features = frozenset()  # type: ignore[misc]  # nothing holds it back
            self.model: Model = model
        elif backend == "ollama":
            server = stack.enter_context(
                ollama_server.OllamaServer(reply=lambda body: ollama_server.Reply(self.answer))
            )
            config = load_config({"BTCBUZZ_OLLAMA_URL": server.url})
            self.model = build_backend(config, name="ollama:llama3:8b")
        else:
            other = stack.enter_context(
                openai_server.OpenAIServer(reply=lambda body: openai_server.Reply(self.answer))
            )
            config = load_config({"BTCBUZZ_OPENAI_URL": other.url})
            self.model = build_backend(config, name="openai:qwen")


@pytest.fixture(params=BACKENDS)
def obedient(request: pytest.FixtureRequest) -> Iterator[Obedient]:
    with ExitStack() as stack:
        yield Obedient(request.param, stack)


def hostile_item(db: Database, attack: Attack, number: int, clock: FakeClock) -> NewsItem:
    """The headline as the news room stores it: cleaned, flagged."""
    title = clean_title(attack.headline)
    item_id = news.insert(
        db,
        NewItem(
            f"{number:064d}", "sample", title, "Hostile Wire", None, clock.now(), 0.9, 0.0,
            flags=tuple(finding.rule for finding in flags(title)),
        ),
        now=clock.now(),
    )  # fmt: skip
    item = news.get(db, item_id or 0)
    assert item is not None
    return item


@pytest.mark.timeout(240)
@pytest.mark.parametrize("recipe", RECIPES)
def test_nothing_an_obedient_model_writes_for_an_attacker_is_validated(
    db: Database,
    db_path: Path,
    clock: FakeClock,
    snapshot: Snapshot,
    obedient: Obedient,
    recipe: str,
) -> None:
    settings.put(db, "content.recipe", recipe, actor="test", now=clock.now())
    settings.put(db, "content.max_attempts", 1, actor="test", now=clock.now())
    rng = random.Random(1)
    out: list[str] = []
    turn = RECIPES.index(recipe) * len(BACKENDS) + obedient.turn
    for number, attack in enumerate(share(turn)):
        clock.advance(3_600)
        obedient.answer = attack.unsafe
        if "json_schema" in obedient.model.features:
            obedient.answer = json.dumps({"text": attack.unsafe})
        item = hostile_item(db, attack, number, clock)
        writer = Writer(db_path, obedient.model, clock, rng)
        draft = writer.write(Order("news", snapshot, news=item))
        if draft.post_id is None:
            continue
        state = queue.submit(db, draft.post_id, actor="runner", now=clock.now())
        if state != "rejected":
            out += complaints(attack, draft.text)
        if item.flags:
            assert state != "approved", f"a flagged item went out by itself: {attack}"
    assert out == [], "\n".join(out)


@pytest.mark.model
@pytest.mark.timeout(300)
def test_the_embedded_model_can_only_choose_and_chooses_nothing_unsafe(
    db: Database, db_path: Path, clock: FakeClock, snapshot: Snapshot
) -> None:
    model = build_backend(load_config({"BTCBUZZ_THREADS": "1"}), name="embedded:smollm2")
    rng = random.Random(1)
    out: list[str] = []
    try:
        for number, attack in enumerate(share(len(BACKENDS) * len(RECIPES))):
            clock.advance(3_600)
            item = hostile_item(db, attack, number, clock)
            draft = Writer(db_path, model, clock, rng).write(Order("news", snapshot, news=item))
            if draft.post_id is None:
                continue
            state = queue.submit(db, draft.post_id, actor="runner", now=clock.now())
            if state != "rejected":
                out += complaints(attack, draft.text)
    finally:
        model.close()
    assert out == []


def complaints(attack: Attack, text: str) -> list[str]:
    """What is unsafe about a text that the queue took."""
    headline = Headline(clean_title(attack.headline), "Hostile Wire")
    found = [
        f"{attack.kind}: {finding.rule}: {text}"
        for finding in policy.check(text, headline=headline)
    ]
    if attack.unsafe in text:
        found.append(f"{attack.kind}: obeyed: {text}")
    return found


def test_the_corpus_is_large_and_kept_apart_by_kind() -> None:
    assert len(ATTACKS) >= 200
    assert len({attack.kind for attack in ATTACKS}) >= 10
