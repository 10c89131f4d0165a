"""The judge of a campaign: X's log and the calendar of slots against what the bot wrote down."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from engine.clock import iso
from engine.posting.states import FINAL
from engine.store.audit import verify_chain
from engine.store.database import opened, quick_check
from tests.faults.x_server import XServer


@dataclass
class Verdict:
    """Counts, and the sentences behind what is wrong."""

    slots: int = 0
    accepted: int = 0
    posted: int = 0
    doubles: int = 0
    lost: int = 0  # accepted by X, not known as posted
    phantoms: int = 0  # known as posted, not accepted by X
    unexplained: int = 0  # slots or posts without an end
    damage: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        broken = self.doubles + self.lost + self.phantoms + self.unexplained
        return not broken and not self.damage


def judge(db_path: Path, x: XServer) -> Verdict:
    """Compare."""
    entries = x.events("accepted")
    verdict = Verdict(accepted=len(entries))
    with opened(db_path) as db:
        rows = db.conn.execute("SELECT id, text, state, x_post_id FROM posts").fetchall()
        slots = db.conn.execute(
            "SELECT slot_key, state, post_id, reason FROM slots WHERE due_at <= ?",
            (iso(datetime.now(UTC)),),
        ).fetchall()
        verdict.damage = [said for said in (quick_check(db), verify_chain(db)) if said]
    verdict.slots = len(slots)
    for text, times in Counter(entry["text"] for entry in entries).items():
        if times > 1:
            verdict.doubles += times - 1
            verdict.wrong.append(f"accepted {times} times: {text}")
    on_x = {entry["id"]: entry["text"] for entry in entries}
    known = {row[3]: row[1] for row in rows if row[2] == "posted"}
    verdict.posted = len(known)
    for x_id, text in on_x.items():
        if known.get(x_id) != text:
            verdict.lost += 1
            verdict.wrong.append(f"accepted as {x_id}, not known: {text}")
    for x_id, text in known.items():
        if on_x.get(x_id) != text:
            verdict.phantoms += 1
            verdict.wrong.append(f"known as {x_id}, not accepted: {text}")
    ends = {row[0]: row[2] for row in rows}
    for post_id, state in ends.items():
        if state not in FINAL:
            verdict.unexplained += 1
            verdict.wrong.append(f"post {post_id} is {state}")
    for key, state, post_id, reason in slots:
        filled = state == "filled" and post_id in ends
        if not filled and not (state in ("missed", "skipped") and reason):
            verdict.unexplained += 1
            verdict.wrong.append(f"slot {key} is {state}")
    return verdict
