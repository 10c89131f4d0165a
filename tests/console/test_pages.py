"""Every page launches in every world and says something true in each."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.console.conftest import PAGES, Launch

NAMES = [name.removesuffix(".py") for name in PAGES]


def problems(app: object) -> list[str]:
    return [element.value for element in app.error] + [e.message for e in app.exception]  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", NAMES)
def test_an_empty_database_shows_no_error_and_one_title(launch: Launch, page: str) -> None:
    app = launch(page)
    assert problems(app) == []
    assert len(app.title) == 1


@pytest.mark.parametrize("page", NAMES)
def test_the_sample_week_shows_on_every_page_and_says_that_it_is_sample(
    launch: Launch, page: str, sample_week: Path, tmp_path: Path
) -> None:
    shutil.copy(sample_week, tmp_path / "bot.sample.db")
    app = launch(page)
    assert problems(app) == []
    assert any("Sample data is shown" in info.value for info in app.info)


@pytest.mark.parametrize("page", NAMES)
def test_a_hundred_thousand_posts_show_on_every_page(
    launch: Launch, page: str, crowd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BTCBUZZ_DB", str(crowd))
    app = launch(page)
    assert problems(app) == []


@pytest.mark.parametrize("page", NAMES)
def test_a_damaged_database_is_told_with_what_to_do_and_no_trace(
    launch: Launch, page: str, tmp_path: Path
) -> None:
    (tmp_path / "bot.db").write_bytes(b"this is not a database, and never was" * 50)
    app = launch(page)
    assert [error.value for error in app.error] == ["This page cannot be shown."]
    told = " ".join(text.value for text in app.text)
    assert "not a sound SQLite database" in told and "restore" in told
    assert app.exception == []


def test_damaged_sample_data_is_removed_by_its_button_and_one_s_own_bot_shows_again(
    launch: Launch, own_sample: Path
) -> None:
    own_sample.with_name("bot.sample.db").write_bytes(b"junk" * 500)
    app = launch("queue")
    assert "Remove it with the button above" in " ".join(text.value for text in app.text)
    app.button(key="banner.sample").click().run()
    assert problems(app) == [] and not own_sample.with_name("bot.sample.db").exists()


@pytest.mark.parametrize("page", NAMES)
def test_a_bad_setting_is_named_on_every_page(
    launch: Launch, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BTCBUZZ_PUBLISHR", "x")
    app = launch(page)
    assert "Did you mean BTCBUZZ_PUBLISHER?" in " ".join(text.value for text in app.text)


def test_an_older_database_is_not_migrated_behind_the_operators_back(
    launch: Launch, tmp_path: Path
) -> None:
    from engine.store.database import opened

    with opened(tmp_path / "bot.db") as db:
        db.conn.execute("CREATE TABLE settings (key TEXT)")
    app = launch("overview")
    assert "runner.py migrate" in app.error[0].value


def test_an_unforeseen_failure_keeps_the_page_readable(
    launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    from console.screens import queue

    def fail(desk: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(queue, "read", fail)
    app = launch("queue")
    told = " ".join(text.value for text in app.text)
    assert "ZeroDivisionError" in told and "secret detail" not in told
