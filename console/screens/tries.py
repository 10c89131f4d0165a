"""Playground, right side: run, stream, judge, and one click to the queue."""

from __future__ import annotations

import random
import statistics
from dataclasses import dataclass

import streamlit as st
from sqlite_utils import Database

from console import data, models, parts, state, words
from console.actions import act
from console.models import Run
from console.shell import Desk
from console.state import Try
from engine.errors import BuzzError
from engine.lab.statistics import wilson
from engine.posting import queue
from engine.service.users import Operator
from engine.writing import trial
from engine.writing.trial import Tried, Wish

TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Asked:
    """What was chosen. ``seed`` None: a new one each time."""

    wish: Wish
    models: list[str]
    repeats: int
    seed: int | None


def results(desk: Desk, asked: Asked | None) -> None:
    """The right side: run, stream, judge. A click on Stop ends the model's call."""
    with st.container(horizontal=True):
        run = st.button(
            parts.main_action("Write"), key="play.run", icon=":material/play_arrow:", shortcut="Mod+Enter",
            disabled=asked is None or not desk.may("editor"),
        )  # fmt: skip
        st.button("Stop", key="play.stop", icon=":material/stop:", shortcut="Escape")
    if run and asked is not None:
        state.set_tries([])
        _write(asked)
    tried = state.tries()
    if not tried:
        parts.empty(
            "Nothing tried yet",
            "Write runs the models one after the other and judges every text with the real checks. Nothing is posted.",
            ":material/science:",
        )
        return
    blind = st.toggle(
        "Compare blind",
        key="play.blind",
        help="Hides which model wrote what and shuffles the order.",
    )
    _summary(tried, blind)
    _outcomes(desk, tried, blind)


def _write(asked: Asked) -> None:
    try:
        with data.showing() as db:
            setting = trial.prepare(db, asked.wish, random.SystemRandom())
    except BuzzError as error:
        st.warning(words.plain(str(error)), icon=":material/warning:")
        return
    columns = st.columns(len(asked.models))
    done = 0
    total = len(asked.models) * asked.repeats
    progress = st.progress(0.0, f"0 of {total}")
    for column, name in zip(columns, asked.models, strict=True):
        with column:
            st.caption(words.plain(name))
            for repeat in range(asked.repeats):
                seed = asked.seed + repeat if asked.seed is not None else random.randrange(2**31)
                _stream(
                    Run(setting, models.load(name), seed, TIMEOUT_S),
                    asked.wish,
                    setting,
                    repeat + 1,
                )
                done += 1
                progress.progress(done / total, f"{done} of {total}")
    st.rerun()


def _stream(run: Run, wish: Wish, setting: trial.Setting, candidate: int) -> None:
    """Pieces as they come, in a plain text box: model text never passes through markdown."""
    place, text = st.empty(), ""
    with place.container(border=True):
        box = st.empty()
        for piece in run:
            text += piece
            box.text(text)
    if run.failure is not None:
        st.warning(f"The call failed: {words.plain(str(run.failure))}", icon=":material/warning:")
    elif run.result is not None:
        call_id = trial.store(
            data.shown_path(), setting, run.result, candidate=candidate, now=data.now()
        )
        about = wish.news.id if wish.news else None
        state.set_tries([*state.tries(), Try(call_id, run.result, about)])


def _summary(tried: list[Try], blind: bool) -> None:
    """Acceptance with its interval for each model; never one lucky sample."""
    if blind:
        return
    rows = []
    for name in dict.fromkeys(one.tried.model for one in tried):
        mine = [one.tried for one in tried if one.tried.model == name]
        passed = sum(item.verdict is not None and item.verdict.outcome == "pass" for item in mine)
        ends = wilson(passed, len(mine))
        rows.append({
            "model": name, "accepted": f"{passed} of {len(mine)}",
            "95 % interval": f"{100 * ends.low:.0f} to {100 * ends.high:.0f} %",
            "median time": words.span(statistics.median(item.seconds for item in mine)),
            "tokens, median": statistics.median(
                [item.generation.usage.output_tokens or 0 for item in mine if item.generation] or [0]
            ),
        })  # fmt: skip
    st.dataframe(rows, hide_index=True, alt=f"Acceptance of {len(rows)} models.")


def _outcomes(desk: Desk, tried: list[Try], blind: bool) -> None:
    order = list(tried)
    if blind:
        random.Random(len(tried)).shuffle(order)
    for number, one in enumerate(order, start=1):
        item = one.tried
        with st.container(border=True, gap="xsmall"):
            st.caption(f"Text {number}" if blind else words.plain(_about(item)))
            st.text(item.text or item.raw or item.error)
            if item.verdict is not None:
                parts.badge(words.verdict_word(item.verdict.outcome))
                for finding in item.verdict.findings:
                    st.caption(words.plain(f"{finding.rule}: {finding.message}"))
            if item.text:
                st.button(
                    "Send to the queue", key=f"play.send.{one.call_id}", icon=":material/inbox:",
                    type="tertiary", on_click=_send, args=(one,), disabled=not desk.may("editor"),
                )  # fmt: skip
            if not blind:
                _rendered(one.call_id, item)


def _about(item: Tried) -> str:
    """Model, recipe, time and tokens of one run."""
    told = [item.model, item.recipe, words.span(item.seconds)]
    if item.generation and item.generation.usage.output_tokens:
        told.append(words.count(item.generation.usage.output_tokens, "token"))
    return " · ".join(told)


def _rendered(call_id: int, item: Tried) -> None:
    box = st.expander("Rendered prompt", key=f"play.prompt.of.{call_id}", on_change="rerun")
    if box.open:
        with box:
            st.code(item.prompt.text(), language=None, wrap_lines=True)


def _send(one: Try) -> None:
    def work(db: Database, operator: Operator) -> str:
        post_id = trial.offer(
            db, one.call_id, actor=operator.name, now=data.now(), news_item_id=one.news_item_id
        )
        became = queue.submit(
            db, post_id, actor=operator, now=data.now(), publisher=data.config().publisher
        )
        return f"It is post {post_id} now: {words.post_word(became).text}."

    act("editor", work, shown=True)
