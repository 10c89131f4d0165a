"""One browser for all tests; a page that fails its test when the browser's console shows an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import pytest

from tests.browser.server import ARGS, chromium, console
from tests.browser.wire import Wire
from tests.console.worlds import fill_sample

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PASSWORD = "correct horse"
Open = Callable[..., "Page"]
WIRES: WeakKeyDictionary[Page, Wire] = WeakKeyDictionary()


def press(page: Page, key: str) -> None:
    """Press a key as a person does, and wait for what it does."""
    WIRES[page].press(key)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip("no Chromium here: install Debian's package chromium to run the browser tests")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=20_000)  # two cores may be busy with other things
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sample days as the bot's own database."""
    path = tmp_path_factory.mktemp("browser") / "bot.db"
    fill_sample(path)
    return path


@pytest.fixture(scope="module")
def address(browser: Browser, db: Path) -> Iterator[str]:
    """A console that nobody has visited yet, with a password."""
    with console(db, {"BTCBUZZ_PASSWORD": PASSWORD}) as url:
        yield url


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Open]:
    with visitor(browser, address) as open_page:
        yield open_page


@contextmanager
def visitor(browser: Browser, address: str) -> Iterator[Open]:
    """Open a page, signed in unless ``signed_in=False``; errors in the browser fail the test."""
    contexts, errors = [], []  # type: ignore[var-annotated]

    def open_page(
        name: str, *, signed_in: bool = True, theme: str = "dark", width: int = 1440
    ) -> Page:
        context = browser.new_context(
            color_scheme=theme, viewport={"width": width, "height": 900},  # type: ignore[arg-type]
            timezone_id="Europe/Vilnius",
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        WIRES[page] = Wire(page)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console", lambda message: errors.append(message.text) if _is_fault(message) else None
        )
        page.on(
            "request",
            lambda request: errors.append(request.url) if _is_foreign(request.url) else None,
        )
        page.goto(f"{address}/{name}")
        page.wait_for_selector("h1")
        if signed_in:
            page.get_by_label("Name").fill("admin")
            page.get_by_label("Password", exact=True).fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_selector("h1:not(:has-text('Sign in'))")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def _is_fault(message: object) -> bool:
    # below /page Streamlit's own client first asks /page/_stcore/…, is told 404, and asks /_stcore
    where = message.location["url"]  # type: ignore[attr-defined]
    return message.type == "error" and "/_stcore/" not in where  # type: ignore[attr-defined]


def _is_foreign(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))
