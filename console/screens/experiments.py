"""Experiments: what was asked, what the evidence says, and nothing more than it says."""

from __future__ import annotations

import math

import streamlit as st
from sqlite_utils import Database

from console import charts, data, parts, words
from console.actions import act
from console.shell import Desk
from engine.learning import spec
from engine.learning.judge import Judged
from engine.learning.overview import WEAK_FROM, Experiments, experiments_page
from engine.learning.states import EXPLAINED, Light
from engine.service.users import Operator

GOOD, BAD = (":green", ":material/check_circle:"), (":red", ":material/cancel:")
OPEN = (":gray", ":material/radio_button_unchecked:")
HOLDOUT = "Holdout: a share of the slots stays with the templates"


def read(desk: Desk) -> Experiments:
    return data.remember("experiments", lambda db: experiments_page(db, desk.now), desk.hour)


def show(desk: Desk, view: Experiments) -> None:
    """Each experiment with its sentence, three lights, arms and the interval over time."""
    if not view.judged:
        parts.empty(
            "No experiment has been started",
            "It compares two ways of writing on the real account: arms by a committed seed, "
            "hidden in the queue, judged by an interval that holds at every look. Dry-run posts "
            "have no engagement and prove nothing.",
            ":material/labs:",
        )
    for judged in sorted(view.judged, key=lambda one: one.experiment.kind == "holdout"):
        _one(desk, judged)


def _one(desk: Desk, judged: Judged) -> None:
    experiment, main = judged.experiment, judged.main
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            name = HOLDOUT if experiment.kind == "holdout" else experiment.name
            st.subheader(words.plain(name), width="content", anchor=False)
            running = experiment.state == "running"
            st.badge(experiment.state, color="blue" if running else "gray")
            parts.moment("since", experiment.started_at, desk.zone, desk.now)
        st.markdown(f"**{words.plain(main.sentence)}**")
        st.caption(words.plain(f"{main.state}: {EXPLAINED[main.state]} {' '.join(main.reasons)}"))
        with st.container(horizontal=True):
            for drawn in (
                light("better", main.lights.better), light("+40 %", main.lights.kpi),
                light("harm", main.lights.harm, wished=False),
            ):  # fmt: skip
                st.markdown(drawn, width="content")
        if main.looks:
            st.caption("The 95 % interval of the ratio, after every pair.")
            charts.draw(charts.interval_over_time(main.looks), key=f"experiment.{experiment.id}")
        _arms(judged)
        for warning in judged.guardrails:
            st.warning(words.plain(warning), icon=":material/warning:")
        _details(judged)
        seed = "" if running else f" · seed {experiment.seed}"
        st.caption(
            words.plain(
                f"specification {experiment.spec_hash[:16]} · seed commitment "
                f"{experiment.seed_hash[:16]}{seed}"
            ),
            help="Hashes of the frozen design and of the secret seed that draws the arms. The seed "
            "is shown when the experiment is over: then anybody can check every draw.",
        )
        if running:
            _stop_form(desk, experiment.id)


def _arms(judged: Judged) -> None:
    by_template = {arm["name"] for arm in judged.experiment.spec["arms"] if not arm["use_model"]}
    st.dataframe(
        [
            {
                "arm": arm.arm, "slots": arm.assigned, "posted": arm.posted, "48 h old": arm.mature,
                # who never asks a model cannot fall back from one
                "fell back to a template": "–" if arm.arm in by_template else str(arm.fallback),
            }
            for arm in judged.arms
        ],
        hide_index=True, alt=f"{len(judged.arms)} arms, slots given and posts measured.",
    )  # fmt: skip


def light(name: str, found: Light, *, wished: bool = True) -> str:
    """Markdown of one light; green is good news, so a harm that is excluded is green."""
    good = found == ("shown" if wished else "excluded")
    color, icon = OPEN if found == "not shown" else GOOD if good else BAD
    return f"{color}[{icon} {words.plain(name)}: {found}]"


