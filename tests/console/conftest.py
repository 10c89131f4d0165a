"""Worlds of the console: empty, sample, a hundred thousand posts, everything failing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from engine.store.database import opened
from tests.console.worlds import fill_many, fill_metrics, fill_sample, make_database

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path.name for path in (ROOT / "pages").glob("*.py"))

Launch = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def _console(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The scripted model, a database in a folder of its own, the shipped Streamlit settings."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("BTCBUZZ_DB", str(tmp_path / "bot.db"))
    monkeypatch.setenv("BTCBUZZ_LLM", "scripted")


@pytest.fixture
def launch() -> Launch:
    """Open a page as a browser would: through the front door, then to the page."""

    def start(
        page: str = "overview", *, cold: bool = False, user: dict[str, object] | None = None
    ) -> AppTest:
        app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30)
        if user:
            app.user = user
        if not cold:
            app.run()
        return app.switch_page(f"pages/{page}.py").run()

    return start


@pytest.fixture(scope="session")
def sample_week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One sample database for all tests; copied, never changed."""
    path = tmp_path_factory.mktemp("sample") / "bot.sample.db"
    fill_sample(path)
    return path


@pytest.fixture(scope="session")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100,000 posts over three years; copied, never changed."""
    path = tmp_path_factory.mktemp("crowd") / "bot.db"
    make_database(path)
    with opened(path) as db:
        fill_many(db, posts=100_000, now=datetime.now(UTC))
        fill_metrics(db, 50_000)
        db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture
def own_sample(sample_week: Path, tmp_path: Path) -> Path:
    """The sample week as the bot's own database, for actions."""
    return Path(shutil.copy(sample_week, tmp_path / "bot.db"))
