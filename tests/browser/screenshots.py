"""Every page in both themes into docs/images: ``python -m tests.browser.screenshots [PAGE …]``.

The pictures show the sample week, so anybody can make them again.
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from engine.service import sample
from tests.browser.server import ARGS, ROOT, chromium, console

IMAGES = ROOT / "docs" / "images"
PAGES = (
    "overview", "queue", "calendar", "playground", "templates", "benchmarks", "experiments",
    "engagement", "history", "settings",
)  # fmt: skip
SHOWN = {"queue": r"\d\d:\d\d price", "playground": "Write"}
"""What is clicked first, by page: a post with figures to prove, a text to judge."""
WIDE, NARROW = 1440, 390
TALLEST = 1_900


def main(wanted: list[str]) -> None:
    """Write ``PAGE-THEME.png`` for each page and ``PAGE-narrow.png`` for the two of the minute."""
    browser_path = chromium()
    if browser_path is None:
        raise SystemExit("No Chromium found. Install Debian's package chromium.")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder) / "bot.db"
        sample.fill(Path(folder) / "bot.sample.db", now=datetime.now(UTC))
        with console(db) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=ARGS)
            for name in wanted or PAGES:
                for theme in ("dark", "light"):
                    _shoot(browser, f"{address}/{name}", f"{name}-{theme}", theme, WIDE)
                if name in ("overview", "queue"):
                    _shoot(browser, f"{address}/{name}", f"{name}-narrow", "dark", NARROW)
            browser.close()


def _shoot(browser: Browser, url: str, name: str, theme: str, width: int) -> None:
    context = browser.new_context(
        color_scheme=theme, viewport={"width": width, "height": 900},  # type: ignore[arg-type]
        timezone_id="Europe/Vilnius",
    )  # fmt: skip
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("h1")
    _settle(page)
    if (shown := SHOWN.get(name.partition("-")[0])) is not None:
        page.get_by_role("button", name=re.compile(shown)).first.click()
        _settle(page)
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": width, "height": max(700, min(int(height), TALLEST))})
    _settle(page)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.save(IMAGES / f"{name}.png", optimize=True)
    context.close()
    print(f"{name}.png {(IMAGES / f'{name}.png').stat().st_size // 1000} kB")


def _settle(page: Page) -> None:
    """Wait until the script has run and the charts are drawn."""
    still = "[data-testid=stApp][data-test-script-state=notRunning]"
    page.wait_for_selector(still)
    page.wait_for_timeout(1_500)
    page.wait_for_selector(still)
    page.wait_for_timeout(500)


if __name__ == "__main__":
    main(sys.argv[1:])
