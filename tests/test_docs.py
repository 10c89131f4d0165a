"""The documents tell the truth: every command, setting, variable, route and metric is in them,
every link leads somewhere, every block that can run is run.

``python -m tests.test_docs`` writes docs/commands.md.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from engine.config import SOURCE_HOSTS, VARIABLES, X_KEYS
from engine.errors import UsageError
from engine.service.alerts import EVENTS
from engine.service.cli import build_parser
from engine.service.conditions import CONDITIONS
from engine.service.metrics import METRICS
from engine.service.tokens import SCOPES
from engine.settings import SETTINGS

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    *sorted(ROOT.glob("docs/*.md")),
    *(ROOT / name for name in ("README.md", "SECURITY.md", "CHANGELOG.md")),
]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_RUNNER = re.compile(r"^(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?python runner\.py (.+)$")
_MENTION = re.compile(r"`(?:python )?runner\.py ([^`]+)`")
_PLACEHOLDERS = {"ID": "1", "RUN": "1"}

# Commands that go on until they are ended: parsed, not run.
ENDLESS = {"run", "demo", "console"}
# Lines of shell blocks that are not the runner's: tools that are not here, or run elsewhere.
OTHERS = re.compile(
    r"^(?:make [a-z-]+|ollama pull|docker compose|export [A-Z_]+=|\. \.venv/bin/activate$"
    r"|git clone|cd |python -m tests\.)"
)


def commands() -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """(name, help, parser) of every command that can be typed."""

    def walk(
        parser: argparse.ArgumentParser, name: str, text: str
    ) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
        groups = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        if name and not any(group.required for group in groups):
            yield name, text, parser
        for group in groups:
            helps = {item.dest: item.help or "" for item in group._choices_actions}
            for word, inner in group.choices.items():
                yield from walk(inner, f"{name} {word}".strip(), helps.get(word, ""))

    yield from walk(build_parser(), "", "")


def usage(parser: argparse.ArgumentParser) -> str:
    """Arguments as they are typed."""
    words = []
    for action in parser._actions:
        if action.dest == "help" or isinstance(action, argparse._SubParsersAction):
            continue
        name = action.metavar or action.dest.upper()
        if not action.option_strings:
            word = f"{name}"
        else:
            word = action.option_strings[-1] + ("" if action.nargs == 0 else f" {name}")
        words.append(word if action.required else f"[{word}]")
    return " ".join(words)


def page_of_commands() -> str:
    """docs/commands.md."""
    rows = [f"| `{name}` | `{usage(parser)}` | {text} |" for name, text, parser in commands()]
    return "\n".join(
        [
            "# Commands",
            "",
            "`python runner.py COMMAND`, or `btcbuzzbot COMMAND` where the wheel is installed. Exit codes: 0 good, 1 failed,",
            "2 bad usage. `--json` answers for programs. `python -m tests.test_docs` writes this page.",
            "",
            "| command | takes | what it does |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )  # fmt: skip


def blocks(page: Path, *languages: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return [body for language, body in _BLOCK.findall(text) if language in languages]


def shell_lines(page: Path) -> list[str]:
    """Every line of a page's shell blocks, without comments."""
    lines = (
        line.split(" #")[0].strip() for body in blocks(page, "sh") for line in body.split("\n")
    )
    return [line for line in lines if line and not line.startswith("#")]


def lines_for_the_runner(page: Path) -> list[list[str]]:
    """Arguments of every ``python runner.py`` line of a page."""
    found = (_RUNNER.match(line) for line in shell_lines(page))
    return [filled(match[1]) for match in found if match]


def filled(arguments: str) -> list[str]:
    """As typed, with something in the place of a placeholder."""
    return [_PLACEHOLDERS.get(word, word) for word in shlex.split(arguments)]


def name(page: Path) -> str:
    return page.name


def test_the_page_of_commands_is_the_parser() -> None:
    assert (ROOT / "docs/commands.md").read_text(encoding="utf-8") == page_of_commands()


def test_every_setting_and_variable_is_documented() -> None:
    operations = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert [key for key in SETTINGS if f"`{key}`" not in operations] == []
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^# (\w+)=", example, re.MULTILINE))
    assert named == {*VARIABLES, *X_KEYS, "OLLAMA_HOST"}


