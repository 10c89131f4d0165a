"""Templates: versions side by side, a new version with typed variables, preview, promotion."""

from __future__ import annotations

import difflib
import random
from dataclasses import dataclass

import streamlit as st
from sqlite_utils import Database

from console import data, parts, state, words
from console.actions import act
from console.screens import template_form
from console.shell import Desk
from engine.errors import TemplateError
from engine.lab.statistics import wilson
from engine.llm.base import Options
from engine.records import Snapshot
from engine.service import change
from engine.service.users import Operator
from engine.store import console_reads, snapshots, templates
from engine.store.console_reads import Tested, VersionFigures
from engine.store.templates import Promotion, Template, TemplateVersion
from engine.writing import trial

LEAST = 20


@dataclass(frozen=True)
class View:
    """One template with all that is known about it."""

    all: list[Template]
    template: Template
    versions: list[TemplateVersion]
    production: TemplateVersion | None
    promotions: list[Promotion]
    figures: dict[int, VersionFigures]
    tested: dict[int, Tested]
    snapshot: Snapshot | None


def read() -> View | None:
    with data.showing() as db:
        found = templates.listing(db)
        if not found:
            return None
        chosen = state.chosen("template")
        template = next((t for t in found if t.id == chosen), found[0])
        return View(
            all=found,
            template=template,
            versions=templates.versions(db, template.id),
            production=templates.labelled(db, template.id),
            promotions=templates.promotions(db, template.id),
            figures=data.remember(
                "versions",
                lambda db: console_reads.figures_of_versions(db, template.id),
                template.id,
            ),
            tested=console_reads.tests_of_versions(db, template.id),
            snapshot=snapshots.latest(db),
        )


def rows(view: View) -> None:
    """All templates; the chosen one is marked."""
    with st.container(border=True, gap="xsmall"):
        for template in view.all:
            word = words.content_word(template.purpose)
            st.button(
                words.plain(template.name), key=f"template.{template.id}", icon=word.icon, width="stretch",
                type="secondary" if template.id == view.template.id else "tertiary",
                on_click=state.choose, args=("template", template.id),
            )  # fmt: skip


def detail(desk: Desk, view: View) -> None:
    template = view.template
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(words.plain(template.name), width="content", anchor=False)
        parts.badge(words.content_word(template.purpose))
        live = view.production
        st.caption(f"version {live.number} is in production" if live else "not in production")
    tabs = ("Versions", "New version", "Preview", "Results", "Tests", "Promotions")
    drawn = st.tabs(tabs, key="template.tab", on_change="rerun")
    draws = (_versions, _new, _preview, _results, _tests, _promotions)
    for tab, draw in zip(drawn, draws, strict=True):
        if tab.open:
            with tab:
                draw(desk, view)


def _versions(desk: Desk, view: View) -> None:
    """Two versions and what differs; the newest against production by default."""
    numbers = [version.number for version in view.versions]
    live = view.production.number if view.production else numbers[-1]
    with st.container(horizontal=True):
        old = st.selectbox("From version", numbers, numbers.index(live), key="diff.old", width=140)
        new = st.selectbox("To version", numbers, 0, key="diff.new", width=140)
    by_number = {version.number: version for version in view.versions}
    before, after = by_number[old], by_number[new]
    if before == after:
        st.code(whole(after), language=None, wrap_lines=True)
    else:
        st.code(diff(before, after), language="diff", wrap_lines=True)
    st.caption(words.plain(after.note) or "no note")
    parts.moment(
        f"version {after.number} by {words.plain(after.created_by)}",
        after.created_at,
        desk.zone,
        desk.now,
    )
    if view.production is None or after.id != view.production.id:
        _promote(desk, after)


