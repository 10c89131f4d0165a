"""What nobody uses any more goes back to the system."""

from __future__ import annotations

import ctypes
import gc
import platform
import subprocess
import sys
import weakref
from pathlib import Path

import psutil
import pytest

from engine.service import memory

ROOT = Path(__file__).resolve().parents[2]

glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="only glibc can be told what to keep"
)

PEAK = """
import threading, psutil
from engine.service import memory

memory.keep_little()
rss = psutil.Process().memory_info

def peak():
    held = [bytes(100_000) for _ in range(200)] + [bytes(2_000) for _ in range(5_000)]

before = rss().rss
for _ in range(6):
    thread = threading.Thread(target=peak)
    thread.start()
    thread.join()
print(rss().rss - before)
"""


class Node:
    def __init__(self) -> None:
        self.me = self


def test_cycles_are_let_go() -> None:
    gc.disable()
    try:
        left = weakref.ref(Node())
        memory.give_back()
        assert left() is None
    finally:
        gc.enable()


@glibc
def test_a_peak_in_another_thread_is_not_kept() -> None:
    """In a process of its own, for what is told to the C library holds for good."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert int(done.stdout) < 2_000_000


@glibc
def test_freed_pages_between_used_ones_go_back() -> None:
    held = [bytes(2_000) for _ in range(50_000)]
    kept = held[::100]  # the heap cannot shrink from its end
    del held
    before = psutil.Process().memory_info().rss
    memory.give_back()
    assert before - psutil.Process().memory_info().rss > 50_000_000
    assert len(kept) == 500


def test_another_c_library_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    memory.keep_little()
    memory.give_back()
