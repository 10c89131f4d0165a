"""The command line as its user meets it: real processes, exit codes, JSON, one clear sentence."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.clock import iso
from engine.service.cli import build_parser
from engine.service.commands.run import DEMO_SETTINGS
from engine.store import audit, posts, schedules
from engine.store.database import opened

ROOT = Path(__file__).resolve().parents[2]

FACTS = {
    "as_of": "2026-11-22T12:00:00Z",
    "price_usd": 67432.18,
    "change_24h_pct": -2.31,
    "change_7d_pct": 4.1,
    "high_24h": 69280.0,
    "low_24h": 66950.0,
    "volume_24h_usd": 31.2e9,
    "market_cap_usd": 1.32e12,
    "ath_usd": 126000.0,
    "ath_date": "2025-10-06",
    "fear_greed": {"value": 28, "label": "Fear"},
    "block_height": 924001,
    "fees": {"fast": 4, "half_hour": 3, "hour": 2},
    "headline": None,
}


@pytest.fixture
def world(tmp_path: Path) -> dict[str, str]:
    """An environment in which no source answers and the scripted model writes."""
    closed = {
        f"BTCBUZZ_{name}_URL": "http://127.0.0.1:9"
        for name in ("COINGECKO", "BINANCE", "COINBASE", "KRAKEN", "MEMPOOL", "FEAR_GREED")
    }
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **keep,
        **closed,
        "BTCBUZZ_DB": str(tmp_path / "bot.db"),
        "BTCBUZZ_LLM": "scripted",
        "BTCBUZZ_FEEDS": "http://127.0.0.1:9/feed",
        "BTCBUZZ_THREADS": "1",
    }


def runner(
    world: dict[str, str], *args: str, text: str = "", timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "runner.py", *args],
        cwd=ROOT, env=world, input=text, capture_output=True, text=True, timeout=timeout,
        encoding="utf-8",
    )  # fmt: skip


def answer(world: dict[str, str], *args: str, text: str = "") -> Any:
    done = runner(world, *args, text=text)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def facts_file(tmp_path: Path) -> Path:
    path = tmp_path / "facts.json"
    now = iso(datetime.now(UTC))  # an old snapshot would be too stale to approve
    path.write_text(json.dumps({**FACTS, "as_of": now}))
    return path


def test_once_writes_one_post_that_waits_for_a_yes(world: dict[str, str], facts_file: Path) -> None:
    row = answer(world, "once", "--type", "price", "--facts", str(facts_file), "--json")
    assert row["state"] == "pending_approval"
    assert row["verdict"] == "pass"
    assert "$67,4" in row["text"] or "$67.4K" in row["text"]
    assert row["facts"]["price_usd"] == FACTS["price_usd"]
    listed = answer(world, "queue", "list", "--json")
    assert [item["id"] for item in listed] == [row["post_id"]]
    approved = answer(world, "queue", "approve", str(row["post_id"]), "--revision", "1", "--json")
    assert approved["state"] == "approved"


@pytest.mark.parametrize("content_type", ["price", "joke", "motivation", "news"])
def test_once_without_any_source_plays_the_sample_market_and_says_so(
    world: dict[str, str], content_type: str
) -> None:
    row = answer(world, "once", "--type", content_type, "--json")
    assert row["post_id"], row
    assert "sample" in row["reason"]
    listed = answer(world, "queue", "list", "--json")
    assert {item["world"] for item in listed} == {"sample"}


def test_a_true_text_passes_and_a_false_one_is_rejected_with_its_span(
    world: dict[str, str], facts_file: Path
) -> None:
    judge = ("check", "--facts", str(facts_file), "--json")
    good = answer(world, *judge, text="Bitcoin slips 2.3% over 24 hours to $67,432.")
    assert good["verdict"] == "pass", good
    text = "Bitcoin climbs 2.3% over 24 hours to $67,432."
    bad = answer(world, *judge, text=text)
    assert bad["verdict"] == "reject"
    finding = next(item for item in bad["findings"] if item["rule"].startswith("facts."))
    assert 0 <= finding["start"] < finding["end"] <= len(text)


def test_weigh_counts_as_x_does(world: dict[str, str]) -> None:
    row = answer(world, "weigh", "--json", text="gm ₿ https://example.com")
    assert row == {"weight": 3 + 2 + 1 + 23, "valid": True, "limit": 280}


@pytest.mark.parametrize(
    ("args", "change", "word"),
    [
        (("once",), {"BTCBUZZ_MODLE": "x"}, "BTCBUZZ_MODEL"),
        (("once",), {"BTCBUZZ_LLM": "gpt"}, "ollama"),
        (("once",), {"BTCBUZZ_X_URL": "https://evil.example"}, "api.x.com"),
        (("once",), {"BTCBUZZ_KRAKEN_URL": "http://10.0.0.1"}, "loopback"),
        (("once", "--type", "poem"), {}, "poem"),
        (("settings", "set", "posting.min_gap_s", "soon"), {}, "number"),
        (("settings", "get", "posting.min_gap"), {}, "posting.min_gap_s"),
        (("settings", "set", "x_api_secret", "1"), {}, "environment"),
        (("check", "--facts", "missing.json"), {}, "missing.json"),
        (("frobnicate",), {}, "frobnicate"),
        (("replay", "missing.csv"), {}, "missing.csv"),
    ],
)
def test_bad_usage_is_one_sentence_and_exit_code_2(
    world: dict[str, str], args: tuple[str, ...], change: dict[str, str], word: str
) -> None:
    done = runner({**world, **change}, *args)
    assert done.returncode == 2, done.stderr
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_file_that_is_no_database_is_left_alone_and_named(world: dict[str, str]) -> None:
    path = Path(world["BTCBUZZ_DB"])
    path.write_bytes(b"not a database at all, but somebody's notes" * 100)
    before = path.read_bytes()
    done = runner(world, "once")
    assert done.returncode == 2
    assert "not a sound SQLite database" in done.stderr
    assert path.read_bytes() == before


def test_settings_are_kept_and_listed(world: dict[str, str]) -> None:
    answer(world, "settings", "set", "posting.min_gap_s", "60", "--json")
    assert answer(world, "settings", "get", "posting.min_gap_s", "--json")["value"] == 60
    keys = {row["key"] for row in answer(world, "settings", "list", "--json")}
    assert {"posting.daily_cap", "posting.monthly_budget_usd", "content.mix"} <= keys


@pytest.mark.parametrize(
    ("key", "given", "shown"),
    [
        ("posting.min_gap_s", "600", "600"),
        ("posting.min_gap_s", "600.5", "600.5"),
        ("model.keep_alive", "5m", "5m"),
        ("content.mix", '{"price": 2.0, "joke": 1}', '{"price": 2, "joke": 1}'),
        ("learning.mix_by_bandit", "true", "true"),
    ],
)
def test_a_setting_is_shown_as_it_is_typed(
    world: dict[str, str], key: str, given: str, shown: str
) -> None:
    said = runner(world, "settings", "set", key, given)
    assert said.stdout == f"{key} is now {shown}.\n"
    assert runner(world, "settings", "get", key).stdout == f"{shown}\n"
    listed = runner(world, "settings", "list").stdout
    assert f"\n{key:32} {shown:12} " in listed


def test_run_posts_what_was_approved_and_ends_on_sigterm(
    world: dict[str, str], facts_file: Path
) -> None:
    """Approve by command, post by the runner, dry run; the exit is clean."""
    row = answer(world, "once", "--type", "joke", "--facts", str(facts_file), "--json")
    answer(world, "queue", "approve", str(row["post_id"]), "--json")
    with subprocess.Popen(
        [sys.executable, "runner.py", "run"], cwd=ROOT, env=world, stderr=subprocess.PIPE
    ) as process:
        try:
            deadline = time.monotonic() + 40
            state = ""
            while state != "posted" and time.monotonic() < deadline:
                time.sleep(0.3)
                with opened(Path(world["BTCBUZZ_DB"]), "ro") as db:
                    state = posts.need(db, int(str(row["post_id"]))).state
            assert state == "posted"
            status = answer(world, "status", "--json")
            assert status["alive"] is True
            second = runner(world, "run")
            assert second.returncode == 2
            assert "Another runner" in second.stderr
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
    assert process.returncode == 0


def test_what_the_demo_presets_is_in_the_audit(world: dict[str, str]) -> None:
    with subprocess.Popen(
        [sys.executable, "runner.py", "demo", "--no-console"], cwd=ROOT, env=world,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()  # the database is ready
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=40)
    with opened(Path(world["BTCBUZZ_DB"]), "ro") as db:
        changed = {entry.subject for entry in audit.entries(db) if entry.actor == "demo"}
        (row,) = schedules.listing(db)
        assert audit.verify_chain(db) is None
    assert changed == {f"schedule:{row.id}", *(f"setting:{key}" for key in DEMO_SETTINGS)}
    assert len(row.plan.times) == 96


def test_every_command_says_what_it_is_for() -> None:
    parser = build_parser()
    actions = next(action for action in parser._actions if action.dest == "command")
    assert actions.choices is not None
    helps = {item.dest: item.help for item in actions._choices_actions}  # type: ignore[attr-defined]
    assert set(helps) == set(actions.choices)
    assert all(helps.values())


def test_replay_writes_posts_over_a_recorded_market(world: dict[str, str]) -> None:
    """The shipped recording, every 37th hour: each post at its own hour, none public."""
    row = answer(
        world, "replay", "data/sample_market.csv", "--every", "37", "--limit", "6",
        "--types", "price,joke", "--posts", "--json",
    )  # fmt: skip
    assert row["posts"] == 6
    assert row["distinct"] == 6
    assert row["accepted_first_try"] + row.get("accepted_later", 0) == 6
    assert len({result["facts"]["as_of"] for result in row["results"]}) == 6
    listed = answer(world, "queue", "list", "--json")
    assert {item["world"] for item in listed} == {"replay"}


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("", "time_utc"),
        ("a,b\n1,2\n", "time_utc"),
        ("time_utc,price_usd,volume_24h_usd,market_cap_usd\nyesterday,1,2,3\n", "line 2"),
        (
            "time_utc,price_usd,volume_24h_usd,market_cap_usd\n2025-08-15T00:00:00Z,0,2,3\n",
            "line 2",
        ),
    ],
)
def test_a_bad_recording_is_named_with_its_line(
    world: dict[str, str], tmp_path: Path, content: str, word: str
) -> None:
    path = tmp_path / "market.csv"
    path.write_text(content)
    done = runner(world, "replay", str(path))
    assert done.returncode == 2
    assert word in done.stderr


def test_without_its_packages_it_says_what_to_type() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "runner.py", "status"], cwd=ROOT, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "make setup" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_for_a_person_prints_no_log_lines(world: dict[str, str]) -> None:
    """That no source answers stands in the answer itself."""
    done = runner(world, "once")
    assert done.stderr == ""
    assert "sample market in place of live data" in done.stdout
