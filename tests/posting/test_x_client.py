"""The adapter around tweepy: hosts, keys, secrets, deadlines, no retries, no redirects."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.config import Config, Secret
from engine.errors import ConfigError
from engine.posting.x import XPublisher
from engine.posting.x_client import XClient
from tests.faults.rig import x_config
from tests.faults.x_server import KEYS, Act, XServer


@pytest.fixture
def x(tmp_path: Path) -> Iterator[XServer]:
    with XServer(tmp_path / "x.jsonl") as server:
        yield server


@pytest.fixture
def publisher(x: XServer, tmp_path: Path) -> XPublisher:
    return XPublisher(x_config(x.url, tmp_path / "bot.db"))


def publish(publisher: XPublisher, text: str = "t", timeout_s: float = 0.3) -> str:
    return publisher.publish(text, timeout_s=timeout_s, before_send=lambda: None).kind


def test_missing_keys_are_named() -> None:
    with pytest.raises(ConfigError, match="X_API_SECRET, X_ACCESS_TOKEN_SECRET"):
        keys = {"X_API_KEY": Secret("k"), "X_ACCESS_TOKEN": Secret("1-t")}
        XClient(Config(publisher="x", x_keys=keys))


def test_a_token_without_the_accounts_number_is_refused() -> None:
    keys = {name: Secret("wrong-place") for name in KEYS}
    with pytest.raises(ConfigError, match="does not begin with the account's number"):
        XClient(Config(publisher="x", x_keys=keys))


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example",
        "http://api.x.com",
        "https://api.x.com.evil.example",
        "ftp://127.0.0.2x",
    ],
)
def test_no_other_host_gets_the_keys(url: str) -> None:
    keys = {name: Secret(value) for name, value in KEYS.items()}
    with pytest.raises(ConfigError, match="neither X nor loopback"):
        XClient(Config(publisher="x", x_url=url, x_keys=keys))


def test_wrong_keys_are_refused_by_x(x: XServer, tmp_path: Path) -> None:
    config = x_config(x.url, tmp_path / "bot.db")
    config.x_keys["X_API_SECRET"] = Secret("wrong")
    answer = XPublisher(config).publish("t", timeout_s=1, before_send=lambda: None)
    assert (answer.kind, answer.trip is not None) == ("refused", True)
    assert x.accepted() == []


def test_each_post_is_one_request_on_its_own_connection(x: XServer, publisher: XPublisher) -> None:
    for number in range(3):
        x.next_post(Act(status=503, body={}, accept=False))
        assert publish(publisher, f"t{number}") == "unknown"
    assert len({event["port"] for event in x.events("request")}) == 3
    assert len(x.events("request")) == 3


def test_a_redirect_is_not_followed(x: XServer, publisher: XPublisher) -> None:
    x.next_post(Act(False, status=307, headers={"Location": f"{x.url}/2/tweets"}))
    assert publish(publisher) == "unknown"
    assert len(x.events("request")) == 1


def test_a_dripping_server_is_cut_off_at_the_deadline(x: XServer, publisher: XPublisher) -> None:
    x.next_post(Act(how="drip"))
    assert publish(publisher, timeout_s=0.1) == "unknown"  # without a deadline it never ends


def test_texts_of_any_script_arrive_unchanged(x: XServer, publisher: XPublisher) -> None:
    for text in ("Grüße, Welt & Co", "₿ 比特币 🚀👩‍🚀", "a+b=c?d%20e", "line\nbreak"):
        assert publish(publisher, text) == "posted"
        assert x.accepted()[-1] == text


def test_the_timeline_is_read_over_several_pages(x: XServer, publisher: XPublisher) -> None:
    start = datetime.now(UTC) - timedelta(hours=1)
    for number in range(250):
        x.seed(f"Number {number}.", start + timedelta(seconds=number))
    read = publisher.timeline(newest_known_id=x.posts[0].id, since=None)
    assert (read.complete, len(read.posts), read.resources) == (True, 250, 250)
    read = publisher.timeline(newest_known_id=None, since=None)
    assert (read.complete, len(read.posts)) == (True, 100)


def test_no_secret_is_logged_at_any_level(
    x: XServer, publisher: XPublisher, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("tweepy").setLevel(logging.DEBUG)
    with caplog.at_level(logging.DEBUG):
        publish(publisher)
        x.next_post(Act(how="drop"))
        publish(publisher)
    for secret in KEYS.values():
        assert secret not in caplog.text
    assert "oauth_signature" not in caplog.text


def test_proxies_of_the_environment_are_not_used(
    publisher: XPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert publish(publisher) == "posted"