def test_every_route_scope_and_metric_is_documented_and_no_other() -> None:
    from engine.service.api.app import routes

    text = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    document = routes(None).openapi()  # type: ignore[arg-type]  the contract needs no service
    there = {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert set(re.findall(r"^\| `([A-Z]+ /api/v1/\S+)`", text, re.MULTILINE)) == there
    for metric, meaning in METRICS.items():
        assert f"| `{metric}` | {meaning} |" in text
    assert set(re.findall(r"^\| `(btcbuzz_\w+)`", text, re.MULTILINE)) == set(METRICS)
    for scope, meaning in SCOPES.items():
        assert f"| `{scope}` | {meaning} |" in text


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = _LINK.findall(page.read_text(encoding="utf-8"))
    local = [
        target for target in targets if "://" not in target and not target.startswith("mailto")
    ]
    assert [target for target in local if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_into_a_page_lead_to_a_heading(page: Path) -> None:
    for target, heading in re.findall(r"\]\(([^)#\s:]*)#([^)]+)\)", page.read_text("utf-8")):
        there = (page.parent / target if target else page).read_text(encoding="utf-8")
        titles = re.findall(r"^#+ (.+)$", there, re.MULTILINE)
        slugs = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
        assert heading in slugs, f"{page.name}: {target}#{heading}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_blocks_of_data_parse(page: Path) -> None:
    for body in blocks(page, "json"):
        json.loads(body)
    for body in blocks(page, "yaml"):
        yaml.safe_load(body)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_of_a_page_is_one(page: Path) -> None:
    """In blocks and in the running text."""
    mentions = [filled(text) for text in _MENTION.findall(page.read_text(encoding="utf-8"))]
    for args in [*lines_for_the_runner(page), *mentions]:
        if args in (["COMMAND"], ["--version"]):
            continue
        try:
            build_parser().parse_args(args)
        except UsageError as error:
            pytest.fail(f"{page.name}: {' '.join(args)}: {error}")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_line_of_a_shell_block_goes_unseen(page: Path) -> None:
    strange = [line for line in shell_lines(page) if not _RUNNER.match(line)]
    assert [line for line in strange if not OTHERS.match(line)] == []


def to_run(page: Path) -> list[list[str]]:
    return [args for args in lines_for_the_runner(page) if args[0] not in ENDLESS]


@pytest.mark.parametrize("page", [page for page in PAGES if to_run(page)], ids=name)
def test_what_a_page_says_to_type_works(page: Path, tmp_path: Path) -> None:
    """One line after the other on a new database, the scripted model, no source in reach."""
    keep = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    world = {
        **keep,
        **{f"BTCBUZZ_{source}_URL": "http://127.0.0.1:9" for source in SOURCE_HOSTS},
        "BTCBUZZ_FEEDS": "http://127.0.0.1:9/",
        "BTCBUZZ_DB": str(tmp_path / "bot.db"),
        "BTCBUZZ_LLM": "scripted",
    }

    def run(*args: str) -> str:
        done = subprocess.run(
            [sys.executable, "runner.py", *args], cwd=ROOT, env=world, capture_output=True,
            text=True, timeout=60,
        )  # fmt: skip
        # a doctor may find something here, but it must find it in good order
        allowed = {0, 1} if args[0] == "doctor" else {0}
        assert done.returncode in allowed, (args, done.stderr)
        assert "Traceback" not in done.stderr
        return done.stdout

    run("migrate")
    for args in to_run(page):
        if args[:2] == ["token", "revoke"]:
            args = [*args[:2], json.loads(run("token", "list", "--json"))[0]["id"]]
        run(*args)


def test_most_pages_of_first_steps_are_run() -> None:
    """The test above has something to do."""
    ran = {page.name: len(to_run(page)) for page in PAGES if to_run(page)}
    assert {"getting-started.md", "getting-started-ollama.md", "getting-started-x.md"} <= set(ran)
    assert sum(ran.values()) >= 15


def test_every_alert_has_its_page() -> None:
    """Kinds as the code raises them; each page says what to do."""
    kinds = set(CONDITIONS) | {"runner_silent"}
    for file in ROOT.glob("engine/**/*.py"):
        kinds |= set(re.findall(r'raise_alert\(\s*db, "(\w+)"', file.read_text(encoding="utf-8")))
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    pages = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^##)", text, re.MULTILINE | re.DOTALL))
    assert set(pages) == kinds
    assert [kind for kind, page in pages.items() if "**Do**" not in page] == []
    assert [kind for kind in EVENTS if "alerts ack" not in pages[kind]] == []


def test_the_makefile_has_every_target_that_documents_name() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        wanted = set(re.findall(r"`?make ([a-z-]+)", "\n".join(blocks(page, "sh"))))
        wanted |= set(re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8")))
        assert wanted <= targets, (page.name, wanted - targets)


def test_every_security_claim_names_a_test_that_exists() -> None:
    text = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    claims = re.findall(r"^\| .+ \| `(tests/[\w/]+\.py)::(\w+)` \|$", text, re.MULTILINE)
    assert len(claims) >= 20
    for file, test in claims:
        source = (ROOT / file).read_text(encoding="utf-8")
        assert f"def {test}(" in source, f"{file}::{test}"


if __name__ == "__main__":
    (ROOT / "docs/commands.md").write_text(page_of_commands(), encoding="utf-8")
