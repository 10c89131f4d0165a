"""How recent posts of one kind did, as plain counts; the writer turns them into words."""

from __future__ import annotations

from dataclasses import dataclass

from sqlite_utils import Database

WINDOW = 50


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
