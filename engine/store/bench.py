"""Benchmark runs and their calls. A call is committed the moment it ends."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlite_utils import Database

from engine.clock import iso
from engine.records import canonical_json
from engine.store.database import write_tx

RunState = Literal["waiting", "running", "done", "cancelled", "failed"]
Kind = Literal["bench", "drift"]


@dataclass(frozen=True)
class BenchRun:
    """One row of ``bench_runs``. ``done`` counts the finished calls of the plan (cold ones apart).

    ``context`` and ``plan`` are JSON objects (:mod:`engine.lab.plan`, :mod:`engine.lab.machine`).
    """

    id: int
    kind: Kind
    state: RunState
    cancel: bool
    plan: dict[str, Any]
    context: dict[str, Any]
    planned: int
    worker: str | None
    actor: str
    error: str | None
    created_at: str
    finished_at: str | None
    done: int


@dataclass(frozen=True)
class BenchCall:
    """One measured call. Seconds, tokens; None where the server did not say.

    ``rules`` are those of the findings that stop the text. ``harness_s`` is our own share.
    """

    place: int
    phase: str
    model: str
    content_type: str
    recipe: str
    version_id: int
    repeat: int
    moment: int
    seed: int
    recipe_used: str
    outcome: str
    wall_s: float
    cache_defeated: bool
    harness_s: float
    error: str | None = None
    raw_text: str = ""
    text: str = ""
    verdict: str | None = None
    rules: tuple[str, ...] = ()
    voice_score: float | None = None
    ttft_s: float | None = None
    answer_s: float | None = None
    load_s: float | None = None
    prefill_s: float | None = None
    decode_s: float | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True)
class Judgement:
    """What the checks said of a text."""

    verdict: str
    rules: tuple[str, ...]
    voice_score: float


_RUN = (
    "id, kind, state, cancel, plan, context, planned, worker, actor, error, created_at, "
    "finished_at, (SELECT count(*) FROM bench_calls c WHERE c.run_id = bench_runs.id "
    "AND c.place >= 0)"
)
_CALL = tuple(field.name for field in dataclasses.fields(BenchCall))
_INSERT = (
    f"INSERT INTO bench_calls (run_id, created_at, {', '.join(_CALL)}) "
    f"VALUES ({', '.join('?' * (len(_CALL) + 2))})"
)


def create(
    db: Database,
    *,
    kind: Kind,
    plan: dict[str, Any],
    plan_sha256: str,
    planned: int,
    worker: str | None,
    actor: str,
    now: datetime,
) -> int:
    """A new run, ``running`` under ``worker`` or ``waiting`` without one; answers its id."""
    state: RunState = "running" if worker else "waiting"
    with write_tx(db):
        cursor = db.conn.execute(
            "INSERT INTO bench_runs (kind, state, plan, plan_sha256, planned, worker, actor, "
            "created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (kind, state, canonical_json(plan), plan_sha256, planned, worker, actor, iso(now)),
        )
    return int(cursor.lastrowid or 0)


def get(db: Database, run_id: int) -> BenchRun | None:
    row = db.conn.execute(f"SELECT {_RUN} FROM bench_runs WHERE id = ?", (run_id,)).fetchone()
    return _run(row) if row else None


def listing(
    db: Database, *, kind: Kind | None = None, state: RunState | None = None, limit: int = 50
) -> list[BenchRun]:
    """Newest first."""
    filters = {"kind = ?": kind, "state = ?": state}
    used = {clause: value for clause, value in filters.items() if value is not None}
    where = f"WHERE {' AND '.join(used)}" if used else ""
    rows = db.conn.execute(
        f"SELECT {_RUN} FROM bench_runs {where} ORDER BY id DESC LIMIT ?", [*used.values(), limit]
    ).fetchall()
    return [_run(row) for row in rows]


def open_runs(db: Database) -> list[BenchRun]:
    """Runs that wait or run, oldest first."""
    rows = db.conn.execute(
        f"SELECT {_RUN} FROM bench_runs WHERE state IN ('waiting', 'running') ORDER BY id"
    ).fetchall()
    return [_run(row) for row in rows]


def newest_of_each_model(db: Database) -> list[int]:
    """Ids of the finished benchmark runs that are the newest of at least one model, oldest first."""
    rows = db.conn.execute(
        "SELECT max(c.run_id) FROM bench_calls c JOIN bench_runs r ON r.id = c.run_id "
        "WHERE r.kind = 'bench' AND r.state = 'done' GROUP BY c.model"
    ).fetchall()
    return sorted({row[0] for row in rows})


def first_production_call(db: Database) -> str | None:
    """When the bot first wrote a post by a model, ISO-8601."""
    row = db.conn.execute(
        "SELECT created_at FROM generation_params WHERE purpose = 'post' ORDER BY id LIMIT 1"
    ).fetchone()
    return str(row[0]) if row else None


def same_plan(db: Database, plan_sha256: str) -> BenchRun | None:
    """The newest run with exactly this plan."""
    row = db.conn.execute(
        f"SELECT {_RUN} FROM bench_runs WHERE plan_sha256 = ? ORDER BY id DESC LIMIT 1",
        (plan_sha256,),
    ).fetchone()
    return _run(row) if row else None


def claim(db: Database, run_id: int, *, worker: str, before: str | None) -> bool:
    """Take a run that waits, or whose worker ``before`` is gone; false if another was faster."""
    with write_tx(db):
        done = db.conn.execute(
            "UPDATE bench_runs SET state = 'running', worker = ?, cancel = 0, error = NULL, "
            "finished_at = NULL WHERE id = ? AND worker IS ? AND state <> 'done'",
            (worker, run_id, before),
        )
    return done.rowcount == 1


def finish(
    db: Database, run_id: int, state: RunState, *, now: datetime, error: str | None = None
) -> None:
    """The run ended; its worker lets go."""
    with write_tx(db):
        db.conn.execute(
            "UPDATE bench_runs SET state = ?, error = ?, worker = NULL, finished_at = ? "
            "WHERE id = ?",
            (state, error, iso(now), run_id),
        )


def ask_to_cancel(db: Database, run_id: int, *, now: datetime) -> bool:
    """A waiting run is cancelled at once, a running one after its call; true if either."""
    with write_tx(db):
        waiting = db.conn.execute(
            "UPDATE bench_runs SET state = 'cancelled', finished_at = ? "
            "WHERE id = ? AND state = 'waiting'",
            (iso(now), run_id),
        )
        running = db.conn.execute(
            "UPDATE bench_runs SET cancel = 1 WHERE id = ? AND state = 'running'", (run_id,)
        )
    return waiting.rowcount + running.rowcount > 0


def cancelled(db: Database, run_id: int) -> bool:
    row = db.conn.execute("SELECT cancel FROM bench_runs WHERE id = ?", (run_id,)).fetchone()
    return bool(row and row[0])


def set_context(db: Database, run_id: int, context: dict[str, Any]) -> None:
    with write_tx(db):
        db.conn.execute(
            "UPDATE bench_runs SET context = ? WHERE id = ?", (canonical_json(context), run_id)
        )


def add_call(db: Database, run_id: int, call: BenchCall, *, now: datetime) -> None:
    """Store one finished call, committed when this returns."""
    values = [getattr(call, name) for name in _CALL]
    values[_CALL.index("rules")] = canonical_json(list(call.rules))
    with write_tx(db):
        db.conn.execute(_INSERT, [run_id, iso(now), *values])


def unjudged(db: Database, run_id: int) -> list[tuple[int, str, int, str]]:
    """Texts without a verdict: place, content type, moment, text."""
    return db.conn.execute(
        "SELECT place, content_type, moment, text FROM bench_calls "
        "WHERE run_id = ? AND outcome = 'ok' AND verdict IS NULL ORDER BY place",
        (run_id,),
    ).fetchall()


def set_judgements(db: Database, run_id: int, found: list[tuple[int, Judgement]]) -> None:
    """Store verdicts by place, all or none."""
    with write_tx(db):
        db.conn.executemany(
            "UPDATE bench_calls SET verdict = ?, rules = ?, voice_score = ? "
            "WHERE run_id = ? AND place = ?",
            [
                (item.verdict, canonical_json(list(item.rules)), item.voice_score, run_id, place)
                for place, item in found
            ],
        )


def calls(db: Database, run_id: int) -> list[BenchCall]:
    """All calls of a run in the order of its plan, cold ones first."""
    rows = db.conn.execute(
        f"SELECT {', '.join(_CALL)} FROM bench_calls WHERE run_id = ? ORDER BY place", (run_id,)
    ).fetchall()
    return [_call(row) for row in rows]


def places(db: Database, run_id: int) -> set[int]:
    """Places of the plan that are done."""
    rows = db.conn.execute("SELECT place FROM bench_calls WHERE run_id = ?", (run_id,)).fetchall()
    return {row[0] for row in rows}


def _run(row: tuple[Any, ...]) -> BenchRun:
    values = dict(zip(BenchRun.__dataclass_fields__, row, strict=True))
    values["plan"], values["context"] = json.loads(values["plan"]), json.loads(values["context"])
    values["cancel"] = bool(values["cancel"])
    return BenchRun(**values)


def _call(row: tuple[Any, ...]) -> BenchCall:
    values = dict(zip(_CALL, row, strict=True))
    values["rules"] = tuple(json.loads(values["rules"]))
    values["cache_defeated"] = bool(values["cache_defeated"])
    return BenchCall(**values)
