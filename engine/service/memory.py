"""Memory that nobody uses goes back to the system.

A runner lives for months. Python looks for cycles among old objects only once their number has
grown by a quarter, and glibc keeps what a thread freed for that thread: both together let an idle
runner look as if it leaked.
"""

from __future__ import annotations

import ctypes
import gc
from typing import Any


def give_back() -> None:
    """Collect cycles, then return free pages where the C library can (glibc)."""
    gc.collect()
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


def _malloc_trim() -> Any:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):  # not glibc; Windows knows no CDLL(None)
        return None
