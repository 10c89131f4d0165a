"""Where one post came from: texts, decisions, attempts, calls down to the raw prompt, market."""

from __future__ import annotations

import json
from dataclasses import dataclass

import streamlit as st

from console import data, parts, registry, state, words
from console.screens import history
from console.shell import Desk
from engine.records import Snapshot
from engine.store import attempts, audit, console_reads, generations, posts, snapshots, templates
from engine.store.attempts import Attempt
from engine.store.audit import AuditEntry
from engine.store.console_reads import Decision, Revised
from engine.store.generations import StoredCall
from engine.store.posts import Post
from engine.store.templates import TemplateVersion


@dataclass(frozen=True)
class View:
    """All rows that touch one post."""

    post: Post
    revisions: list[Revised]
    decisions: list[Decision]
    attempts: list[Attempt]
    entries: list[AuditEntry]
    calls: list[StoredCall]
    snapshot: Snapshot | None
    version: TemplateVersion | None


def read(post_id: int) -> View | None:
    with data.showing() as db:
        post = posts.get(db, post_id)
        if post is None:
            return None
        version_id = post.template_version_id
        return View(
            post=post,
            revisions=console_reads.revisions(db, post_id),
            decisions=console_reads.decisions(db, post_id),
            attempts=attempts.of_post(db, post_id),
            entries=audit.entries(db, subject=f"post:{post_id}"),
            calls=generations.of_post(db, post_id),
            snapshot=snapshots.get(db, post.snapshot_id) if post.snapshot_id else None,
            version=templates.get_version(db, version_id) if version_id else None,
        )


def show(desk: Desk, view: View | None) -> None:
    st.button(
        "Back to the search",
        key="history.back",
        icon=":material/arrow_back:",
        on_click=history.close,
    )
    if view is None:
        parts.empty(
            "There is no such post",
            "The address names a post that is not stored.",
            ":material/link_off:",
        )
        return
    parts.as_on_x(view.post.text, note=f"post {view.post.id}, revision {view.post.revision}")
    parts.badges(parts.about(view.post))
    story, calls, market, template = st.tabs(
        ["Story", f"Model calls ({len(view.calls)})", "Market", "Template"]
    )
    with story:
        _story(desk, view)
    with calls:
        _calls(view)
    with market:
        _market(desk, view)
    with template:
        _template(view)


def _story(desk: Desk, view: View) -> None:
    """Everything that happened, in order, with who did it."""
    happened = [
        (entry.at, f"{words.step(entry.what)} by {entry.actor}") for entry in reversed(view.entries)
    ]
    happened += [
        (
            d.created_at,
            f"{d.decision} (revision {d.revision}) by {d.actor}"
            + (f": {d.reason}" if d.reason else ""),
        )
        for d in view.decisions
    ]
    for attempt in view.attempts:
        happened.append(
            (attempt.started_at, f"attempt {attempt.id} to {words.step(attempt.publisher)} began")
        )
        if attempt.finished_at:
            end = f"attempt {attempt.id} ended: {attempt.outcome}"
            happened.append(
                (attempt.finished_at, end + (f", {attempt.reason}" if attempt.reason else ""))
            )
    st.dataframe(
        [
            {"time": words.local(at, desk.zone), "what": what, "UTC": words.utc(at)}
            for at, what in sorted(happened, key=lambda step: step[0])
        ],
        hide_index=True, alt=f"{len(happened)} steps in the life of post {view.post.id}.",
    )  # fmt: skip
    st.markdown("**Every text it had**")
    for revision in view.revisions:
        st.text(revision.text)
        parts.moment(
            f"revision {revision.revision} · {words.plain(revision.actor)} · {revision.verdict} ·",
            revision.created_at, desk.zone, desk.now,
        )  # fmt: skip


def _calls(view: View) -> None:
    if not view.calls:
        parts.empty(
            "No model call",
            "The text came from a vetted backup post or an operator.",
            ":material/smart_toy:",
        )
    for call in view.calls:
        seconds = words.span(call.completion_time)
        with st.container(border=True, gap="xsmall"):
            st.markdown(
                f"**Candidate {call.candidate}** :gray[{words.plain(call.model_name)} · "
                f"{words.plain(call.recipe or 'no recipe')} · {seconds} · "
                f"{call.output_tokens or 0} tokens · {words.plain(call.verdict or call.outcome)}]"
            )
            st.text(call.text or call.raw_text or call.error or "")
            for finding in call.findings:
                st.caption(words.plain(f"{finding['rule']}: {finding['message']}"))
            more = st.expander(
                "Raw prompt, raw answer, options", key=f"call.{call.id}", on_change="rerun"
            )
            if more.open:
                with more:
                    _raw(call)


def _raw(call: StoredCall) -> None:
    st.caption("Prompt")
    st.code(call.raw_prompt, language=None, wrap_lines=True)
    st.caption("Answer")
    st.code(call.raw_text, language=None, wrap_lines=True)
    st.caption("Options and server")
    about = {
        "options": call.options, "seed": call.seed, "digest": call.model_digest,
        "server": call.server_version, "prompt tokens": call.prompt_tokens,
        "cached tokens": call.cached_tokens, "first token, s": call.ttft_s,
        "done": call.done_reason, "from cache": call.from_cache,
    }  # fmt: skip
    st.code(json.dumps(about, indent=1, ensure_ascii=False), language=None)
    st.button(
        "Replay in the playground", key=f"replay.{call.id}", icon=":material/replay:",
        on_click=state.replay, args=(call.id,),
        help="Same prompt, same options, same seed: does it write the same again?",
    )  # fmt: skip
    if state.replaying() == call.id:
        st.switch_page(registry.path("playground"))


def _market(desk: Desk, view: View) -> None:
    if view.snapshot is None:
        parts.empty("No market data", "This post rests on no figures.", ":material/show_chart:")
        return
    st.dataframe(
        [{"fact": key, "value": _plain(value)} for key, value in view.snapshot.facts.to_dict().items() if value is not None],
        hide_index=True, alt="The facts of the snapshot that proves this post.",
    )  # fmt: skip
    for quote in view.snapshot.quotes:
        parts.moment(
            f"{words.plain(quote.source)} said {words.plain(words.usd(quote.price_usd))}",
            quote.as_of,
            desk.zone,
            desk.now,
        )
    st.caption(
        f"spread of the sources {words.pct(view.snapshot.spread_pct)} · {view.snapshot.world} data"
    )


def _template(view: View) -> None:
    if view.version is None:
        parts.empty(
            "No template", "The text was not made from a template.", ":material/description:"
        )
        return
    st.caption(
        f"version {view.version.number} · {words.plain(view.version.created_by)} · {words.utc(view.version.created_at)}"
    )
    st.code(f"{view.version.system}\n\n{view.version.body}", language=None, wrap_lines=True)


def _plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
