"""SIGINT and SIGTERM become an event that a loop can wait on.

A handler runs on the main thread between two of its instructions, perhaps while that thread holds
the event's own lock; setting the event there would wait for itself for ever. So the handler only
writes a byte into a pipe, and a thread of its own sets the event.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_END = b"\0"


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; a second one ends the process at once.

    For the main thread only, like every handler of signals.
    """
    stop = threading.Event()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def on_signal(number: int, frame: object) -> None:
        os.write(writing, bytes([number]))

    def watch() -> None:
        while (byte := os.read(reading, 1)) != _END:
            if stop.is_set():
                os._exit(128 + byte[0])
            stop.set()

    watcher = threading.Thread(target=watch, name="signals", daemon=True)
    watcher.start()
    before = {number: signal.signal(number, on_signal) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.write(writing, _END)
        watcher.join()
        os.close(reading)
        os.close(writing)
