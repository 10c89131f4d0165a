"""Filling slots: from a due slot to a draft in the queue, or to a reason why there is none."""

from __future__ import annotations

import dataclasses
import logging
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlite_utils import Database

from engine.checks import facts as fact_lock
from engine.checks import policy
from engine.clock import Clock
from engine.errors import BuzzError
from engine.learning import strategy
from engine.learning.assignment import Assignment, arm_for_slot, arm_of_day, arm_of_post
from engine.log import event
from engine.posting import queue, spend
from engine.posting.protocol import Rewritten
from engine.records import Facts, Snapshot
from engine.service import schedule
from engine.service.desk import MarketDesk, given_facts
from engine.store import market_events, news, posts, schedules, settings, snapshots
from engine.store.approvals import Regeneration
from engine.store.database import opened, write_tx
from engine.store.market_events import MarketEvent
from engine.store.news import NewsItem
from engine.store.posts import Post
from engine.store.slots import Slot
from engine.writing.generate import Draft, Order, Writer
from engine.writing.quoting import quotable

logger = logging.getLogger(__name__)

NEWS_MAX_AGE_H = 36.0

EVENT_MAX_AGE_S = 3_600.0

LEFT_AFTER = timedelta(seconds=60)
"""Writers submit a draft at once; one that is older was left behind."""

MOST_REWRITES = 5
"""A post that cannot be written anew so often is left for its operator, or to expire."""


@dataclass(frozen=True)
class Written:
    """A draft and where it stands now; ``state`` is ``skipped`` where nothing was written."""

    draft: Draft | None
    state: str
    reason: str = ""
    facts: Facts | None = None


