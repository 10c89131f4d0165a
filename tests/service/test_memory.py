"""What nobody uses any more goes back to the system."""

from __future__ import annotations

import ctypes
import gc
import platform
import weakref

import psutil
import pytest

from engine.service import memory


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


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="only glibc gives pages back on demand"
)
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
    memory.give_back()
