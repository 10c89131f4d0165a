"""Every text of every page reads on its ground, as the browser really draws it, in both themes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.conftest import Open
from tests.console.conftest import PAGES

pytestmark = pytest.mark.browser

LEAST = 4.5
MEASURE = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_text_has_a_contrast_of_at_least_four_and_a_half(visit: Open, theme: str) -> None:
    page = visit("overview", theme=theme)
    pale = {}
    for name in (file.removesuffix(".py") for file in PAGES):
        page.locator(f'[data-testid=stSidebarNav] a[href$="/{name}"]').click()
        page.wait_for_url(f"**/{name}")
        page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        page.wait_for_timeout(800)
        if found := page.evaluate(MEASURE, LEAST):
            pale[name] = found
    assert pale == {}
