"""Each action writes what it says, once, by whoever may."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from engine.posting import hold, killswitch, queue
from engine.posting.actors import Role
from engine.service import users
from engine.service.users import Operator
from engine.store import audit, posts, schedules, settings, templates
from engine.store import users as user_rows
from engine.store.database import opened
from engine.store.posts import Post
from tests.console.conftest import Launch


def waiting(path: Path) -> list[Post]:
    with opened(path, "ro") as db:
        return sorted(posts.listing(db, state="pending_approval"), key=lambda post: post.id)


def now_is(path: Path, post: Post) -> Post:
    with opened(path, "ro") as db:
        return posts.need(db, post.id)


def press(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def submit(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


def told(app: AppTest) -> str:
    """What the page says happened, markdown's escapes taken off."""
    kinds = (app.success, app.error, app.info, app.warning)
    return " ".join(element.value for kind in kinds for element in kind).replace("\\", "")


def as_eve(launch: Launch, db_path: Path, page: str, role: Role) -> AppTest:
    """A page as an account of that role sees it after signing in."""
    with opened(db_path) as db:
        users.create_user(
            db, name="eve", password="long enough", role=role,
            actor=Operator(users.LOCAL, "admin"), now=_now(),
        )  # fmt: skip
    app = launch(page)
    app.text_input(key="auth.name").input("eve")
    app.text_input(key="auth.password").input("long enough")
    return submit(app, "Sign in")


def test_approve_and_undo(launch: Launch, own_sample: Path) -> None:
    post = waiting(own_sample)[0]
    app = press(launch("queue"), "queue.approve")
    assert now_is(own_sample, post).state == "approved"
    assert now_is(own_sample, post).approved_by == "local operator (console)"
    press(app, "queue.undo.button")
    assert now_is(own_sample, post).state == "pending_approval"


def test_the_next_post_is_in_place_after_an_action(launch: Launch, own_sample: Path) -> None:
    first, second, *_ = waiting(own_sample)
    app = press(launch("queue"), "queue.approve")
    assert any(second.text.split()[0] in element.value for element in [*app.text, *app.markdown])
    press(app, "queue.approve")
    assert now_is(own_sample, first).state == now_is(own_sample, second).state == "approved"


def test_approve_all_green_shows_them_first(launch: Launch, own_sample: Path) -> None:
    green = [post for post in waiting(own_sample) if not post.flags and post.origin == "model"]
    app = press(launch("queue"), "queue.bulk")
    shown = {text.value for text in app.text}
    assert {post.text for post in green} <= shown
    press(app, "queue.bulk.yes")
    assert {now_is(own_sample, post).state for post in green} == {"approved"}


def test_reject_takes_one_key_for_the_reason(launch: Launch, own_sample: Path) -> None:
    post = waiting(own_sample)[0]
    app = press(launch("queue"), "queue.reject")
    press(app, "queue.why.2")
    assert (now_is(own_sample, post).state, now_is(own_sample, post).state_reason) == (
        "rejected",
        "dull",
    )


def test_a_rejection_without_a_reason_is_refused(launch: Launch, own_sample: Path) -> None:
    post = waiting(own_sample)[0]
    app = submit(press(launch("queue"), "queue.reject"), "Reject for this reason")
    assert "needs a reason" in told(app)
    assert now_is(own_sample, post).state == "pending_approval"


def test_an_edit_is_a_new_revision_that_waits_for_approval(
    launch: Launch, own_sample: Path
) -> None:
    post = next(p for p in waiting(own_sample) if p.content_type == "motivation")
    app = launch("queue")
    app = press(app, f"queue.row.{post.id}")
    app = press(app, "queue.edit")
    app.text_area[0].input("Patience is a plan that does not need the chart. #Bitcoin")
    submit(app, "Save")
    done = now_is(own_sample, post)
    assert (done.revision, done.state, done.origin) == (2, "pending_approval", "operator")


def test_an_edit_that_says_something_false_cannot_go_out(launch: Launch, own_sample: Path) -> None:
    post = next(p for p in waiting(own_sample) if p.content_type == "price")
    app = press(press(launch("queue"), f"queue.row.{post.id}"), "queue.edit")
    app.text_area[0].input("Bitcoin is up 40% today to $250,000!")
    app = submit(app, "Save")
    done = now_is(own_sample, post)
    assert (done.state, done.verdict) == ("draft", "reject")
    assert "cannot go out" in told(app)


