"""Templates: what the prompt suite said of each version, beside its record."""

from __future__ import annotations

from pathlib import Path

from console import data
from engine.store import suite, templates
from engine.store.database import opened
from engine.store.suite import SuiteResult
from tests.console.conftest import Launch


def test_a_version_shows_its_newest_suite_run_with_its_sample(
    launch: Launch, own_sample: Path
) -> None:
    with opened(own_sample) as db:
        template = templates.listing(db)[0]
        version = templates.versions(db, template.id)[0]
        for outcomes in (("fail",) * 4, ("pass", "pass", "fail", "error")):
            run = suite.start(db, "shipped", "0" * 64, actor="test", now=data.now())
            for number, outcome in enumerate(outcomes):
                result = SuiteResult(
                    f"case {number}", template.purpose, "scripted:scripted", version.id, "menu", 1,
                    outcome, "" if outcome == "pass" else "why", "text", 0.1,
                )  # fmt: skip
                suite.add(db, run, result, now=data.now())
            suite.finish(db, run, now=data.now())
    app = launch("templates")
    app.session_state["template.tab"] = "Tests"
    (table,) = [t.value for t in app.run().dataframe if "could not run" in t.value.columns]
    assert table.iloc[0][["version", "run", "passed", "could not run"]].tolist() == [
        1, run, "2 of 4", 1,
    ]  # fmt: skip


def test_an_untested_template_says_what_tests_it(launch: Launch, own_sample: Path) -> None:
    app = launch("templates")
    app.session_state["template.tab"] = "Tests"
    told = " ".join(element.value for element in [*app.run().caption, *app.markdown])
    assert "Not tested yet" in told and "prompts test" in told
