"""Overview: is the bot well, what comes next, what needs a person, what went out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import streamlit as st
from sqlite_utils import Database

from console import charts, data, parts, registry, words
from console.charts import Chart
from console.screens import acknowledge, goals
from console.shell import Desk
from engine.records import World
from engine.store import alerts, console_reads, posts, slots, snapshots
from engine.store.alerts import Alert
from engine.store.posts import Post
from engine.store.slots import Slot


@dataclass(frozen=True)
class View:
    """All that this screen shows."""

    health: data.Health
    empty: bool
    latest: list[Post]
    coming: list[Slot]
    posted_today: int
    slots_today: dict[str, int]
    prices: Chart | None
    world: str
    alerts: list[Alert]
    goals: goals.View


def read(desk: Desk) -> View:
    minute = desk.now.replace(second=0, microsecond=0)
    today = data.day_bounds(desk.now.astimezone(desk.zone).date(), desk.zone)
    health = data.health(shown=True)
    found = goals.read(desk, health)
    with data.showing() as db:
        newest, latest = snapshots.latest(db), posts.listing(db, limit=4)
        world = newest.world if newest else None
        return View(
            health=health,
            empty=newest is None and not latest,
            latest=latest,
            coming=slots.upcoming(db, desk.now, limit=3),
            posted_today=console_reads.count_posted(db, *today),
            slots_today=console_reads.slot_states(db, *today),
            prices=data.remember(
                "prices", lambda db: _prices(db, desk, world), minute, world, desk.zone.key
            ),
            world=world or "live",
            alerts=alerts.open_alerts(db),
            goals=found,
        )


def _prices(db: Database, desk: Desk, world: World | None) -> Chart | None:
    """The chart of the last 24 hours; None while no price is stored."""
    day = desk.now - timedelta(hours=24)
    prices = console_reads.prices(db, day, world=world)
    if not prices:
        return None
    last = prices[-1][1]
    dots = console_reads.posted_between(db, day, desk.now)
    lost = console_reads.lost_slots(db, day, desk.now)
    return charts.price(
        prices,
        [(dot.posted_at, dot.price_usd or last, dot.text) for dot in dots],
        [slot.due_at for slot in lost if slot.state == "missed"],
        desk.zone,
    )


def tiles(desk: Desk, view: View) -> None:
    """The four numbers of the minute."""
    health, slot = view.health, view.health.next_slot
    with st.grid(4, min_column_width=200):
        st.metric(
            "Awaiting approval",
            f"{health.waiting.pending:,}",
            f"oldest {words.ago(health.waiting.oldest, desk.now)}"
            if health.waiting.oldest
            else "nothing waits",
            delta_color="off", delta_arrow="off", border=True, icon=":material/inbox:",
        )  # fmt: skip
        st.metric(
            f"Next slot, {words.city(desk.zone)} time",
            words.local(slot.due_at, desk.zone, now=desk.now) if slot else "none",
            f"{slot.content_type} {words.ago(slot.due_at, desk.now)}"
            if slot
            else "plan one in Calendar",
            delta_color="off", delta_arrow="off", border=True, icon=":material/schedule:",
            help=words.utc(slot.due_at) if slot else None,
        )  # fmt: skip
        lost = view.slots_today.get("missed", 0) + view.slots_today.get("skipped", 0)
        st.metric(
            "Posted today",
            f"{view.posted_today} of {sum(view.slots_today.values()):,}",
            f"{lost} missed or skipped" if lost else "none missed",
            delta_color="off", delta_arrow="off", border=True, icon=":material/check_circle:",
        )  # fmt: skip
        st.metric(
            "Spend this month",
            words.usd(health.spent_usd),
            f"of {words.usd(health.budget_usd)}"
            + (", dry run" if health.publisher == "dry_run" else ""),
            delta_color="off", delta_arrow="off", border=True, icon=":material/savings:",
        )  # fmt: skip


def market(desk: Desk, view: View) -> None:
    """The price of a day with what was posted on it."""
    with st.container(border=True):
        st.subheader("Bitcoin, last 24 hours", anchor=False)
        if view.world != "live":
            parts.badge(words.WORLD[view.world])
        if view.prices is None:
            parts.empty(
                "No price yet",
                "The runner reads the market every two minutes. Start it: python runner.py run",
                ":material/show_chart:",
            )
        else:
            charts.draw(view.prices, key="overview.price")


def coming(desk: Desk, view: View) -> None:
    """The next slots with the time left to each; drawn anew by itself twice a minute."""

    @st.fragment(run_every="30s")
    def draw() -> None:
        now = data.now()
        for slot in view.coming:
            word = words.content_word(slot.content_type)
            st.markdown(
                f"{word.icon} {words.local(slot.due_at, desk.zone, now=now)} {word.text} "
                f":gray[{words.ago(slot.due_at, now)}]",
                help=words.utc(slot.due_at),
            )

    with st.container(border=True, gap="xsmall"):
        st.subheader("Next slots", anchor=False)
        if view.coming:
            draw()
        else:
            st.caption("None planned. Switch a schedule on in Calendar.")


def needs_you(desk: Desk, view: View) -> None:
    """What a person should look at, worst first; a calm word when there is nothing."""
    with st.container(border=True):
        st.subheader("Needs you", anchor=False)
        if not view.alerts and not view.health.waiting.pending and not view.health.waiting.stuck:
            st.markdown(":green[:material/check_circle:] Nothing. All is well.")
            return
        if view.health.waiting.pending:
            st.page_link(
                registry.path("queue"),
                label=f"{words.count(view.health.waiting.pending, 'post')} to approve",
                icon=":material/inbox:",
            )
        if view.health.waiting.stuck:
            st.page_link(
                registry.path("queue"),
                label=f"{words.count(view.health.waiting.stuck, 'attempt')} to resolve",
                icon=":material/front_hand:",
            )
        order = {"critical": 0, "warning": 1, "info": 2}
        for alert in sorted(view.alerts, key=lambda alert: order[alert.severity])[:5]:
            color, icon = {
                "critical": ("red", ":material/error:"),
                "warning": ("yellow", ":material/warning:"),
            }.get(alert.severity, ("blue", ":material/info:"))
            st.markdown(f":{color}[{icon}] {words.plain(alert.message)}")
            parts.moment("since", alert.opened_at, desk.zone, desk.now)
            acknowledge.button(desk, alert, "overview")


def latest(desk: Desk, view: View) -> None:
    """The newest posts, whatever became of them."""
    st.subheader("Latest posts", anchor=False)
    if not view.latest:
        parts.empty(
            "No posts yet",
            "The first one is written at the next slot, or now: python runner.py once",
            ":material/article:",
        )
        return
    with st.grid(2, min_column_width=320):
        for post in view.latest:
            with st.container(gap="xsmall"):
                parts.as_on_x(post.text)
                parts.badges(parts.about(post))
                at = post.posted_at or post.created_at
                label = "posted" if post.posted_at else "written"
                parts.moment(label, at, desk.zone, desk.now)
