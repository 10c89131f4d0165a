"""What goes over a page's WebSocket: whether the page asked for a rerun, and whether it had it.

A key is pressed exactly once in this way: where the page has not yet begun to listen, no rerun is
asked for and the key is pressed again; a fixed wait would either lose keys or waste time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

if TYPE_CHECKING:
    from playwright.sync_api import Page, WebSocket

POLL_MS = 40
PATIENCE_MS = 30_000
LISTENING_MS = 1_500
"""How long a page may take from a key to its request; a key is pressed again after that."""


class Wire:
    """Counts whole-page reruns: ``asked`` for by the browser, ``done`` by the server."""

    def __init__(self, page: Page) -> None:
        self._page, self.asked, self.done = page, 0, 0
        page.on("websocket", self._listen)

    def press(self, key: str) -> None:
        """Press ``key`` until the page acts on it, which is once; back when that is drawn."""
        self._idle()
        asked, done, waited = self.asked, self.done, 0
        while self.asked == asked:
            if waited >= PATIENCE_MS:
                raise AssertionError(f"the page never acted on the key {key!r}")
            self._page.keyboard.press(key)
            waited += self._wait(lambda: self.asked > asked, LISTENING_MS)
        self._wait(lambda: self.done > done, PATIENCE_MS)
        self._idle()

    def _idle(self) -> None:
        self._page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")

    def _wait(self, reached: Callable[[], bool], most_ms: int) -> int:
        waited = 0
        while not reached() and waited < most_ms:
            self._page.wait_for_timeout(POLL_MS)
            waited += POLL_MS
        return waited

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framesent", self._sent)
        socket.on("framereceived", self._received)

    def _sent(self, payload: bytes | str) -> None:
        if isinstance(payload, bytes):
            message = BackMsg.FromString(payload)
            if message.HasField("rerun_script") and not message.rerun_script.fragment_id:
                self.asked += 1

    def _received(self, payload: bytes | str) -> None:
        if isinstance(payload, bytes):
            message = ForwardMsg.FromString(payload)
            if message.HasField("script_finished"):
                self.done += message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
