"""Playground: a prompt, a moment of the market, some models side by side. Nothing here posts."""

from __future__ import annotations

import random
import statistics
from dataclasses import dataclass

import streamlit as st
from sqlite_utils import Database

from console import data, models, parts, state, words
from console.actions import act
from console.models import Run
from console.screens import prompt_work
from console.shell import Desk
from console.state import Try
from engine.errors import BuzzError
from engine.lab.statistics import wilson
from engine.llm.base import Options
from engine.posting import queue
from engine.records import CONTENT_TYPES, Snapshot
from engine.service.users import Operator
from engine.store import console_reads, generations, news, snapshots, templates
from engine.store.generations import StoredCall
from engine.store.news import NewsItem
from engine.store.templates import Template, TemplateVersion
from engine.writing import trial
from engine.writing.trial import Tried, Wish

FREE = "free text"
TIMEOUT_S = 60.0


@dataclass(frozen=True)
class View:
    """What may be chosen, and the call to replay if one is asked for."""

    versions: list[tuple[Template, TemplateVersion]]
    live: dict[int, TemplateVersion]  # in production, by template
    moments: list[tuple[int, str, float]]
    replay: StoredCall | None


@dataclass(frozen=True)
class Asked:
    """What was chosen. ``seed`` None: a new one each time."""

    wish: Wish
    models: list[str]
    repeats: int
    seed: int | None


def read() -> View:
    asked = state.replaying()
    with data.showing() as db:
        found = templates.listing(db)
        return View(
            versions=[(t, version) for t in found for version in templates.versions(db, t.id)],
            live={t.id: version for t in found if (version := templates.labelled(db, t.id))},
            moments=console_reads.moments(db),
            replay=generations.get(db, asked) if asked else None,
        )


def ask(desk: Desk, view: View) -> Asked | None:
    """The left side: what to try; None while something is missing."""
    replay = view.replay
    if replay:
        with st.container(border=True):
            st.markdown(f"**Replay of call {replay.id}** :gray[{words.plain(replay.model_name)}]")
            st.caption(
                "The stored prompt is sent as one message, with its options and seed; a grammar is not repeated."
            )
            st.button("Leave the replay", key="replay.leave", on_click=state.stop_replay)
    kind = (
        st.segmented_control(
            "Kind of post", CONTENT_TYPES, default="price", required=True, key="play.kind"
        )
        or "price"
    )
    chosen, prompt = _prompt(view, kind)
    if chosen:
        template, base = chosen
        prompt_work.compare(view.live.get(template.id), base)
        prompt_work.save_as(desk, template, base, kind, prompt)
    snapshot = _moment(desk, view)
    item = _headline(snapshot) if kind == "news" and snapshot else None
    available = models.names(data.model_in_force())
    names = st.pills(
        "Models, side by side", available, selection_mode="multi", default=available[:1],
        key="play.models",
    )  # fmt: skip
    options, repeats, seed, recipe = _options(replay)
    version = chosen[1] if chosen and prompt is None else None
    if snapshot is None or not names or not (version or prompt):
        return None
    wish = Wish(kind, snapshot, options, version, prompt, recipe, item)
    return Asked(wish, names, repeats, seed)


def _prompt(view: View, kind: str) -> tuple[tuple[Template, TemplateVersion] | None, str | None]:
    """The chosen template and version, and the free text where that was chosen instead. Free text
    stands beside the first version of its kind, which it may be saved over."""
    labels = {prompt_work.label(t, v): (t, v) for t, v in view.versions if t.purpose == kind}
    chosen = st.selectbox(
        "Prompt", [*labels, FREE], len(labels) if view.replay else 0, key=f"play.prompt.{kind}"
    )
    if chosen != FREE:
        return labels.get(chosen), None
    typed = view.replay.raw_prompt if view.replay else ""
    text = st.text_area("Your prompt, sent as it is", typed, key="play.free", height=160)
    return next(iter(labels.values()), None), text.strip()


def _headline(snapshot: Snapshot) -> NewsItem | None:
    """A headline of the same world that no post is about yet."""
    with data.showing() as db:
        found = news.listing(db, world=snapshot.world, limit=60)
    free = {
        item.id: item for item in found if item.claimed_at is None and item.duplicate_of is None
    }
    if not free:
        st.caption("Every stored headline has its post; this one is written without.")
        return None
    picked = st.selectbox(
        "Headline", list(free), format_func=lambda item_id: words.short(free[item_id].title, 70),
        key="play.headline",
    )  # fmt: skip
    return free.get(picked)


def _moment(desk: Desk, view: View) -> Snapshot | None:
    if not view.moments:
        st.info(
            "No market data is stored yet. Start the runner, then come back.",
            icon=":material/show_chart:",
        )
        return None
    by_id = {
        row_id: f"{words.local(at, desk.zone, now=desk.now)} · {words.usd(price)}"
        for row_id, at, price in view.moments
    }
    picked = st.selectbox(
        "Market of", list(by_id), format_func=lambda row: by_id[row], key="play.snapshot"
    )
    with data.showing() as db:
        return snapshots.get(db, picked)


def _options(replay: StoredCall | None) -> tuple[Options, int, int | None, str]:
    known = replay.options if replay else {}
    with st.expander("Parameters"):
        temperature = st.slider(
            "Temperature",
            0.0,
            1.5,
            float(known.get("temperature", 0.8)),
            0.05,
            key="play.temperature",
        )
        top_p = st.slider(
            "Top p", 0.05, 1.0, float(known.get("top_p", 0.95)), 0.05, key="play.top_p"
        )
        tokens = st.number_input(
            "Most tokens", 8, 512, int(known.get("max_tokens", 120)), key="play.tokens"
        )
        recipe = st.selectbox(
            "The model writes", ("auto", "menu", "slots", "free"), key="play.recipe"
        )
        seed = st.number_input(
            "Seed (empty: new each time)", 0, 2**31 - 1, known.get("seed"), key="play.seed"
        )
    repeats = st.number_input("Repeats for each model", 1, 20, 1, key="play.repeats")
    options = Options(temperature=temperature, top_p=top_p, max_tokens=int(tokens))
    return options, int(repeats), None if seed is None else int(seed), recipe


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
