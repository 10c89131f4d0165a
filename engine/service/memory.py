"""A runner lives for months: memory that nobody uses goes back to the system.

By itself glibc gives each thread an arena, each of which keeps its peak, and Python looks for
cycles among old objects only once their number has grown by a quarter: both together let a runner
that does always the same look as if it leaked. Elsewhere than on glibc the collector alone works.
"""

from __future__ import annotations

import ctypes
import gc
from typing import Any

# malloc.h
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8

_KEPT = ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, 64 * 1024), (_TRIM_THRESHOLD, 128 * 1024))


def keep_little() -> None:
    """One arena for all threads, large pieces from and to the system; call before they start."""
    mallopt = _of_libc("mallopt")
    if mallopt is not None:
        for option, value in _KEPT:
            mallopt(option, value)


def give_back() -> None:
    """Collect cycles, then return free pages."""
    gc.collect()
    trim = _of_libc("malloc_trim")
    if trim is not None:
        trim(0)


def _of_libc(name: str) -> Any:
    try:
        return getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError, TypeError):  # not glibc; Windows knows no CDLL(None)
        return None