def _promote(desk: Desk, version: TemplateVersion) -> None:
    with (
        st.form("promote", clear_on_submit=True),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        st.text_input(
            f"Why put version {version.number} into production?", key="promote.why", width=420
        )
        st.form_submit_button(
            "Promote", disabled=not desk.may("approver"), on_click=_do_promote, args=(version.id,)
        )


def _new(desk: Desk, view: View) -> None:
    template_form.show(desk, view.versions[0])


def _preview(desk: Desk, view: View) -> None:
    """The rendered prompt on the newest market data."""
    if view.snapshot is None:
        parts.empty(
            "No market data yet",
            "The preview needs one snapshot. Start the runner.",
            ":material/show_chart:",
        )
        return
    version = view.versions[0]
    wish = trial.Wish(view.template.purpose, view.snapshot, Options(), version=version)
    try:
        with data.showing() as db:
            setting = trial.prepare(db, wish, random.Random(0))
    except TemplateError as error:
        st.warning(words.plain(str(error)), icon=":material/warning:")
        return
    st.caption(f"version {version.number} on the market of {words.utc(view.snapshot.facts.as_of)}")
    st.code(setting.rendered.text(), language=None, wrap_lines=True)


def _results(desk: Desk, view: View) -> None:
    """Each version's record, with its sample."""
    st.dataframe(
        [
            {
                "version": version.number,
                "drafts": figures.drafts,
                "accepted at first try": words.share(figures.first_try, figures.drafts, least=LEAST),
                "approved by people": words.share(figures.approved, figures.judged, least=LEAST),
                "posted": figures.posted,
            }
            for version in view.versions
            if (figures := view.figures.get(version.id, VersionFigures()))
        ],
        hide_index=True, alt=f"Results of {len(view.versions)} versions.",
    )  # fmt: skip
    score, n = view.template.performance_score, view.template.performance_n
    st.caption(
        f"performance score {score:.2f} of {n:,} posts" if score is not None
        else "performance score: not enough data; the lab fills it"
    )  # fmt: skip


def _tests(desk: Desk, view: View) -> None:
    """The newest run of the prompt suite for each version: failed and broken cases stay apart."""
    if not view.tested:
        parts.empty(
            "Not tested yet",
            "The prompt suite tries every version on recorded markets: python runner.py prompts test",
            ":material/science:",
        )
        return
    rows = []
    for version in view.versions:
        if (found := view.tested.get(version.id)) is None:
            continue
        ends = wilson(found.passed, found.n)
        rows.append({
            "version": version.number, "suite": found.suite, "run": found.run_id,
            "passed": f"{found.passed} of {found.n}",
            "95 % interval": f"{100 * ends.low:.0f} to {100 * ends.high:.0f} %",
            "could not run": found.errors, "when": words.local(found.at, desk.zone),
        })  # fmt: skip
    st.dataframe(
        rows, hide_index=True, alt=f"Suite results of {words.count(len(rows), 'version')}."
    )


def _promotions(desk: Desk, view: View) -> None:
    numbers = {version.id: version.number for version in view.versions}
    if not view.promotions:
        parts.empty("Never promoted", "Promote a version under Versions.", ":material/publish:")
        return
    st.dataframe(
        [
            {
                "when": words.local(p.created_at, desk.zone), "label": p.label,
                "version": numbers.get(p.version_id or 0), "before": numbers.get(p.previous_version_id or 0),
                "why": p.reason, "by": p.actor,
            }
            for p in view.promotions
        ],
        hide_index=True, alt=f"{len(view.promotions)} promotions, newest first.",
    )  # fmt: skip
    with (
        st.form("rollback", clear_on_submit=True),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        st.text_input("Why go back one step?", key="rollback.why", width=420)
        st.form_submit_button(
            "Roll back",
            disabled=not desk.may("approver"),
            on_click=_roll_back,
            args=(view.template.id,),
        )


def _do_promote(version_id: int) -> None:
    def work(db: Database, operator: Operator) -> str:
        why = st.session_state["promote.why"]
        change.promote(db, version_id, reason=why, actor=operator, now=data.now())
        return "The version is in production from the next post on."

    act("approver", work, shown=True)


def _roll_back(template_id: int) -> None:
    def work(db: Database, operator: Operator) -> str:
        why = st.session_state["rollback.why"]
        change.roll_back(db, template_id, reason=why or "no reason", actor=operator, now=data.now())
        return "The version before is in production again."

    act("approver", work, shown=True)


def whole(version: TemplateVersion) -> str:
    return f"{version.system}\n\n{version.body}"


def diff(before: TemplateVersion, after: TemplateVersion) -> str:
    """Unified diff of two versions."""
    lines = difflib.unified_diff(
        whole(before).splitlines(), whole(after).splitlines(),
        f"version {before.number}", f"version {after.number}", lineterm="",
    )  # fmt: skip
    return "\n".join(lines) or "(only the variables differ)"
