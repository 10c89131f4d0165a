"""How far a post may go without a person: by content type, and never on thin trust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from engine.store.posts import Post

Level = Literal["draft_only", "approve", "auto"]

TRUST_ON_X = 5
"""On X a model and template need at least this many approvals in a row (issue: autonomy)."""


@dataclass(frozen=True)
class Autonomy:
    """The level that applies to one post, and why it is not a higher one."""

    level: Level
    reason: str = ""


def judge(
    post: Post, settings: Mapping[str, Any], approvals_in_a_row: int, publisher: str
) -> Autonomy:
    """What may happen to ``post`` now.

    ``approvals_in_a_row``: of its content type, model and template version, by operators; a
    change of any of them starts at 0.
    """
    wanted: Level = settings[f"autonomy.{post.content_type}"]
    if wanted != "auto":
        return Autonomy(wanted)
    trust = int(settings["autonomy.trust_after"])
    if publisher == "x":
        trust = max(trust, TRUST_ON_X)
    if post.revision > 1:
        return Autonomy("approve", "its text was changed after it was written")
    if post.origin != "model":
        return Autonomy("approve", f"it comes from {post.origin}, not from the model")
    if post.flags:
        return Autonomy("approve", f"it carries flags: {', '.join(post.flags)}")
    if approvals_in_a_row < trust:
        return Autonomy(
            "approve",
            f"this model and template have {approvals_in_a_row} of {trust} approvals in a row",
        )
    return Autonomy("auto")
