"""One call to X through tweepy: X's own hosts or loopback, a deadline, no retries, no redirects.

tweepy's ``Client`` has no timeout, hard-codes its host, sleeps and re-sends by itself, and logs
secrets at DEBUG (facts: x-api §3). Its session is the seam where all of that is put right. tweepy
and requests are imported at the first call: a dry run never pays for them.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from engine.config import X_HOSTS, X_KEYS, Config, Secret, is_loopback
from engine.errors import ConfigError
from engine.log import TALKATIVE

if TYPE_CHECKING:
    import tweepy

CONNECT_S = 5.0
TWEEPY_HOST = "https://api.twitter.com"


@dataclass(frozen=True)
class Reply:
    """What came back, whatever its status; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoReply(Exception):
    """No whole reply came. ``left`` tells whether anything may have left this machine."""

    def __init__(self, reason: str, left: bool) -> None:
        super().__init__(reason)
        self.left = left


class XClient:
    """Calls X with one account's keys (OAuth 1.0a). Use from one thread at a time."""

    def __init__(self, config: Config) -> None:
        """Raises: ConfigError for missing keys or a strange address."""
        missing = [name for name in X_KEYS if name not in config.x_keys]
        if missing:
            raise ConfigError(
                f"Posting to X needs {', '.join(missing)} in the environment. "
                "Set them, or use BTCBUZZ_PUBLISHER=dry_run."
            )
        parts = urlsplit(config.x_url)
        own = parts.scheme == "https" and parts.hostname in X_HOSTS
        if not own and not is_loopback(parts.hostname):
            raise ConfigError(f"BTCBUZZ_X_URL={config.x_url!r} is neither X nor loopback.")
        self.url = config.x_url.rstrip("/")
        self._keys: dict[str, Secret] = dict(config.x_keys)
        self.user_id = self._keys["X_ACCESS_TOKEN"].reveal().partition("-")[0]
        if not self.user_id.isdecimal():
            raise ConfigError(
                "X_ACCESS_TOKEN does not begin with the account's number and a dash. "
                "Copy the access token (not the API key) from X's developer page."
            )

    def post(
        self, text: str, *, timeout_s: float, before_send: Callable[[], None] | None = None
    ) -> Reply:
        """POST /2/tweets. Raises: NoReply; whatever ``before_send`` raises."""
        return self._call(
            lambda client: client.create_tweet(text=text, user_auth=True), timeout_s, before_send
        )

    def get(self, route: str, params: Mapping[str, str], *, timeout_s: float) -> Reply:
        """GET a route of API v2, such as ``/2/users/me``. Raises: NoReply."""
        return self._call(
            lambda client: client.request("GET", route, params=dict(params), user_auth=True),
            timeout_s,
            None,
        )

    def _call(
        self,
        call: Callable[[tweepy.Client], object],
        timeout_s: float,
        before_send: Callable[[], None] | None,
    ) -> Reply:
        import requests
        import tweepy

        from engine.posting.x_session import OneCall

        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        keys = [self._keys[name].reveal() for name in X_KEYS]
        client = tweepy.Client(None, *keys, return_type=requests.Response, wait_on_rate_limit=False)
        client.session.close()
        with OneCall(self.url, (CONNECT_S, timeout_s), before_send) as session:
            client.session = session
            try:
                call(client)
            except Exception as error:
                # tweepy raises for refusals, and stumbles over bodies and headers it did not
                # expect; a whole reply that the session holds says more than its exception
                if session.guard_error is not None:
                    raise session.guard_error from error
                if session.reply is None:
                    raise NoReply(_reason(error), session.connected) from error
            if session.reply is None:
                raise NoReply("no reply was read", session.connected)
            return session.reply


def _reason(error: Exception) -> str:
    """The innermost cause in a few words, without addresses or headers."""
    inner: BaseException = error
    while True:
        reason = getattr(inner, "reason", None)
        deeper = reason if isinstance(reason, BaseException) else None
        if deeper is None and inner.args and isinstance(inner.args[0], BaseException):
            deeper = inner.args[0]
        if deeper is None:
            break
        inner = deeper
    if isinstance(inner, socket.gaierror):
        return "X's name could not be resolved"
    return type(inner).__name__


def error_words(value: Any) -> str:
    """Title, detail and messages of an error body, in one line of at most 300 characters."""
    if isinstance(value, list):
        return " ".join(error_words(item) for item in value)[:300]
    if not isinstance(value, dict):
        return ""
    words = [str(value[key]) for key in ("title", "detail", "message") if value.get(key)]
    if isinstance(value.get("errors"), list):
        words.append(error_words(value["errors"]))
    return " ".join(words)[:300]
