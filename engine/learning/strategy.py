"""The content mix at work: one draw a day, what a slot is given, and the record of both.

Content types go into the setting content.mix, which planning reads; hashtag sets and tones are
chosen when a slot is filled. With learning.mix_by_bandit off everything is chosen evenly or by
hand, and written down all the same, so that its propensities are known.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from engine.checks import repetition
from engine.clock import parse_iso
from engine.learning.measure import log_rate
from engine.learning.mix import Estimate, Seen, beliefs, hajek, weights
from engine.store import choices, settings, voice
from engine.store.choices import MixDraw
from engine.store.database import write_tx
from engine.store.slots import Slot
from engine.writing import banks

KINDS = ("content", "hashtags", "tone")
WINDOW = timedelta(days=180)


@dataclass(frozen=True)
class Chosen:
    """What a slot is given beside its content type."""

    hashtags: tuple[str, ...]
    tone: str


def arms_of(db: Database, kind: str) -> list[str]:
    """What there is to choose from. Content types that an operator set to 0 stay out."""
    if kind == "content":
        return sorted(name for name, ratio in settings.get(db, "content.mix").items() if ratio > 0)
    if kind == "hashtags":
        return sorted(row.id for row in banks.hashtag_sets())
    return sorted(voice.current(db).tone)


def draw_daily(db: Database, rng: random.Random, now: datetime) -> list[str]:
    """Draw today's weights of every kind, once a day; answers the kinds drawn.

    Does nothing while the bandit is off.
    """
    if not settings.get(db, "learning.mix_by_bandit"):
        return []
    return [kind for kind in KINDS if _draw(db, kind, rng.getrandbits(48), now)]


def _draw(db: Database, kind: str, seed: int, now: datetime) -> bool:
    arms = arms_of(db, kind)
    before = choices.latest_draw(db, kind)
    if len(arms) < 2 or (before is not None and before.day == f"{now:%Y-%m-%d}"):
        return False
    held = beliefs(seen_of(db, kind, now), arms)
    drawn = weights(held, random.Random(seed))
    posterior = {arm: (one.mean, one.sd, one.posts) for arm, one in held.items()}
    with write_tx(db):
        stored = choices.add_draw(db, kind, seed=seed, posterior=posterior, weights=drawn, now=now)
        if stored and kind == "content":
            settings.put(db, "content.mix", drawn, actor="bandit", now=now)
    return stored


def give(db: Database, slot: Slot, rng: random.Random, now: datetime, *, mixed: bool) -> Chosen:
    """Hashtags and tone for a slot, drawn now or before, with their propensities on record.

    ``mixed``: its content type came from the mix, not from its schedule.
    """
    with write_tx(db):
        if mixed:
            _note_content(db, slot, now)
        fitting = _hashtag_arms(db, slot.content_type)
        tag_set = _choose(db, slot, "hashtags", fitting, rng, now)
        tone = _choose(db, slot, "tone", arms_of(db, "tone"), rng, now)
    tags = next((row.tags for row in banks.hashtag_sets() if row.id == tag_set), ())
    return Chosen(tags, tone)


def _hashtag_arms(db: Database, content_type: str) -> list[str]:
    """Sets that fit; of several tags only those that the check for repetition will not refuse."""
    used = Counter(choices.recent(db, "hashtags", repetition.LAST))
    return sorted(
        row.id
        for row in banks.hashtag_sets()
        if (not row.types or content_type in row.types)
        and (len(row.tags) < 2 or used[row.id] < repetition.MOST_HASHTAG_SETS - 1)
    )


def _note_content(db: Database, slot: Slot, now: datetime) -> None:
    mix = settings.get(db, "content.mix")
    share = mix.get(slot.content_type, 0) / sum(mix.values())
    if share > 0:
        draw = choices.latest_draw(db, "content") if _by_bandit(db) else None
        choices.choose(
            db, slot.id, "content", slot.content_type, share, draw.id if draw else None, now
        )


def _choose(
    db: Database, slot: Slot, kind: str, arms: Sequence[str], rng: random.Random, now: datetime
) -> str:
    """One of ``arms`` by the newest draw's weights, or evenly."""
    given = choices.chosen(db, slot.id, kind)
    if given is not None:
        return given[0]
    draw = choices.latest_draw(db, kind) if _by_bandit(db) else None
    chances = _chances(draw, arms)
    arm = rng.choices(list(chances), list(chances.values()))[0]
    choices.choose(db, slot.id, kind, arm, chances[arm], draw.id if draw else None, now)
    return arm


def _chances(draw: MixDraw | None, arms: Sequence[str]) -> dict[str, float]:
    known = {arm: draw.weights.get(arm, 0.0) for arm in arms} if draw else {}
    if not known or min(known.values()) <= 0:  # a new arm since the draw: evenly until tomorrow
        known = dict.fromkeys(arms, 1.0)
    total = sum(known.values())
    return {arm: weight / total for arm, weight in known.items()}


def _by_bandit(db: Database) -> bool:
    return bool(settings.get(db, "learning.mix_by_bandit"))


def seen_of(db: Database, kind: str, now: datetime) -> list[Seen]:
    """Mature posts of the last :data:`WINDOW` with what they were given.

    Strata: a quarter of the day, and for hashtags and tone the content type.
    """
    return [
        Seen(
            row.arm,
            f"{int(row.hour) // 6}" + ("" if kind == "content" else f"|{row.content_type}"),
            log_rate(row.engagements, row.impressions),
            (now - parse_iso(row.posted_at)).total_seconds() / 86_400,
            row.propensity,
        )
        for row in choices.tried(db, kind, now - WINDOW)
    ]


def estimates(db: Database, kind: str, now: datetime) -> dict[str, Estimate | None]:
    """Hájek's estimates for the screens: never a claim of a lift."""
    return hajek(seen_of(db, kind, now), arms_of(db, kind))
