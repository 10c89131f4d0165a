"""What is huge, hostile or broken is shown as it is, or said in a sentence with what to do next."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from console import data
from engine.clock import FakeClock
from engine.posting import queue
from engine.records import Verdict
from engine.service import heartbeat
from engine.store import news, posts, templates, voice
from engine.store.database import opened
from engine.store.news import NewItem
from engine.store.posts import NewPost
from tests.console.conftest import Launch
from tests.console.test_actions import _now, press, told
from tests.console.test_pages import NAMES, problems
from tests.console.test_playground import of_kind
from tests.console.worlds import make_database

EMOJI = "\N{ROCKET}" * 280
SCRIPT = "<script>alert(1)</script>"
HEADLINE = f"{SCRIPT} [buy](https://evil.example) **now** " + "endless" * 430


def shown(app: AppTest) -> str:
    """All that the page says in plain boxes and in markdown, its escapes taken off."""
    texts = [*app.text, *app.markdown, *app.caption, *app.code]
    return " ".join(str(element.value) for element in texts).replace("\\", "")


def wait_for_approval(path: Path, text: str) -> int:
    with opened(path) as db:
        new = NewPost(
            content_type="joke", text=text, verdict=Verdict(), origin="model", world="sample"
        )
        post_id = posts.insert(db, new, actor="writer", now=_now())
        queue.submit(db, post_id, actor="runner", now=_now())
    return post_id


@pytest.mark.parametrize("page", NAMES)
def test_a_runner_dead_for_an_hour_is_said_on_every_page_with_what_starts_it(
    launch: Launch, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    monkeypatch.setattr(data, "clock", clock)
    make_database(tmp_path / "bot.db")
    with opened(tmp_path / "bot.db") as db:
        heartbeat.beat(db, clock, pid=1)
    clock.advance(3_600)
    app = launch(page)
    assert problems(app) == []
    (warning,) = [text.value for text in app.warning if "silent" in text.value]
    assert "60 min" in warning and "python runner.py run" in warning


@pytest.mark.parametrize("text", [EMOJI, HEADLINE, SCRIPT], ids=["emoji", "headline", "script"])
@pytest.mark.parametrize("page", ["overview", "queue", "history"])
def test_a_text_of_any_kind_is_shown_character_by_character(
    launch: Launch, page: str, text: str, own_sample: Path
) -> None:
    post_id = wait_for_approval(own_sample, text)
    app = launch(page)
    if page == "queue":
        app = press(app, f"queue.row.{post_id}")
        assert "of 280" in shown(app)
    assert problems(app) == []
    assert text in [element.value for element in app.text]


def test_the_longest_headline_that_the_store_takes_is_cut_in_the_list(
    launch: Launch, own_sample: Path
) -> None:
    with opened(own_sample) as db:
        item = NewItem("0" * 64, "sample", HEADLINE[:200], "Wire", None, _now(), 1.0, 0.0)
        item_id = news.insert(db, item, now=_now())
    app = of_kind(launch("playground"), "news")
    box = app.selectbox(key="play.headline")
    assert max(len(option) for option in box.options) <= 70
    app = press(box.select(item_id).run(), "play.run")
    assert problems(app) == []


@pytest.mark.parametrize("body", ["{price_usd", "{price_usd!r}", "{nobody_knows}", "{}"])
def test_a_template_that_cannot_be_filled_is_named_and_nothing_breaks(
    launch: Launch, body: str, own_sample: Path
) -> None:
    """Stored by an older program: the forms refuse such a text, see below."""
    with opened(own_sample) as db:
        template, version = templates.production(db, "price") or (None, None)
        assert template is not None and version is not None
        new = templates.add_version(
            db, template.id, system=version.system, body=body, variables=list(version.variables),
            note="", actor="test", now=_now(),
        )  # fmt: skip
    app = launch("templates")
    app = press(app, f"template.{template.id}")
    app.session_state["template.tab"] = "Preview"
    app = app.run()
    assert problems(app) == [] and len(app.warning) == 1
    app = launch("playground")
    app.selectbox(key="play.prompt.price").select(f"{template.name} · version {new.number}")
    app = press(app.run(), "play.run")
    assert problems(app) == [] and len(app.warning) == 1


def test_a_broken_template_is_refused_in_a_sentence(launch: Launch, own_sample: Path) -> None:
    app = launch("templates")
    app.session_state["template.tab"] = "New version"
    app = app.run()
    (body,) = [area for area in app.text_area if area.label == "Prompt"]
    body.input("Write about {price_usd")
    app = next(b for b in app.button if b.label == "Save as new version").click().run()
    assert app.exception == [] and "is saved" not in told(app)
    assert "brace" in told(app)
    with opened(own_sample, "ro") as db:
        assert all(len(templates.versions(db, t.id)) == 1 for t in templates.listing(db))


@pytest.mark.parametrize(
    "text", ["{", "[]", "3", '{"tone": 3}', '{"tone": ["calm"], "love": null}']
)
def test_a_voice_profile_that_is_none_is_refused_in_a_sentence(
    launch: Launch, text: str, own_sample: Path
) -> None:
    app = launch("templates")
    app.session_state["voice.edit"] = True
    app = app.run()
    app.text_area(key="voice.json").input(text)
    saves = [button for button in app.button if button.label == "Save as new version"]
    app = saves[-1].click().run()
    assert app.exception == [] and len(app.error) == 1
    with opened(own_sample, "ro") as db:
        assert voice.versions(db) == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (sqlite3.OperationalError("database is locked"), "python runner.py doctor"),
        (OSError(28, "No space left on device"), "python runner.py doctor"),
        (ZeroDivisionError("secret detail"), "unexpected ZeroDivisionError"),
    ],
    ids=["locked", "full", "unforeseen"],
)
def test_an_action_that_fails_is_told_and_shows_no_trace(
    launch: Launch, own_sample: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(queue, "approve", fail)
    app = press(launch("queue"), "queue.approve")
    assert app.exception == []
    assert said in told(app) and "secret" not in told(app)