def test_later_gives_a_post_a_time_and_leaves_it_waiting(launch: Launch, own_sample: Path) -> None:
    post = waiting(own_sample)[0]
    press(press(launch("queue"), "queue.later"), "queue.later.2")
    done = now_is(own_sample, post)
    assert done.state == "pending_approval" and done.not_before is not None
    assert not hold.is_kept(done)


def test_hold_keeps_a_post_back_without_a_time_until_it_is_released(
    launch: Launch, own_sample: Path
) -> None:
    post = waiting(own_sample)[0]
    app = press(launch("queue"), "queue.keep")
    assert hold.is_kept(now_is(own_sample, post))
    app = press(app, f"queue.row.{post.id}")
    assert "queue.approve" not in {button.key for button in app.button}
    with opened(own_sample) as db:
        assert queue.expire_due(db, _now() + timedelta(days=400)) > 0
    assert now_is(own_sample, post).state == "pending_approval"
    press(app, "queue.release")
    done = now_is(own_sample, post)
    assert (done.state, done.not_before) == ("pending_approval", None)
    with opened(own_sample) as db:
        queue.expire_due(db, _now() + timedelta(days=400))
    assert now_is(own_sample, post).state == "expired"


def test_a_post_on_hold_is_no_green_post_and_does_not_ask_for_anybody(
    launch: Launch, own_sample: Path
) -> None:
    for post in waiting(own_sample):
        press(press(launch("queue"), f"queue.row.{post.id}"), "queue.keep")
    assert "queue.bulk" not in {button.key for button in launch("queue").button}
    tile = next(m for m in launch("overview").metric if m.label == "Awaiting approval")
    assert tile.value == "0"


def test_what_was_approved_and_then_held_is_found_and_released(
    launch: Launch, own_sample: Path
) -> None:
    post = waiting(own_sample)[0]
    with opened(own_sample) as db:
        queue.approve(db, post.id, revision=post.revision, actor="test", now=_now())
        hold.keep(db, post.id, revision=post.revision, actor="test", now=_now())
    app = press(launch("queue"), f"queue.row.{post.id}")
    press(app, "queue.release")
    assert now_is(own_sample, post).not_before is None


def test_again_asks_the_runner_for_another_text(launch: Launch, own_sample: Path) -> None:
    post = waiting(own_sample)[0]
    press(launch("queue"), "queue.again")
    assert now_is(own_sample, post).state == "draft"


def test_a_second_tab_that_is_late_is_told_who_was_first(launch: Launch, own_sample: Path) -> None:
    first, second = launch("queue"), launch("queue")
    press(first, "queue.approve")
    app = press(second, "queue.approve")
    assert "already approved by local operator (console)" in told(app)
    with opened(own_sample, "ro") as db:
        approvals = [
            e for e in audit.entries(db, limit=50) if e.what == "approved" and "console" in e.actor
        ]
    assert len(approvals) == 1


def test_while_a_text_is_edited_no_step_aside_can_lose_it(launch: Launch, own_sample: Path) -> None:
    app = press(launch("queue"), "queue.edit")
    aside = [
        b
        for b in app.button
        if (b.key or "").startswith(("queue.row.", "queue.step.", "queue.bulk"))
    ]
    assert aside and all(button.disabled for button in aside)
    app = submit(app, "Cancel")
    assert not app.button(key="queue.bulk").disabled


def test_stop_is_one_click_and_resume_asks(launch: Launch, own_sample: Path) -> None:
    app = press(launch("overview"), "status.stop")
    with opened(own_sample, "ro") as db:
        assert killswitch.is_on(db, own_sample)
    assert "Posting is stopped" in told(app)
    press(press(app, "banner.resume.ask"), "banner.resume")
    with opened(own_sample, "ro") as db:
        assert not killswitch.is_on(db, own_sample)