def _stop_form(desk: Desk, experiment_id: int) -> None:
    key = f"experiment.stop.{experiment_id}"
    with st.form(key), st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Why stop it?", key=f"{key}.why", width=380)
        st.form_submit_button(
            "Stop for good", disabled=not desk.may("approver"), on_click=_stop,
            args=(experiment_id, f"{key}.why"),
        )  # fmt: skip


def _stop(experiment_id: int, key: str) -> None:
    def work(db: Database, operator: Operator) -> str:
        spec.stop(db, experiment_id, reason=st.session_state[key], actor=operator, now=data.now())
        return "The experiment is over; its seed may be checked against its commitment."

    act("approver", work, shown=True)


def _details(judged: Judged) -> None:
    """What stands beside the verdict and never decides it."""
    main = judged.main
    if main.asymptotic and main.credible:
        st.caption(
            words.plain(
                f"Beside it: asymptotic sequence {_span(main.asymptotic)}, 95 % credible "
                f"{_span(main.credible)}. Descriptive: ratio of totals "
                f"{_times(main.total_ratio)}, the best post has {main.top_share or 0:.0%} of all."
            )
        )
    for name, found in (("Novelty", main.novelty), ("Carry-over", main.carry_over)):
        if found is not None and found.flagged:
            st.warning(f"{name}: two halves of the pairs disagree (z = {found.z:.1f}).")
    shown = [row.metric for row in judged.secondary if row.shown]
    if shown:
        st.caption(
            words.plain(f"Moved too, after correction for many questions: {', '.join(shown)}.")
        )
    if judged.at_end:
        st.caption(
            words.plain(
                f"At the registered end: paired t {words.chance(judged.at_end.t_p)}, Wilcoxon "
                f"{words.chance(judged.at_end.wilcoxon_p)}. Valid only if never used to stop."
            )
        )
    if judged.as_generated and judged.as_generated.ratio is not None:
        st.caption(words.plain(f"As written, not causal: {judged.as_generated.sentence}"))


def _span(ends: tuple[float, float]) -> str:
    return f"{_times(ends[0])} to {_times(ends[1])}"


def _times(ratio: float | None) -> str:
    return "–" if ratio is None else f"{ratio:.2f}x"


def resolution(view: Experiments) -> None:
    """How long an answer takes on this account."""
    st.subheader("What can be shown, and when", anchor=False)
    noise = view.noise
    whose = (
        f"from {noise.pairs} own pairs" if noise.pairs else "of a typical account: no history yet"
    )
    st.caption(
        words.plain(
            f"Chance alone makes one post of a pair {math.exp(noise.sd):.1f} times as engaging as the "
            f"other (SD {noise.sd:.2f} of the log, {whose})."
        )
    )
    st.dataframe(
        [
            {
                "days": row.days, "pairs": row.pairs,
                "known within a factor of, at any look": f"{row.always_valid:.2f}",
                "with one look at the end": f"{row.fixed:.2f}",
                "lift found 4 times in 5": f"+{100 * (row.mde - 1):.0f} %",
            }
            for row in view.table
        ],
        hide_index=True, alt="Smallest lift that can be shown by number of days.",
    )  # fmt: skip


def mix(view: Experiments) -> None:
    """What was tried by the mix; weighted means, no claim."""
    rows = [
        {
            "kind": mixed.kind, "choice": arm, "posts": found.posts if found else 0,
            "engagement rate": f"{100 * math.exp(found.mean):.2f} %"
            if found and found.posts >= WEAK_FROM else "not enough data",
        }
        for mixed in view.mix
        for arm, found in mixed.arms
        if found and found.posts
    ]  # fmt: skip
    if rows:
        st.subheader("What the mix has tried", anchor=False)
        st.caption(
            "Means weighted by how likely each choice was (Hájek). They steer, and prove nothing."
        )
        st.dataframe(rows, hide_index=True, alt=f"{len(rows)} choices of the content mix.")
