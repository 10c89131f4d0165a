"""The small block that every page carries, and the banner that appears only when someone must act."""

from __future__ import annotations

import streamlit as st

from console import actions, data, registry, state, words
from console.data import Health
from engine.service.users import Operator


@st.fragment(run_every="5s")
def block(operator: Operator, stopped: bool) -> None:
    """Runner, model, publisher, next slot and the one-click stop; looks again every 5 seconds.

    ``stopped`` is what the page around it was drawn with: when that changes, here or anywhere
    else, the whole page is drawn anew, because the banner stands outside this fragment.
    """
    health = data.health()
    if health.stop.stopped != stopped:
        st.rerun()
    with st.container(border=True, gap="xsmall"):
        for icon, text in _lines(health):
            st.markdown(f":small[{icon} {text}]")  # a caption would pale its icon
        if not health.stop.stopped:
            st.button(
                "Stop posting",
                key="status.stop",
                icon=":material/stop_circle:",
                width="stretch",
                help="Nothing goes out from this moment on. Drafts are still written.",
                disabled=not operator.may("editor"),
                on_click=actions.stop_posting,
            )


def banner(operator: Operator, health: Health) -> None:
    """One line for each thing that waits for a person; nothing while all is well."""
    if data.sample_shown():
        _sample(operator)
    if health.age_s is not None and not health.alive:
        st.warning(
            f"The runner has been silent for {words.span(health.age_s)}: nothing is written and "
            "nothing goes out. Start it with `python runner.py run`; `python runner.py doctor` "
            "looks for the cause.",
            icon=":material/heart_broken:",
        )
    if health.stop.stopped:
        _stopped(operator, health)
    else:
        state.clear_mode("resume")  # what was asked of an earlier stop
    if health.waiting.stuck:
        _held(health.waiting.stuck)
    for name, _, until, reason in health.breakers:
        if until is not None:
            st.warning(
                f"{words.plain(name)} is off until {words.local(until, data.zone())} after "
                f"repeated failures ({words.plain(reason or 'no reason stored')}). Posts come "
                "from templates.",
                icon=":material/electrical_services:",
            )
    if health.budget_usd and health.spent_usd >= health.budget_usd:
        st.warning(
            f"This month's budget is spent: {words.usd(health.spent_usd)} of "
            f"{words.usd(health.budget_usd)}. Nothing goes out before the 1st.",
            icon=":material/savings:",
        )


def _sample(operator: Operator) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(
            "Sample data is shown: a made-up week, kept apart from your own posts.",
            icon=":material/science:",
        )
        st.button(
            "Remove sample data", key="banner.sample", on_click=actions.remove_sample,
            disabled=not operator.may("admin"),
        )  # fmt: skip


def _held(posts: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(
            f"{words.count(posts, 'post')} may or may not have reached X. Look before anything is "
            "sent again.",
            icon=":material/front_hand:",
        )
        st.page_link(registry.path("queue"), label="Open in Queue", icon=":material/inbox:")


def _stopped(operator: Operator, health: Health) -> None:
    since = words.ago(health.stop.changed_at, data.now())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.error(
            f"Posting is stopped ({since}, by {words.plain(health.stop.actor or 'nobody named')}: "
            f"{words.plain(health.stop.reason or 'no reason given')}). Nothing goes out.",
            icon=":material/stop_circle:",
        )
        if state.mode("resume"):
            st.caption("Approved posts will go out again at once.", width="content")
            st.button("Yes, resume posting", key="banner.resume", on_click=_resume)
            st.button(
                "Not now", key="banner.resume.no", type="tertiary",
                on_click=state.clear_mode, args=("resume",),
            )  # fmt: skip
        else:
            st.button(
                "Resume posting", key="banner.resume.ask", disabled=not operator.may("approver"),
                on_click=state.set_mode, args=("resume", "asked"),
            )  # fmt: skip


def _resume() -> None:
    actions.resume_posting()
    state.clear_mode("resume")


def _lines(health: Health) -> list[tuple[str, str]]:
    """Icon and words, one line each."""
    runner = (
        (":green[:material/check_circle:]", f"runner alive {words.since(health.age_s)}")
        if health.alive and health.age_s is not None
        else (
            ":red[:material/error:]",
            "runner not started yet"
            if health.age_s is None
            else f"runner silent for {words.span(health.age_s)}",
        )
    )
    off = [name for name, _, until, _ in health.breakers if until]
    model = (
        (":yellow[:material/warning:]", f"model {words.plain(health.model)} off")
        if off
        else (":green[:material/check_circle:]", f"model {words.plain(health.model)}")
    )
    publisher = (
        (":blue[:material/science:]", "X dry run")
        if health.publisher == "dry_run"
        else (":green[:material/public:]", "X live")
    )
    slot = (
        (
            ":blue[:material/schedule:]",
            f"next {words.local(health.next_slot.due_at, data.zone(), now=data.now())} "
            f"{health.next_slot.content_type} "
            f"{words.ago(health.next_slot.due_at, data.now())}",
        )
        if health.next_slot
        else (":gray[:material/schedule:]", "no slot planned")
    )
    lines = [runner, model, publisher, slot]
    if health.stop.stopped:
        lines.append((":red[:material/stop_circle:]", "posting stopped"))
    if health.disk_free_mb is not None and health.disk_free_mb < health.least_free_mb:
        lines.append((":red[:material/hard_drive:]", f"disk: {health.disk_free_mb:,} MB left"))
    return lines