def test_a_viewer_changes_nothing_even_with_a_button_left_from_before(
    launch: Launch, own_sample: Path
) -> None:
    """The role is read at the write: a demotion works on a page that is already open."""
    with opened(own_sample) as db:
        local = Operator(users.LOCAL, "admin")
        users.create_user(
            db, name="ann", password="long enough", role="admin", actor=local, now=_now()
        )
        ann = Operator("ann", "admin", user_rows.listing(db)[0].updated_at)
        users.create_user(
            db, name="bob", password="long enough", role="approver", actor=ann, now=_now()
        )
    app = launch("queue")
    app.text_input(key="auth.name").input("bob")
    app.text_input(key="auth.password").input("long enough")
    app = submit(app, "Sign in")
    post = waiting(own_sample)[0]
    with opened(own_sample) as db:
        users.change_role(db, "bob", "viewer", actor=ann, now=_now())
    press(app, "queue.approve")
    assert now_is(own_sample, post).state == "pending_approval"


def test_a_viewer_sees_no_button_that_works(launch: Launch, own_sample: Path) -> None:
    app = as_eve(launch, own_sample, "queue", "viewer")
    for key in (
        "queue.approve",
        "queue.edit",
        "queue.reject",
        "queue.later",
        "queue.keep",
        "queue.again",
        "status.stop",
    ):
        assert app.button(key=key).disabled


def test_a_setting_is_saved_checked_and_audited(launch: Launch, own_sample: Path) -> None:
    app = launch("calendar")
    app.selectbox(key="calendar.autonomy.autonomy.joke").select("auto")
    press(app, "calendar.autonomy.save")
    with opened(own_sample, "ro") as db:
        assert settings.get(db, "autonomy.joke") == "auto"
        assert audit.entries(db, limit=1)[0].subject == "setting:autonomy.joke"


def test_a_schedule_is_changed_without_a_restart(launch: Launch, own_sample: Path) -> None:
    app = launch("calendar")
    app.text_input(key="plan.1.times").input("09:15, 21:45")
    submit(app, "Save schedule")
    with opened(own_sample, "ro") as db:
        assert schedules.listing(db)[0].plan.times == ("09:15", "21:45")


def test_a_schedule_with_a_wrong_time_is_refused_in_words(launch: Launch, own_sample: Path) -> None:
    app = launch("calendar")
    app.text_input(key="plan.1.times").input("9 o'clock")
    assert "not a time of day" in told(submit(app, "Save schedule"))


def test_a_promotion_needs_a_reason_and_a_new_version_waits_for_it(
    launch: Launch, own_sample: Path
) -> None:
    app = launch("templates")
    with opened(own_sample, "ro") as db:
        template = templates.listing(db)[0]
    app.session_state["template.tab"] = "New version"
    app.run()
    key = next(area.key for area in app.text_area if area.key and area.key.endswith(".body"))
    app.text_area(key=key).input("One dry line about {topic}.\n\nPost:")
    submit(app, "Save as new version")
    with opened(own_sample, "ro") as db:
        assert [v.number for v in templates.versions(db, template.id)] == [2, 1]
        live = templates.labelled(db, template.id)
    assert live is not None and live.number == 1


def test_sample_data_comes_and_goes_and_touches_nothing_else(
    launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.service import sample

    real = sample.fill
    monkeypatch.setattr(sample, "fill", lambda path, **known: real(path, **{**known, "days": 1}))
    app = launch("overview")
    before = (tmp_path / "bot.db").read_bytes()
    app = press(app, "welcome.sample")
    assert any("Sample data is shown" in info.value for info in app.info)
    assert any(metric.label == "Awaiting approval" for metric in app.metric)
    app = press(app, "banner.sample")
    assert not (tmp_path / "bot.sample.db").exists()
    assert "Welcome" in " ".join(text.value for text in app.markdown)
    assert (tmp_path / "bot.db").read_bytes() == before


def test_the_playground_writes_judges_stores_and_posts_nothing(
    launch: Launch, own_sample: Path
) -> None:
    with opened(own_sample, "ro") as db:
        count = db.conn.execute("SELECT count(*) FROM posts").fetchone()[0]
    app = press(launch("playground"), "play.run")
    with opened(own_sample, "ro") as db:
        row = db.conn.execute(
            "SELECT outcome, verdict, text FROM generation_params WHERE purpose = 'playground'"
        ).fetchone()
        assert db.conn.execute("SELECT count(*) FROM posts").fetchone()[0] == count
    assert row[0] == "ok" and row[2] in [text.value for text in app.text]


def _now() -> Any:
    from console import data

    return data.now()
