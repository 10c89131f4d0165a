"""The same call over TLS, as it goes to X itself: certificates count, and nothing of it stays."""

from __future__ import annotations

import gc
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests.adapters
import trustme

from engine.posting.publisher import Answer
from engine.posting.x import XPublisher
from engine.posting.x_session import OneCall
from tests.faults.rig import x_config
from tests.faults.x_server import XServer


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def x(tmp_path: Path, authority: trustme.CA) -> Iterator[XServer]:
    """A loopback X that speaks TLS only."""
    with XServer(tmp_path / "x.jsonl") as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        server.wrap(context)
        yield server


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, authority: trustme.CA) -> None:
    """The machine knows this authority, as it knows X's."""
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(bundle))


def publish(x: XServer, tmp_path: Path) -> Answer:
    publisher = XPublisher(x_config(x.url, tmp_path / "bot.db"))
    return publisher.publish("over TLS", timeout_s=5, before_send=lambda: None)


@pytest.mark.usefixtures("trusted")
def test_a_post_arrives_over_tls(x: XServer, tmp_path: Path) -> None:
    answer = publish(x, tmp_path)
    assert answer.kind == "posted"
    assert x.accepted() == ["over TLS"]


def test_a_certificate_nobody_vouches_for_gets_nothing(x: XServer, tmp_path: Path) -> None:
    answer = publish(x, tmp_path)
    assert answer.kind == "not_sent"
    assert x.events("request") == []


@pytest.mark.usefixtures("trusted")
def test_a_call_is_gone_from_memory_when_it_is_over(x: XServer, tmp_path: Path) -> None:
    # each has a TLS context of its own; in a cycle it would wait for the collector for hours
    gc.collect()
    gc.disable()
    try:
        assert publish(x, tmp_path).kind == "posted"
        left = [found for found in gc.get_objects() if isinstance(found, OneCall)]
    finally:
        gc.enable()
    assert left == []
