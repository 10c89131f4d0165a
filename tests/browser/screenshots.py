"""Every page in both themes into docs/images: ``python -m tests.browser.screenshots [PICTURE …]``.

The worlds behind them are made anew each time (tests/browser/picture_worlds.py), so anybody can
make them again. ``PICTURE`` is a page, ``welcome`` or ``sign-in``.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from engine.clock import FakeClock
from tests.browser.picture_worlds import account_start, fill_week, live_account
from tests.browser.server import ARGS, ROOT, chromium, console
from tests.faults.rig import environment, on_x
from tests.faults.x_server import XServer

IMAGES = ROOT / "docs" / "images"
WEEK = (
    "overview", "queue", "calendar", "playground", "templates", "benchmarks", "history", "settings",
)  # fmt: skip
ACCOUNT = ("experiments", "engagement")
FIRST = {"welcome": "overview", "sign-in": "overview"}
"""Pictures of a first start, and the page that shows them."""
NARROW_TOO = ("overview", "queue")
CLICKED = {
    "queue": r"\d\d:\d\d price", "playground": "Write", "settings": "Examine", "calendar": "Earlier",
}  # fmt: skip
"""What is clicked first, by picture: a post with figures to prove, a text to judge, a whole week."""
WIDE, NARROW = 1440, 390
TALLEST = 1_920


def main(wanted: list[str]) -> None:
    """Write ``PICTURE-THEME.png`` for each, and ``PAGE-narrow.png`` for the two of the minute."""
    browser_path = chromium()
    if browser_path is None:
        raise SystemExit("No Chromium found. Install Debian's package chromium.")
    IMAGES.mkdir(parents=True, exist_ok=True)
    worlds = ((WEEK, _week), (ACCOUNT, _account), (("welcome",), _empty), (("sign-in",), _locked))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=ARGS)
        for pictures, world in worlds:
            asked = [name for name in pictures if name in wanted or not wanted]
            if not asked:
                continue
            with tempfile.TemporaryDirectory() as folder, world(Path(folder)) as address:
                for name in asked:
                    _picture(browser, address, name)
        browser.close()


# -- worlds ----------------------------------------------------------------------------------


@contextmanager
def _week(folder: Path) -> Iterator[str]:
    """The sample week and a runner at work on it, in the dry run."""
    db = folder / "bot.db"
    fill_week(db, datetime.now(UTC))
    with _runner(environment(db), folder), console(db, environment(db)) as address:
        yield address


@contextmanager
def _account(folder: Path) -> Iterator[str]:
    """An account of sixty-six days on a loopback X, and its runner."""
    db = folder / "bot.db"
    clock = FakeClock(account_start(datetime.now(UTC)))
    with XServer(folder / "x.jsonl", now=clock.now) as x:
        live_account(db, x, clock)
        clock.set_wall(datetime.now(UTC))
        environ = environment(db, **on_x(x.url))
        with _runner(environ, folder), console(db, environ) as address:
            yield address


@contextmanager
def _empty(folder: Path) -> Iterator[str]:
    with console(folder / "bot.db") as address:
        yield address


@contextmanager
def _locked(folder: Path) -> Iterator[str]:
    with console(folder / "bot.db", {"BTCBUZZ_PASSWORD": "correct horse"}) as address:
        yield address


@contextmanager
def _runner(environ: Mapping[str, str], folder: Path) -> Iterator[None]:
    with (folder / "runner.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "runner.py", "run"], cwd=ROOT, env=dict(environ), stdout=log,
            stderr=log,
        )  # fmt: skip
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=40)


# -- pictures --------------------------------------------------------------------------------


def _picture(browser: Browser, address: str, name: str) -> None:
    url = f"{address}/{FIRST.get(name, name)}"
    for theme in ("dark", "light"):
        _shoot(browser, url, f"{name}-{theme}", theme, WIDE, CLICKED.get(name))
    if name in NARROW_TOO:
        _shoot(browser, url, f"{name}-narrow", "dark", NARROW, CLICKED.get(name))


def _shoot(
    browser: Browser, url: str, name: str, theme: str, width: int, clicked: str | None
) -> None:
    context = browser.new_context(
        color_scheme=theme, viewport={"width": width, "height": 900},  # type: ignore[arg-type]
        timezone_id="Europe/Vilnius",
    )  # fmt: skip
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("h1")
    _settle(page)
    if clicked is not None:
        page.get_by_role("button", name=re.compile(clicked)).first.click()
        _settle(page)
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": width, "height": max(700, min(int(height), TALLEST))})
    _settle(page)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    _small(picture).save(IMAGES / f"{name}.png", optimize=True)
    context.close()
    print(f"{name}.png {(IMAGES / f'{name}.png').stat().st_size // 1000} kB")


def _small(picture: Image.Image) -> Image.Image:
    """The same in 256 colours, each pixel in the nearest: the 96 commonest as they are, and room
    for the rare ones, e.g. of one red word."""
    pixels = np.asarray(picture, dtype=np.int32)
    codes, place, count = np.unique(
        pixels @ (65_536, 256, 1), return_inverse=True, return_counts=True
    )
    colors = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1)
    rare = picture.quantize(160, Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = np.concatenate([colors[np.argsort(-count)[:96]], np.reshape(rare, (-1, 3))[:160]])
    nearest = ((colors[:, None] - palette[None]) ** 2).sum(axis=2).argmin(axis=1)
    small = Image.fromarray(nearest[place].reshape(pixels.shape[:2]).astype(np.uint8))
    small.putpalette(palette.astype(np.uint8).tobytes())
    return small


def _settle(page: Page) -> None:
    """Wait until the script has run and the charts are drawn."""
    still = "[data-testid=stApp][data-test-script-state=notRunning]"
    page.wait_for_selector(still)
    page.wait_for_timeout(1_500)
    page.wait_for_selector(still)
    page.wait_for_timeout(500)


if __name__ == "__main__":
    main(sys.argv[1:])
