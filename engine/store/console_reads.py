"""What the console's screens show, each in few indexed reads; nothing here writes.

Counts of common states would cost a walk over the table, so only small sets are counted: what
waits, what is stuck, what a window of days holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from engine.clock import iso
from engine.store import posts
from engine.store.posts import Post

STUCK = ("held", "unknown")


def revision(db: Database) -> str:
    """Moves when something is written; equal revisions show equal pages."""
    row = db.conn.execute(
        "SELECT (SELECT coalesce(max(id), 0) FROM post_revisions), "
        "(SELECT coalesce(max(id), 0) FROM audit), "
        "(SELECT coalesce(max(id), 0) FROM attempts), "
        "(SELECT coalesce(max(id), 0) FROM generation_params), "
        "(SELECT coalesce(max(id), 0) FROM snapshots), "
        "(SELECT coalesce(max(updated_at), '') FROM settings)"
    ).fetchone()
    return "|".join(map(str, row))


def engagement_revision(db: Database) -> str:
    """Moves when readers' figures, followers or experiments do."""
    row = db.conn.execute(
        "SELECT (SELECT coalesce(max(id), 0) FROM metrics), "
        "(SELECT coalesce(max(id), 0) FROM followers), "
        "(SELECT coalesce(max(id), 0) FROM experiments), "
        "(SELECT count(*) FROM experiments WHERE state = 'running')"
    ).fetchone()
    return "|".join(map(str, row))


def open_breakers(db: Database) -> list[tuple[str, str, str | None, str | None]]:
    """Models that are off or on trial: name, state, until, reason."""
    return db.conn.execute(
        "SELECT name, state, open_until, reason FROM breakers WHERE state <> 'closed' ORDER BY name"
    ).fetchall()


@dataclass(frozen=True)
class Waiting:
    """How much asks for a person; what somebody keeps back does not."""

    pending: int
    oldest: str | None
    stuck: int


def waiting(db: Database) -> Waiting:
    pending, oldest = db.conn.execute(
        "SELECT count(*), min(updated_at) FROM posts "
        "WHERE state = 'pending_approval' AND coalesce(not_before, '') <> ?",
        (posts.UNTIL_RELEASED,),
    ).fetchone()
    stuck = db.conn.execute(
        "SELECT count(*) FROM posts WHERE state IN ('held', 'unknown')"
    ).fetchone()[0]
    return Waiting(pending, oldest, stuck)


def in_state(db: Database, states: tuple[str, ...], *, limit: int = 200) -> list[Post]:
    """Posts in any of ``states`` that nobody keeps back, by the time they are for."""
    marks = ", ".join("?" for _ in states)
    rows = db.conn.execute(
        f"SELECT {posts.COLUMNS} FROM posts WHERE state IN ({marks}) "
        "AND coalesce(not_before, '') <> ? "
        "ORDER BY coalesce(scheduled_for, created_at), id LIMIT ?",
        (*states, posts.UNTIL_RELEASED, limit),
    ).fetchall()
    return [posts.record(row) for row in rows]


def kept_back(db: Database) -> list[Post]:
    """Posts that wait for their release, oldest first."""
    rows = db.conn.execute(
        f"SELECT {posts.COLUMNS} FROM posts WHERE state IN ('pending_approval', 'approved') "
        "AND not_before = ? ORDER BY id LIMIT 200",
        (posts.UNTIL_RELEASED,),
    ).fetchall()
    return [posts.record(row) for row in rows]


def open_drafts(db: Database) -> list[Post]:
    """Drafts that a person or the runner is expected to give a new text."""
    rows = db.conn.execute(
        f"SELECT {posts.COLUMNS} FROM posts WHERE state = 'draft' AND id IN "
        "(SELECT post_id FROM regenerations WHERE finished_at IS NULL) ORDER BY id LIMIT 50"
    ).fetchall()
    return [posts.record(row) for row in rows]


@dataclass(frozen=True)
class Dot:
    """A post on the price chart."""

    post_id: int
    posted_at: str
    text: str
    price_usd: float | None


def posted_between(db: Database, start: datetime, end: datetime) -> list[Dot]:
    """The newest 100 posts that went out, oldest first, with the price they were written on."""
    rows = db.conn.execute(
        "SELECT p.id, p.posted_at, p.text, s.price_usd FROM posts p "
        "LEFT JOIN snapshots s ON s.id = p.snapshot_id "
        "WHERE p.posted_at >= ? AND p.posted_at < ? ORDER BY p.posted_at DESC LIMIT 100",
        (iso(start), iso(end)),
    ).fetchall()
    return [Dot(*row) for row in reversed(rows)]


def count_posted(db: Database, start: datetime, end: datetime) -> int:
    row = db.conn.execute(
        "SELECT count(*) FROM posts WHERE posted_at >= ? AND posted_at < ?", (iso(start), iso(end))
    ).fetchone()
    return int(row[0])


