"""How recent posts of one kind did, as plain counts; the writer turns them into words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from engine.clock import iso

WINDOW = 50

REPEAT_AFTER = {"joke": timedelta(days=30), "motivation": timedelta(days=30)}
"""When a whole line may come again (engine.checks.repetition: the same words after 30 days); of
other types, whose lines stand beside a headline or figures, a sentence may after 7."""


@dataclass(frozen=True)
class RecentPerformance:
    """Of the last posts of one content type: how many came at first try, how many were refused."""

    n: int
    first_try: int
    refused: int

    def words(self) -> str:
        """A clause without digits: numbers in a prompt tempt a model to repeat them."""
        if self.n < 5:
            return "too few to say"
        first = self.first_try / self.n
        refused = self.refused / self.n
        wrote = "mostly right at first try" if first >= 0.8 else "often needed a second try"
        return wrote + (", operators refused many; keep it plain" if refused > 0.2 else "")


def recent(db: Database, content_type: str) -> RecentPerformance:
    """Counts over the last :data:`WINDOW` model-written posts of one type."""
    rows = db.conn.execute(
        "SELECT generation_attempts, state FROM posts WHERE content_type = ? AND origin = 'model' "
        "ORDER BY id DESC LIMIT ?",
        (content_type, WINDOW),
    ).fetchall()
    return RecentPerformance(
        n=len(rows),
        first_try=sum(attempts == 1 for attempts, _ in rows),
        refused=sum(state == "rejected" for _, state in rows),
    )


def recent_texts(db: Database, content_type: str, now: datetime) -> list[str]:
    """Texts of one type that are too young to be repeated, newest first, at most 500."""
    age = REPEAT_AFTER.get(content_type, timedelta(days=7))
    rows = db.conn.execute(
        "SELECT text FROM posts WHERE content_type = ? AND created_at >= ? "
        "ORDER BY created_at DESC, id DESC LIMIT 500",
        (content_type, iso(now - age)),
    ).fetchall()
    return [row[0] for row in rows]
