"""The playground: tries are stored and judged, versions are compared and saved, one is sent on."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from engine.service.change import promote
from engine.service.users import LOCAL, Operator
from engine.store import generations, news, posts, templates
from engine.store.database import opened
from tests.console.conftest import Launch
from tests.console.test_actions import _now, press, submit, told


def switched_on(app: AppTest, key: str) -> AppTest:
    app.session_state[key] = True
    return app.run()


def of_kind(app: AppTest, kind: str) -> AppTest:
    app.session_state["play.kind"] = kind
    return app.run()


def test_a_text_about_a_headline_keeps_its_link_to_it(launch: Launch, own_sample: Path) -> None:
    app = launch("playground")
    app = of_kind(app, "news")
    picked = app.selectbox(key="play.headline").value
    app = press(app, "play.run")
    sent = next(b for b in app.button if b.key and b.key.startswith("play.send."))
    app = sent.click().run()
    assert "It is post" in told(app)
    with opened(own_sample, "ro") as db:
        post = posts.listing(db, limit=1)[0]
        item = news.get(db, picked)
        call_ids = [call.id for call in generations.of_post(db, post.id)]
    assert post.news_item_id == picked and item is not None and item.claimed_at is not None
    assert call_ids == [int((sent.key or "").rpartition(".")[2])]
    assert "already" in told(press(app, sent.key or ""))


def test_a_changed_prompt_is_saved_as_a_version_and_chosen_and_not_in_production(
    launch: Launch, own_sample: Path
) -> None:
    app = switched_on(launch("playground"), "play.save")
    with opened(own_sample, "ro") as db:
        template, version = templates.production(db, "price") or (None, None)
    assert template is not None and version is not None
    key = f"play.save.{version.id}.version"
    app.text_area(key=f"{key}.body").input("One calm line about {price_usd}.\n\nPost:")
    app = submit(app, "Save as version")
    assert "is saved and chosen here" in told(app)
    assert app.selectbox(key="play.prompt.price").value == f"{template.name} · version 2"
    with opened(own_sample, "ro") as db:
        live = templates.labelled(db, template.id)
        newest = templates.versions(db, template.id)[0]
    assert live == version and newest.body.startswith("One calm line")
    app = switched_on(app, "play.diff")
    assert any("+One calm line" in code.value for code in app.code)


def test_a_field_nobody_described_is_refused_in_words(launch: Launch, own_sample: Path) -> None:
    app = switched_on(launch("playground"), "play.save")
    area = next(a for a in app.text_area if (a.key or "").endswith(".version.body"))
    area.input("A line about {tomorrow}.")
    assert "is not described" in told(submit(app, "Save as version"))


def test_free_text_is_sent_as_it_is_and_an_empty_one_is_not_sent(
    launch: Launch, own_sample: Path
) -> None:
    app = launch("playground")
    app = app.selectbox(key="play.prompt.price").select("free text").run()
    assert app.button(key="play.run").disabled
    app = app.text_area(key="play.free").input("Say something calm.").run()
    app = press(app, "play.run")
    with opened(own_sample, "ro") as db:
        call = generations.listing(db, purpose="playground", limit=1)[0]
    assert call.raw_prompt.strip().endswith("Say something calm.")
    assert call.template_version_id is None


def test_two_models_and_repeats_give_intervals_and_blind_hides_who_wrote(
    launch: Launch, own_sample: Path
) -> None:
    app = launch("playground")
    app.number_input(key="play.repeats").set_value(3)
    app = press(app, "play.run")
    (table,) = app.dataframe
    assert next(iter(table.value["accepted"])).endswith("of 3")
    assert "menu · " in " ".join(c.value for c in app.caption)
    app = app.run().toggle(key="play.blind").set_value(True).run()
    texts = [c.value for c in app.caption if c.value.startswith("Text ")]
    assert texts == ["Text 1", "Text 2", "Text 3"] and not app.dataframe


def test_a_promoted_version_is_compared_with_nothing(launch: Launch, own_sample: Path) -> None:
    with opened(own_sample) as db:
        template, version = templates.production(db, "joke") or (None, None)
        assert template is not None and version is not None
        new = templates.add_version(
            db, template.id, system=version.system, body=version.body + " Dry.",
            variables=list(version.variables), note="", actor="test", now=_now(),
        )  # fmt: skip
        promote(db, new.id, reason="better", actor=Operator(LOCAL, "admin"), now=_now())
    app = launch("playground")
    app = of_kind(app, "joke")
    app = switched_on(app, "play.diff")
    assert app.selectbox(key="play.prompt.joke").value == f"{template.name} · version 2"
    assert not any("Dry." in code.value for code in app.code)