def slot_states(db: Database, start: datetime, end: datetime) -> dict[str, int]:
    """Numbers of slots due in a span, by state."""
    return dict(
        db.conn.execute(
            "SELECT state, count(*) FROM slots INDEXED BY slots_by_time "
            "WHERE due_at >= ? AND due_at < ? GROUP BY state",
            (iso(start), iso(end)),
        ).fetchall()
    )


@dataclass(frozen=True)
class Lost:
    """A slot that was not filled, and why."""

    due_at: str
    content_type: str
    state: str
    reason: str


def lost_slots(db: Database, start: datetime, end: datetime) -> list[Lost]:
    """Missed and skipped ones, oldest first, at most 100."""
    rows = db.conn.execute(
        "SELECT due_at, content_type, state, reason FROM slots INDEXED BY slots_by_state "
        "WHERE state IN ('missed', 'skipped') AND due_at >= ? AND due_at < ? "
        "ORDER BY due_at LIMIT 100",
        (iso(start), iso(end)),
    ).fetchall()
    return [Lost(*row) for row in rows]


def prices(db: Database, start: datetime, *, world: str | None) -> list[tuple[str, float]]:
    """Time and price of snapshots since ``start``, oldest first, at most 1,500."""
    clause, values = ("world = ? AND", [world]) if world else ("", [])
    return db.conn.execute(
        f"SELECT as_of, price_usd FROM (SELECT as_of, price_usd, id FROM snapshots "
        f"WHERE {clause} as_of >= ? ORDER BY as_of DESC LIMIT 1500) ORDER BY as_of, id",
        (*values, iso(start)),
    ).fetchall()


@dataclass(frozen=True)
class Figures:
    """Raw counts behind the mission's targets, over one window."""

    seconds: tuple[float, ...]  # of finished calls; a scripted model's say nothing
    calls: int
    calls_ok: int
    drafts: int
    drafts_rejected: int
    slots_filled: int
    slots_ended: int
    slots_unexplained: int


def figures(db: Database, start: datetime, end: datetime) -> Figures:
    window = (iso(start), iso(end))
    calls = db.conn.execute(
        "SELECT completion_time, outcome, backend FROM generation_params "
        "WHERE created_at >= ? AND created_at < ? AND purpose = 'post' LIMIT 20000",
        window,
    ).fetchall()
    drafts, rejected = db.conn.execute(
        "SELECT count(*), coalesce(sum(verdict <> 'pass'), 0) FROM posts "
        "WHERE created_at >= ? AND created_at < ?",
        window,
    ).fetchone()
    filled, ended = db.conn.execute(
        "SELECT coalesce(sum(state = 'filled'), 0), "
        "coalesce(sum(state IN ('filled', 'missed')), 0) "
        "FROM slots WHERE due_at >= ? AND due_at < ?",
        window,
    ).fetchone()
    left = db.conn.execute(
        "SELECT count(*) FROM slots WHERE state IN ('due', 'claimed') "
        "AND due_at < strftime('%Y-%m-%dT%H:%M:%fZ', ?, '-1 hour')",
        (window[1],),
    ).fetchone()[0]
    ok = [(seconds, backend) for seconds, outcome, backend in calls if outcome == "ok"]
    timed = tuple(seconds for seconds, backend in ok if backend != "scripted")
    return Figures(timed, len(calls), len(ok), drafts, rejected, filled, ended, left)


def events(db: Database, start: datetime, end: datetime) -> list[tuple[str, str]]:
    """Time and sentence of market events, most important of a moment first, at most 100."""
    return db.conn.execute(
        "SELECT at, sentence FROM market_events WHERE at >= ? AND at < ? "
        "ORDER BY at, priority DESC LIMIT 100",
        (iso(start), iso(end)),
    ).fetchall()


@dataclass(frozen=True)
class Revised:
    """One text a post had."""

    revision: int
    text: str
    verdict: str
    actor: str
    created_at: str


def revisions(db: Database, post_id: int) -> list[Revised]:
    rows = db.conn.execute(
        "SELECT revision, text, verdict, actor, created_at FROM post_revisions "
        "WHERE post_id = ? ORDER BY revision",
        (post_id,),
    ).fetchall()
    return [Revised(*row) for row in rows]


@dataclass(frozen=True)
class Decision:
    """What somebody, or the autonomy level, said of one exact text."""

    revision: int
    decision: str
    actor: str
    reason: str | None
    created_at: str


def decisions(db: Database, post_id: int) -> list[Decision]:
    rows = db.conn.execute(
        "SELECT revision, decision, actor, reason, created_at FROM decisions "
        "WHERE post_id = ? ORDER BY id",
        (post_id,),
    ).fetchall()
    return [Decision(*row) for row in rows]


