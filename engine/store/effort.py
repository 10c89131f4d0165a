"""What people did with posts, from the audit trail, and how far their texts went from the bot's."""

from __future__ import annotations

from datetime import datetime

from sqlite_utils import Database

from engine.clock import iso

MACHINES = ("runner", "writer", "autonomy", "bandit", "demo", "shipped")


def actions(db: Database, since: datetime, until: datetime) -> list[tuple[str, str, str]]:
    """(actor, at, subject) of people's actions on posts, oldest first."""
    marks = ", ".join("?" * len(MACHINES))
    return db.conn.execute(
        "SELECT actor, at, subject FROM audit WHERE at >= ? AND at < ? "
        f"AND subject >= 'post:' AND subject < 'post;' AND actor NOT IN ({marks}) "
        "ORDER BY actor, at, id",
        (iso(since), iso(until), *MACHINES),
    ).fetchall()


def published(db: Database, since: datetime, until: datetime) -> list[tuple[int, int]]:
    """(post id, 1 if a person edited it) of posts that went out in that span, dry runs too."""
    # the plus keeps SQLite from walking every posted post by the index of states
    return db.conn.execute(
        "SELECT p.id, EXISTS (SELECT 1 FROM decisions d WHERE d.post_id = p.id "
        "AND d.decision = 'edited') FROM posts p "
        "WHERE p.posted_at >= ? AND p.posted_at < ? AND +p.state = 'posted' ORDER BY p.id",
        (iso(since), iso(until)),
    ).fetchall()


def edited_texts(db: Database, post_id: int) -> tuple[str, str] | None:
    """(the last text before a person's first edit, the text that went out)."""
    row = db.conn.execute(
        "SELECT r.text, p.text FROM posts p JOIN post_revisions r ON r.post_id = p.id "
        "AND r.revision = (SELECT min(d.revision) FROM decisions d WHERE d.post_id = p.id "
        " AND d.decision = 'edited') WHERE p.id = ?",
        (post_id,),
    ).fetchone()
    return (row[0], row[1]) if row else None
