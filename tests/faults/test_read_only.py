"""F26: the disk is mounted read-only, as kernels do when it fails. Needs a mount namespace.

The lock file, open for life, is bind-mounted from elsewhere: the kernel refuses to turn a file
system read-only by request while one of its files is open for writing.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ALONE = ("unshare", "--map-root-user", "--mount")

BEGIN = """
    import contextlib, os, subprocess, sys
    from datetime import UTC, datetime
    from pathlib import Path
    from engine.clock import FakeClock
    from engine.service.cli import main
    from tests.faults.rig import Rig
    from tests.faults.x_server import XServer
    from engine.store.database import opened
    from engine.store.migrations import migrate

    def mount(*words):
        subprocess.run(["mount", *map(str, words)], check=True)

    def runner(*words):
        return main(words, {"BTCBUZZ_DB": str(path), "BTCBUZZ_LLM": "scripted"})

    elsewhere, disk = Path(sys.argv[1]), Path(sys.argv[1]) / "disk"
    disk.mkdir()
    mount("-t", "tmpfs", "none", disk)
    path, lock = disk / "bot.db", disk / "bot.lock"
    clock = FakeClock(datetime(2026, 11, 22, 12, tzinfo=UTC))
    with opened(path) as db:
        migrate(db)
"""


def in_a_world_of_its_own(tmp_path: Path, code: str) -> str:
    """Run it as root of its own mounts; answers what it printed."""
    if subprocess.run([*ALONE, "true"], capture_output=True).returncode:
        pytest.skip("no mount namespace may be made here: the read-only mount is not injected")
    done = subprocess.run(
        [*ALONE, sys.executable, "-c", textwrap.dedent(BEGIN) + textwrap.dedent(code), tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_f26_nothing_is_posted_from_a_read_only_disk_and_work_goes_on_when_it_is_mended(
    tmp_path: Path,
) -> None:
    said = in_a_world_of_its_own(
        tmp_path,
        """
        lock.touch()
        (elsewhere / "bot.lock").touch()
        mount("--bind", elsewhere / "bot.lock", lock)
        with XServer(elsewhere / "x.jsonl", now=clock.now) as x:
            rig = Rig(path, clock, x)
            post_id = rig.approved()
            mount("-o", "remount,ro", disk)
            for _ in range(3):
                done = rig.round()
                print(done.kind, done.guard, len(x.events("request")))
            mount("-o", "remount,rw", disk)
            print(rig.post(post_id).state, rig.attempts(post_id))
            print(rig.round().kind, len(x.accepted()), rig.post(post_id).state)
            rig.end()
        """,
    )
    assert said.splitlines() == ["stopped database 0"] * 3 + ["approved []", "posted 1 posted"]


def test_f26_on_a_read_only_disk_every_command_says_so_in_a_sentence(tmp_path: Path) -> None:
    said = in_a_world_of_its_own(
        tmp_path,
        """
        mount("-o", "remount,ro", disk)
        with contextlib.redirect_stderr(sys.stdout):
            for words in (["run"], ["queue", "list"], ["queue", "approve", "1"], ["status"]):
                print(runner(*words))
            print(runner("settings", "set", "posting.min_gap_s", "5"), runner("stop"))
        """,
    )
    assert "Traceback" not in said
    assert said.count("error: ") == 6
    assert said.count("that the disk is not mounted read-only") == 5
    assert "bot.lock cannot be taken (Read-only file system)" in said
    assert "Posting is NOT stopped" in said
    assert [line for line in said.splitlines() if not line.startswith("error: ")] == [
        "2", "2", "2", "2", "2 1",
    ]  # fmt: skip