class Filler:
    """Writes drafts for slots and on demand; safe from one thread at a time."""

    def __init__(
        self,
        db_path: Path,
        writer: Writer,
        desk: MarketDesk,
        clock: Clock,
        rng: random.Random,
        publisher: str,
        tell: Callable[[Written], None] = lambda written: None,
        writer_with: Callable[[str], Writer] | None = None,
    ) -> None:
        """``writer_with`` gives the writer for a named model, for experiments between models."""
        self._db_path, self._writer, self._desk = db_path, writer, desk
        self._clock, self._rng, self._publisher, self._tell = clock, rng, publisher, tell
        self._writer_with = writer_with

    def fill_due(self, told_to_stop: Callable[[], bool] = lambda: False) -> int:
        """Fill every slot that is due, until told to stop; answers how many were worked on."""
        with opened(self._db_path) as db:
            lead = timedelta(seconds=float(settings.get(db, "content.lead_s")))
            self._take_up_what_was_left(db)
            waiting = schedule.due(db, self._clock.now(), lead)
        worked_on = 0
        for slot in waiting:
            if told_to_stop():
                break
            worked_on += self.fill(slot.id, lead) is not None
        return worked_on

    def _take_up_what_was_left(self, db: Database) -> None:
        """Slots and drafts of a round that was killed, or whose end a full disk did not take."""
        now = self._clock.now()
        schedule.recover_claimed(db, now)
        for post_id in posts.unsubmitted(db, now - LEFT_AFTER):
            queue.submit(db, post_id, actor="runner", now=now, publisher=self._publisher)

    def fill(self, slot_id: int, lead: timedelta = timedelta(0)) -> Written | None:
        """Fill one slot; None if somebody else took it.

        A failure gives the slot back for a later try; its grace decides how often.
        """
        with opened(self._db_path) as db:
            slot = schedule.claim(db, slot_id, self._clock.now(), lead)
        if slot is None:
            return None
        try:
            written = self._write_for(slot)
        except Exception as error:
            with opened(self._db_path) as db:
                schedule.retry_later(db, slot.id, self._clock.now(), str(error), rng=self._rng)
            if not isinstance(error, BuzzError):
                raise
            event(logger, logging.WARNING, "slot not filled", slot=slot.slot_key, error=str(error))
            return Written(None, "skipped", str(error))
        self._tell(written)
        return written

    def write_now(self, content_type: str, facts: Facts | None = None) -> Written:
        """One post outside the schedule; ``facts`` replaces the market's."""
        if facts is None:
            footing = self._desk.footing()
            if footing.snapshot is None:
                return Written(None, "skipped", footing.reason)
            snapshot, reason = footing.snapshot, footing.reason
        else:
            snapshot, reason = given_facts(self._db_path, facts, self._clock), ""
        item = self._news_for(content_type, snapshot)
        if content_type == "news" and item is None and snapshot.facts.headline is None:
            return Written(None, "skipped", "no fresh, relevant, unused headline")
        written = self._order(Order(content_type, snapshot, news=item))
        return dataclasses.replace(written, reason=written.reason or reason)

    def write_events(self) -> int:
        """A post of its own for each event too big to wait for a slot; answers how many."""
        with opened(self._db_path) as db:
            least = int(settings.get(db, "events.extra_priority"))
        if self._no_room(self._clock.now()):
            return 0
        footing = self._desk.footing()
        happened = self._event_for(footing.snapshot, least) if footing.snapshot else None
        if happened is None or footing.snapshot is None:
            return 0
        written = self._order(Order(happened.content_type, footing.snapshot, market_event=happened))
        self._tell(written)
        return 1

    def rewrite(self, post: Post, wish: Regeneration) -> Rewritten | None:
        """A new text for a post that went stale or was sent back; None where none could be had."""
        if wish.tries >= MOST_REWRITES:
            return None
        with opened(self._db_path) as db:
            item = news.get(db, post.news_item_id) if post.news_item_id else None
            own = snapshots.get(db, post.snapshot_id) if post.snapshot_id else None
            arm = arm_of_post(db, post.slot_id, post.content_type)
        # facts that an operator gave have no newer version; anything else is written on new ones
        given = own is not None and own.world == "replay"
        snapshot = own if given else self._desk.footing().snapshot
        if snapshot is None:
            return None
        order = Order(post.content_type, snapshot, news=item, post_id=post.id)
        draft = self._write(order, arm)
        if draft.post_id is None or draft.text == post.text:
            return None
        return Rewritten(
            draft.text, draft.verdict, snapshot.id, draft.origin, policy.POLICY_VERSION
        )

    # -- one slot ----------------------------------------------------------------------------

    def _write_for(self, slot: Slot) -> Written:
        with opened(self._db_path) as db:
            left = _post_of(db, slot)
            day = arm_of_day(db, slot, self._clock.now())
        if left is not None:
            return self._end(slot, Written(None, "filled"), left)
        if day is not None and day.skip:
            return self._end(slot, Written(None, "skipped", day.skip))
        full = self._no_room(max(slot.due_at, self._clock.now()))
        if full:
            return self._end(slot, Written(None, "skipped", full))
        footing = self._desk.footing()
        if footing.snapshot is None:
            return self._end(slot, Written(None, "skipped", f"market: {footing.reason}"))
        content_type, item = slot.content_type, None
        happened = self._event_for(footing.snapshot) if self._is_mixed(slot) else None
        if happened is not None:
            content_type = happened.content_type
        elif content_type == "news":
            item = self._news_for("news", footing.snapshot)
            if item is None:
                if not self._is_mixed(slot):
                    return self._end(slot, Written(None, "skipped", "no fresh unused headline"))
                content_type = "price"  # a mixed slot is worth more filled than empty
        written_as = dataclasses.replace(slot, content_type=content_type)
        now = self._clock.now()
        with opened(self._db_path) as db:
            arm = arm_for_slot(db, written_as, now)
            given = strategy.give(db, written_as, self._rng, now, mixed=self._is_mixed(slot))
        order = Order(
            content_type,
            footing.snapshot,
            news=item,
            market_event=happened,
            slot_id=slot.id,
            scheduled_for=max(slot.due_at, now),
            hashtags=given.hashtags,
            tone=given.tone,
        )
        written = self._order(order, arm)
        return self._end(slot, written, written.draft.post_id if written.draft else None)

    def _order(self, order: Order, arm: Assignment | None = None) -> Written:
        draft = self._write(order, arm)
        facts = order.snapshot.facts
        if draft.post_id is None:
            self._release(order)
            return Written(draft, "skipped", draft.reason, facts)
        with opened(self._db_path) as db:
            state = queue.submit(
                db, draft.post_id, actor="runner", now=self._clock.now(), publisher=self._publisher
            )
        if state == "rejected":
            self._release(order)
        return Written(draft, state, "", facts)

    def _write(self, order: Order, arm: Assignment | None) -> Draft:
        """Write as the arm says; a model that cannot be had gives way to a template, same arm."""
        if arm is None:
            return self._writer.write(order)
        order = dataclasses.replace(
            order, use_model=arm.use_model, template_version_id=arm.template_version_id
        )
        writer = self._writer
        if arm.use_model and arm.model and self._writer_with:
            try:
                writer = self._writer_with(arm.model)
            except BuzzError as error:
                event(logger, logging.WARNING, "model of an arm not there", error=str(error))
                order = dataclasses.replace(order, use_model=False)
        return writer.write(order)

    def _end(self, slot: Slot, written: Written, post_id: int | None = None) -> Written:
        now = self._clock.now()
        with opened(self._db_path) as db:
            if post_id is not None:
                schedule.finish(db, slot.id, "filled", now=now, post_id=post_id)
            else:
                schedule.finish(
                    db, slot.id, "skipped", now=now, reason=written.reason or "nothing was written"
                )
        return written

    def _no_room(self, at: datetime) -> str | None:
        """Why nothing is written for ``at``: its month has no money left, or the disk no space."""
        with opened(self._db_path) as db:
            broke = spend.room_for_another(db, at, self._publisher)
            least_mb = int(settings.get(db, "service.min_free_mb"))
        free_mb = shutil.disk_usage(self._db_path.parent).free // 1_000_000
        full = f"disk: {free_mb} MB are free, {least_mb} must stay" if free_mb < least_mb else None
        return broke or full

    def _is_mixed(self, slot: Slot) -> bool:
        with opened(self._db_path) as db:
            plans = {row.id: row.plan for row in schedules.listing(db)}
        plan = plans.get(slot.schedule_id or 0)
        return plan is not None and plan.content_type is None

    def _news_for(self, content_type: str, snapshot: Snapshot) -> NewsItem | None:
        """A headline of the snapshot's world, ours alone from now on."""
        if content_type != "news" or snapshot.facts.headline is not None:
            return None
        if snapshot.world == "sample":
            self._desk.read_sample_news()
        now = self._clock.now()
        with opened(self._db_path) as db:
            item = news.next_item(
                db,
                now,
                NEWS_MAX_AGE_H,
                world=snapshot.world,
                fits=lambda item: quotable(db, item, snapshot.facts, now),
            )
            if item is None or not news.claim_item(db, item.id, now):
                return None
        return self._writer.read_mood(item)

    def _event_for(self, snapshot: Snapshot, least: int = 0) -> MarketEvent | None:
        """A recent event that the snapshot still proves, ours alone from now on."""
        now = self._clock.now()
        with opened(self._db_path) as db, write_tx(db):
            found = market_events.next_event(
                db, now, world=snapshot.world, max_age_s=EVENT_MAX_AGE_S, min_priority=least
            )
            if found is None or found.id is None:
                return None
            if fact_lock.check(found.sentence, snapshot.facts, found.content_type):
                return None  # it was true when it happened; now nothing proves it
            return found if market_events.claim_event(db, found.id, now) else None

    def _release(self, order: Order) -> None:
        """Give back what an order had claimed, because no post came of it."""
        with opened(self._db_path) as db:
            if order.news is not None:
                news.release_item(db, order.news.id)
            if order.market_event is not None and order.market_event.id is not None:
                market_events.release_event(db, order.market_event.id)


def _post_of(db: Database, slot: Slot) -> int | None:
    """A post stored for the slot by a try that did not live to finish it."""
    return next((post.id for post in posts.of_slot(db, slot.id)), None)
