"""A word to systemd: ``READY=1``, ``WATCHDOG=1``, ``STOPPING=1`` over ``$NOTIFY_SOCKET``.

Protocol: sd_notify(3); one datagram to a Unix socket whose name may be abstract (``@``).
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping


def notify(message: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Send; true if a service manager was there to hear it. Never raises: it is a courtesy."""
    address = environ.get("NOTIFY_SOCKET", "")
    if address.startswith("@"):
        address = "\0" + address[1:]
    elif not address.startswith("/"):
        return False
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect(address)
        channel.sendall(message.encode())
        return True
    return False
