"""Every model call is a row: accepted, rejected and failed ones alike (table generation_params)."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from engine.clock import iso
from engine.records import Verdict, canonical_json
from engine.store.database import write_tx


@dataclass(frozen=True)
class Call:
    """What is kept of one call; seconds, tokens, and the exact prompt and answer."""

    model_name: str
    backend: str
    raw_prompt: str
    completion_time: float
    draft_key: str
    purpose: str  # post, playground, bench, suite, sentiment, api
    outcome: str  # ok, error, empty, truncated
    raw_text: str
    options: dict[str, Any]
    temperature: float | None = None
    max_tokens: int | None = None
    top_p: float | None = None
    seed: int | None = None
    post_id: int | None = None
    prompt_id: int | None = None
    template_version_id: int | None = None
    snapshot_id: int | None = None
    candidate: int = 1
    content_type: str | None = None
    recipe: str | None = None
    model_digest: str | None = None
    server_version: str | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    ttft_s: float | None = None
    load_s: float | None = None
    prefill_s: float | None = None
    decode_s: float | None = None
    done_reason: str | None = None
    from_cache: bool = False
    error: str | None = None
    text: str | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True)
class StoredCall:
    """One row as read back; times ISO-8601 UTC."""

    id: int
    created_at: str
    post_id: int | None
    model_name: str
    backend: str
    purpose: str
    content_type: str | None
    recipe: str | None
    draft_key: str
    candidate: int
    template_version_id: int | None
    snapshot_id: int | None
    seed: int | None
    options: dict[str, Any]
    model_digest: str | None
    server_version: str | None
    prompt_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    ttft_s: float | None
    completion_time: float
    load_s: float | None
    prefill_s: float | None
    decode_s: float | None
    done_reason: str | None
    from_cache: bool
    outcome: str
    error: str | None
    raw_prompt: str
    raw_text: str
    text: str | None
    verdict: str | None
    findings: tuple[dict[str, Any], ...]


_STORED = ", ".join(StoredCall.__dataclass_fields__)


def insert(db: Database, call: Call, *, now: datetime) -> int:
    """Store one call; answers its id."""
    row = {field.name: getattr(call, field.name) for field in dataclasses.fields(call)}
    verdict: Verdict | None = row.pop("verdict")
    row |= {
        "options": canonical_json(call.options),
        "from_cache": int(call.from_cache),
        "verdict": verdict.outcome if verdict else None,
        "findings": canonical_json(verdict.to_dict()["findings"] if verdict else []),
        "created_at": iso(now),
    }
    names = ", ".join(row)
    marks = ", ".join("?" * len(row))
    with write_tx(db):
        cursor = db.conn.execute(
            f"INSERT INTO generation_params ({names}) VALUES ({marks})", list(row.values())
        )
    return int(cursor.lastrowid or 0)


def link(db: Database, draft_key: str, post_id: int) -> None:
    """Tie all candidates of a draft to the post that came of it."""
    with write_tx(db):
        db.conn.execute(
            "UPDATE generation_params SET post_id = ? WHERE draft_key = ?", (post_id, draft_key)
        )


def of_post(db: Database, post_id: int) -> list[StoredCall]:
    """All calls behind a post, in order."""
    rows = db.conn.execute(
        f"SELECT {_STORED} FROM generation_params WHERE post_id = ? ORDER BY id", (post_id,)
    ).fetchall()
    return [_record(row) for row in rows]


def get(db: Database, call_id: int) -> StoredCall | None:
    row = db.conn.execute(
        f"SELECT {_STORED} FROM generation_params WHERE id = ?", (call_id,)
    ).fetchone()
    return _record(row) if row else None


def listing(
    db: Database,
    *,
    before_id: int | None = None,
    limit: int = 50,
    model: str | None = None,
    content_type: str | None = None,
    verdict: str | None = None,
    outcome: str | None = None,
    purpose: str | None = None,
) -> list[StoredCall]:
    """Newest first, one page: pass the last id seen as ``before_id`` for the next."""
    filters = {
        "model_name = ?": model,
        "content_type = ?": content_type,
        "verdict = ?": verdict,
        "outcome = ?": outcome,
        "purpose = ?": purpose,
        "id < ?": before_id,
    }
    used = {clause: value for clause, value in filters.items() if value is not None}
    where = f"WHERE {' AND '.join(used)}" if used else ""
    rows = db.conn.execute(
        f"SELECT {_STORED} FROM generation_params {where} ORDER BY id DESC LIMIT ?",
        [*used.values(), limit],
    ).fetchall()
    return [_record(row) for row in rows]


def _record(row: tuple[Any, ...]) -> StoredCall:
    values = dict(zip(StoredCall.__dataclass_fields__, row, strict=True))
    values["options"] = json.loads(values["options"])
    values["findings"] = tuple(json.loads(values["findings"]))
    values["from_cache"] = bool(values["from_cache"])
    return StoredCall(**values)