def spend_by_kind(db: Database, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """Calls and US dollars by publisher and kind, for a table."""
    rows = db.conn.execute(
        "SELECT publisher, kind, sum(quantity), sum(usd_micros) / 1e6 FROM spend "
        "WHERE at >= ? AND at < ? GROUP BY publisher, kind ORDER BY 4 DESC",
        (iso(start), iso(end)),
    ).fetchall()
    return [
        {"publisher": publisher, "kind": kind.replace("_", " "), "calls": n, "USD": round(usd, 4)}
        for publisher, kind, n, usd in rows
    ]


def last_jobs(db: Database) -> list[tuple[str, str, float, str, str | None]]:
    """The last run of each job: name, start, seconds, outcome, error."""
    return db.conn.execute(
        "SELECT job, started_at, seconds, outcome, error FROM job_runs "
        "WHERE id IN (SELECT max(id) FROM job_runs GROUP BY job) ORDER BY job"
    ).fetchall()


@dataclass(frozen=True)
class VersionFigures:
    """A template version's record. ``judged``: posts that a person approved or rejected."""

    drafts: int = 0
    first_try: int = 0
    judged: int = 0
    approved: int = 0
    posted: int = 0


def figures_of_versions(db: Database, template_id: int) -> dict[int, VersionFigures]:
    """By version id, over the template's newest 5,000 posts."""
    rows = db.conn.execute(
        "SELECT template_version_id, count(*), sum(generation_attempts = 1), "
        "sum(approved_by IS NOT NULL OR state = 'rejected'), sum(approved_by IS NOT NULL), "
        "sum(state = 'posted') FROM (SELECT * FROM posts WHERE prompt_template_id = ? "
        "ORDER BY id DESC LIMIT 5000) WHERE template_version_id IS NOT NULL "
        "GROUP BY template_version_id",
        (template_id,),
    ).fetchall()
    return {row[0]: VersionFigures(*row[1:]) for row in rows}


@dataclass(frozen=True)
class Tested:
    """What the newest suite run that tried a version said of it."""

    suite: str
    run_id: int
    at: str
    passed: int
    errors: int
    n: int


def tests_of_versions(db: Database, template_id: int) -> dict[int, Tested]:
    """By version id; versions that no finished run tried are left out."""
    rows = db.conn.execute(
        "SELECT s.version_id, r.suite, r.id, r.finished_at, sum(s.outcome = 'pass'), "
        "sum(s.outcome = 'error'), count(*) FROM suite_results s "
        "JOIN suite_runs r ON r.id = s.run_id JOIN template_versions v ON v.id = s.version_id "
        "WHERE v.template_id = ? AND r.state = 'done' GROUP BY s.version_id, r.id ORDER BY r.id",
        (template_id,),
    ).fetchall()
    return {row[0]: Tested(*row[1:]) for row in rows}


def moments(db: Database, *, limit: int = 200) -> list[tuple[int, str, float]]:
    """Id, time and price of the newest snapshot of each hour, newest first."""
    return db.conn.execute(
        "SELECT id, as_of, price_usd FROM snapshots WHERE id IN (SELECT max(id) FROM "
        "(SELECT id, as_of FROM snapshots ORDER BY id DESC LIMIT 10000) "
        "GROUP BY substr(as_of, 1, 13)) ORDER BY as_of DESC LIMIT ?",
        (limit,),
    ).fetchall()


@dataclass(frozen=True)
class ModelCalls:
    """Calls of one model in a window; ``judged`` are those that gave a text."""

    model: str
    calls: int
    ok: int
    judged: int
    accepted: int
    seconds: tuple[float, ...]


def model_calls(db: Database, start: datetime, end: datetime) -> list[ModelCalls]:
    """Over the newest 20,000 production calls of the window, most used model first."""
    rows = db.conn.execute(
        "SELECT model_name, outcome, verdict, completion_time FROM generation_params "
        "WHERE created_at >= ? AND created_at < ? AND purpose = 'post' "
        "ORDER BY created_at DESC LIMIT 20000",
        (iso(start), iso(end)),
    ).fetchall()
    by_model: dict[str, list[tuple[str, str | None, float]]] = {}
    for model, *rest in rows:
        by_model.setdefault(model, []).append(tuple(rest))
    found = [
        ModelCalls(
            model,
            len(calls),
            sum(outcome == "ok" for outcome, _, _ in calls),
            sum(verdict is not None for _, verdict, _ in calls),
            sum(verdict == "pass" for _, verdict, _ in calls),
            tuple(seconds for outcome, _, seconds in calls if outcome == "ok"),
        )
        for model, calls in by_model.items()
    ]
    return sorted(found, key=lambda row: -row.calls)
