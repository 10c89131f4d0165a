"""Playground, left side: a prompt, a moment of the market, some models. Nothing here posts."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from console import data, models, state, words
from console.screens import prompt_work
from console.screens.tries import Asked
from console.shell import Desk
from engine.llm.base import Options
from engine.records import CONTENT_TYPES, Snapshot
from engine.store import console_reads, generations, news, snapshots, templates
from engine.store.generations import StoredCall
from engine.store.news import NewsItem
from engine.store.templates import Template, TemplateVersion
from engine.writing.trial import Wish

FREE = "free text"


@dataclass(frozen=True)
class View:
    """What may be chosen, and the call to replay if one is asked for."""

    versions: list[tuple[Template, TemplateVersion]]
    live: dict[int, TemplateVersion]  # in production, by template
    moments: list[tuple[int, str, float]]
    replay: StoredCall | None


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
