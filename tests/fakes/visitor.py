"""A browser tab without a browser: the console's WebSocket, as the real server speaks it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

WITHIN_S = 60.0


class Visitor:
    """Sends what a tab sends. ``heard`` is everything that the server ever answered; ``elements``
    are those of the page as it was drawn last."""

    def __init__(self, address: str, socket: ClientConnection) -> None:
        self._address, self._socket, self._page, self._session = address, socket, "", ""
        self.heard = bytearray(httpx.get(address).content)
        self.elements: list[Any] = []

    def open(self, page: str) -> None:
        """Go to a page, named as in the address."""
        self._page = page
        self._run(BackMsg())

    def sign_in(self, name: str, password: str) -> None:
        """Fill in the form of the sign-in screen and send it."""
        message = BackMsg()
        widgets = message.rerun_script.widget_states.widgets
        answers = iter((name, password))
        for element in self.elements:
            if element.WhichOneof("type") == "text_input":
                widgets.add(id=element.text_input.id, string_value=next(answers))
            elif element.WhichOneof("type") == "button" and element.button.is_form_submitter:
                widgets.add(id=element.button.id, trigger_value=True)
        self._run(message)

    def download(self) -> list[bytes]:
        """What each download button of the page gives."""
        files = []
        for element in self.elements:
            if element.WhichOneof("type") != "download_button":
                continue
            message = BackMsg()
            asked = message.backend_operation_request
            asked.request_id, asked.session_id = f"file-{len(files)}", self._session
            asked.deferred_file.file_id = element.download_button.deferred_file_id
            self._socket.send(message.SerializeToString())
            answer = self._until("backend_operation_response").backend_operation_response
            files.append(httpx.get(self._address + answer.deferred_file.url).content)
            self.heard += files[-1]
        return files

    def _run(self, message: BackMsg) -> None:
        message.rerun_script.page_name = self._page
        self._socket.send(message.SerializeToString())
        self.elements = []
        self._until("script_finished")

    def _until(self, kind: str) -> ForwardMsg:
        while True:
            raw = self._socket.recv(timeout=WITHIN_S)
            assert isinstance(raw, bytes)
            self.heard += raw
            answer = ForwardMsg.FromString(raw)
            if answer.WhichOneof("type") == "new_session":
                self._session = answer.new_session.initialize.session_id
            if answer.WhichOneof("type") == "delta" and answer.delta.HasField("new_element"):
                self.elements.append(answer.delta.new_element)
            if answer.WhichOneof("type") == kind:
                return answer


@contextmanager
def visit(address: str) -> Iterator[Visitor]:
    """A tab on the console at ``http://HOST:PORT``."""
    where = f"ws://{urlsplit(address).netloc}/_stcore/stream"
    with connect(where, origin=address, subprotocols=["streamlit"], max_size=None) as socket:  # type: ignore[arg-type,list-item]
        yield Visitor(address, socket)
