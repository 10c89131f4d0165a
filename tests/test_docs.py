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

from engine.config import SOURCE_HOSTS, VARIABLES
from engine.errors import UsageError
from engine.service.cli import build_parser
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

# What may be run here: it ends by itself and needs nothing but an empty database.
HARMLESS = ("migrate", "once", "queue", "status", "settings", "token", "backup", "verify", "stop")


def commands() -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """(name, help, parser) of every command that can be typed."""

    def walk(
        parser: argparse.ArgumentParser, name: str, text: str
    ) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
        groups = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        if not groups:
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
        if action.dest == "help":
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


def lines_for_the_runner(page: Path) -> list[list[str]]:
    """Arguments of every ``python runner.py`` line of a page; ID stands for 1."""
    found = []
    for body in blocks(page, "sh"):
        for line in body.splitlines():
            match = _RUNNER.match(line.split(" #")[0].split(" | ")[-1].split(" < ")[0].strip())
            if match:
                found.append([word.replace("ID", "1") for word in shlex.split(match[1])])
    return found


def name(page: Path) -> str:
    return page.name


def test_the_page_of_commands_is_the_parser() -> None:
    assert (ROOT / "docs/commands.md").read_text(encoding="utf-8") == page_of_commands()


def test_every_setting_and_variable_is_documented() -> None:
    operations = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert [key for key in SETTINGS if f"`{key}`" not in operations] == []
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert [key for key in VARIABLES if f"{key}=" not in example] == []


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
def test_blocks_of_data_parse(page: Path) -> None:
    for body in blocks(page, "json"):
        json.loads(body)
    for body in blocks(page, "yaml"):
        yaml.safe_load(body)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_of_a_page_is_one(page: Path) -> None:
    for args in lines_for_the_runner(page):
        try:
            build_parser().parse_args(args)
        except UsageError as error:
            pytest.fail(f"{page.name}: {' '.join(args)}: {error}")


@pytest.mark.parametrize("page", [ROOT / "docs/getting-started.md"], ids=name)
def test_the_first_steps_work_as_written(page: Path, tmp_path: Path) -> None:
    """One after the other, on an empty machine with no source in reach."""
    keep = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    world = {
        **keep,
        **{f"BTCBUZZ_{source}_URL": "http://127.0.0.1:9" for source in SOURCE_HOSTS},
        "BTCBUZZ_FEEDS": "http://127.0.0.1:9/",
        "BTCBUZZ_DB": str(tmp_path / "bot.db"),
        "BTCBUZZ_LLM": "scripted",
    }
    ran = 0
    for args in lines_for_the_runner(page):
        if args[0] not in HARMLESS:
            continue
        done = subprocess.run(
            [sys.executable, "runner.py", *args], cwd=ROOT, env=world, capture_output=True,
            text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, (args, done.stderr)
        ran += 1
    assert ran >= 4


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
