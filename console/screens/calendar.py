"""Calendar: the week's slots and events, and what decides them, edited in place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

import streamlit as st
from sqlite_utils import Database

from console import data, fields, parts, state, words
from console.actions import act
from console.shell import Desk
from engine.records import CONTENT_TYPES
from engine.service import change
from engine.service.users import Operator
from engine.store import console_reads, schedules, settings, slots
from engine.store.console_reads import Lost
from engine.store.schedules import Plan, Schedule
from engine.store.slots import Slot

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MOST_SHOWN = 12
TYPES = ("by the mix", *CONTENT_TYPES)


@dataclass(frozen=True)
class View:
    """One week from Monday, and what plans it."""

    monday: date
    slots: dict[date, list[Slot]]  # of a crowded day none, but its counts
    counts: dict[date, dict[str, int]]
    lost: list[Lost]
    events: dict[date, list[tuple[str, str]]]
    schedules: list[Schedule]
    settings: dict[str, Any]


def read(desk: Desk) -> View:
    today = desk.now.astimezone(desk.zone).date()
    monday = today - timedelta(days=today.weekday()) + timedelta(weeks=state.place("calendar"))
    days = [monday + timedelta(days=day) for day in range(7)]
    bounds = {day: data.day_bounds(day, desk.zone) for day in days}
    start, end = bounds[days[0]][0], bounds[days[-1]][1]
    with data.showing() as db:
        told = console_reads.events(db, start, end)
        counts = {day: console_reads.slot_states(db, *bounds[day]) for day in days}
        return View(
            monday=monday,
            slots={
                day: slots.between(db, *bounds[day])
                if sum(counts[day].values()) <= MOST_SHOWN
                else []
                for day in days
            },
            counts=counts,
            lost=console_reads.lost_slots(db, start, end),
            events={day: [e for e in told if _day(e[0], desk) == day] for day in days},
            schedules=schedules.listing(db),
            settings=settings.get_all(db),
        )


def week(desk: Desk, view: View) -> None:
    """Seven days side by side; on a narrow screen one below the other."""
    last = view.monday + timedelta(days=6)
    with st.container(horizontal=True, vertical_alignment="center"):
        _turn("Earlier", ":material/chevron_left:", -1)
        st.markdown(
            f"**{view.monday.day} {view.monday:%b} – {last.day} {last:%b %Y}**", width="content"
        )
        _turn("Later", ":material/chevron_right:", 1)
        if state.place("calendar"):
            st.button(
                "This week", key="calendar.now", on_click=state.set_place, args=("calendar", 0)
            )
    st.caption(f"Times are {words.city(desk.zone)} time. Slots are planned two days ahead.")
    if not any(view.counts.values()):
        parts.empty(
            "No slots in this week",
            "The runner plans two days ahead from the schedules below; past weeks show what became of each slot.",
            ":material/calendar_month:",
        )
        return
    today = desk.now.astimezone(desk.zone).date()
    for column, (day, found) in zip(st.columns(7, gap="xsmall"), view.slots.items(), strict=True):
        with column, st.container(border=True, gap="xsmall"):
            name = f":orange[**Today {day.day}**]" if day == today else f"**{day:%a} {day.day}**"
            st.markdown(name)
            _slots(desk, found, view.counts[day])
            for _, sentence in view.events[day][:2]:
                st.caption(f":material/bolt: {words.plain(sentence)}")
    _why(desk, view)


def _slots(desk: Desk, found: list[Slot], counts: dict[str, int]) -> None:
    """Each slot of a day; of a crowded day how many became what."""
    for slot in found:
        _slot(desk, slot)
    if not found:
        for name, n in sorted(counts.items(), key=lambda item: -item[1]):
            word = words.slot_word(name)
            st.markdown(f"{n:,}  \n:{word.color}[{word.icon} {word.text}]")


def _slot(desk: Desk, slot: Slot) -> None:
    word = words.slot_word(slot.state)
    there = slot.due_at.astimezone(desk.zone)
    # where there is no reason there is nothing to ask, and each mark is a stop for the keyboard
    why = words.plain(f"{words.utc(slot.due_at)}. {slot.reason}") if slot.reason else None
    st.markdown(
        f"{there:%H:%M} {slot.content_type}  \n:{word.color}[{word.icon} {word.text}]", help=why
    )


def _why(desk: Desk, view: View) -> None:
    """Every slot that was not filled, with its reason."""
    lost = view.lost
    if not lost:
        return
    st.subheader(f"{words.count(len(lost), 'slot')} not filled, and why", anchor=False)
    st.dataframe(
        [
            {
                "time": words.local(s.due_at, desk.zone), "type": s.content_type,
                "became": words.slot_word(s.state).text, "why": s.reason,
            }
            for s in lost
        ],
        hide_index=True, alt=f"{len(lost)} slots of the week were not filled.",
    )  # fmt: skip


def plans(desk: Desk, view: View) -> None:
    """Each schedule as a form, and an empty one for a new schedule."""
    for schedule in view.schedules:
        _plan(desk, schedule.id, schedule.plan)
    new = st.expander(
        "Another schedule", icon=":material/add:", key="calendar.new", on_change="rerun"
    )
    if new.open:
        with new:
            _plan(desk, None, Plan("", desk.zone.key, ("09:00",)))


def _plan(desk: Desk, schedule_id: int | None, plan: Plan) -> None:
    name = f"plan.{schedule_id or 'new'}"
    with st.form(name):
        with st.grid(3, min_column_width=220):
            st.text_input("Name", plan.name, key=f"{name}.name")
            st.selectbox("Time zone", zones(), zones().index(plan.zone), key=f"{name}.zone")
            st.selectbox(
                "Content", TYPES, TYPES.index(plan.content_type or TYPES[0]), key=f"{name}.type"
            )
        st.text_input(
            "Times of day", ", ".join(plan.times), key=f"{name}.times",
            help="Local times as HH:MM, separated by commas.",
        )  # fmt: skip
        st.pills(
            "Days", DAYS, selection_mode="multi", default=[DAYS[day - 1] for day in plan.days],
            key=f"{name}.days",
        )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="center"):
            st.toggle("On", plan.enabled, key=f"{name}.on")
            st.form_submit_button(
                "Save schedule", disabled=not desk.may("editor"), on_click=_save_plan,
                args=(name, schedule_id),
            )  # fmt: skip


@st.cache_data
def zones() -> list[str]:
    """All IANA zones by name."""
    return sorted(available_timezones())


def _save_plan(name: str, schedule_id: int | None) -> None:
    entered = {
        part: st.session_state[f"{name}.{part}"]
        for part in ("name", "zone", "type", "times", "days", "on")
    }

    def work(db: Database, operator: Operator) -> str:
        plan = Plan(
            entered["name"], entered["zone"],
            tuple(part.strip() for part in entered["times"].split(",") if part.strip()),
            tuple(DAYS.index(day) + 1 for day in entered["days"]),
            None if entered["type"] == TYPES[0] else entered["type"], entered["on"],
        )  # fmt: skip
        change.save_schedule(db, schedule_id, plan, actor=operator, now=data.now())
        return f"Schedule {plan.name} is saved; slots still to come follow it."

    act("editor", work)


def rules(desk: Desk, view: View) -> None:
    """Mix, autonomy and model parameters of each content type."""
    editable = desk.may("admin")
    mix, autonomy, parameters = st.tabs(["Content mix", "Autonomy", "Model parameters"])
    with mix:
        _mix(view.settings["content.mix"], editable)
    with autonomy:
        st.caption(
            "draft only: nothing is offered · approve: a person says yes · auto: goes out by "
            "itself when every check is green and its template has earned it."
        )
        keys = [f"autonomy.{kind}" for kind in CONTENT_TYPES]
        fields.form(
            "calendar.autonomy", [*keys, "autonomy.trust_after"], view.settings, editable=editable
        )
    with parameters:
        st.caption(
            words.plain(
                'JSON such as {"temperature": 0.7, "top_p": 0.9}; empty means: the recipe\'s own.'
            )
        )
        fields.form(
            "calendar.generation", [f"generation.{kind}" for kind in CONTENT_TYPES],
            view.settings, editable=editable,
        )  # fmt: skip


def _mix(mix: dict[str, float], editable: bool) -> None:
    total = sum(mix.values()) or 1
    st.caption(
        "Ratios for slots planned by the mix: "
        + " · ".join(f"{kind} {100 * mix.get(kind, 0) / total:.3g} %" for kind in CONTENT_TYPES)
    )
    with st.form("mix", border=False):
        with st.grid(4, min_column_width=140):
            for kind in CONTENT_TYPES:
                st.number_input(
                    kind.capitalize(), 0.0, 1000.0, float(mix.get(kind, 0)), 1.0, format="%g",
                    key=f"mix.{kind}",
                )  # fmt: skip
        st.form_submit_button("Save mix", disabled=not editable, on_click=_save_mix)


def _save_mix() -> None:
    mix = {kind: st.session_state[f"mix.{kind}"] for kind in CONTENT_TYPES}

    def work(db: Database, operator: Operator) -> str:
        change.change_settings(db, {"content.mix": mix}, actor=operator, now=data.now())
        return "The mix is saved; slots still to come follow it."

    act("admin", work)


def _turn(label: str, icon: str, by: int) -> None:
    st.button(
        label, key=f"calendar.{label}", icon=icon, type="tertiary",
        on_click=state.set_place, args=("calendar", state.place("calendar") + by),
    )  # fmt: skip


def _day(moment: str, desk: Desk) -> date:
    return datetime.fromisoformat(moment).astimezone(desk.zone).date()
