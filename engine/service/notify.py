"""Bringing alerts to people: always to the log and a file beside the database, and by apprise.

Nothing here may stop anything: a channel that fails is tried again later, ever more slowly.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from engine.clock import Clock, doubling_s, iso
from engine.config import Config, Secret
from engine.log import Redactor, event
from engine.store import alerts, settings
from engine.store.alerts import Alert
from engine.store.database import opened

logger = logging.getLogger(__name__)

RETRY_FIRST_S = 30.0
RETRY_LONGEST_S = 3_600.0
LARGEST_FILE = 1_000_000


@dataclass(frozen=True)
class Notice:
    """What a channel carries. ``severity`` is an alert's, or ``recovered``."""

    title: str
    body: str
    severity: str
    at: str


class Channel(Protocol):
    """One way to a person. ``send`` raises whatever went wrong."""

    name: str

    def send(self, notice: Notice) -> None: ...


class LogChannel:
    """The structured log."""

    name = "log"

    def send(self, notice: Notice) -> None:
        level = logging.INFO if notice.severity in ("info", "recovered") else logging.ERROR
        event(logger, level, notice.title, alert=notice.body)


class FileChannel:
    """One JSON line an alert, beside the database; the last megabyte or two are kept."""

    name = "file"

    def __init__(self, db_path: Path) -> None:
        self.path = db_path.with_name(db_path.stem + ".alerts.log")

    def send(self, notice: Notice) -> None:
        if self.path.exists() and self.path.stat().st_size > LARGEST_FILE:
            self.path.replace(self.path.with_suffix(".log.1"))
        handle = os.open(self.path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(vars(notice), ensure_ascii=False) + "\n")


class AppriseChannel:
    """Any of apprise's services; addresses hold secrets and are never shown."""

    name = "apprise"

    def __init__(self, urls: Sequence[Secret]) -> None:
        self._urls = urls

    def send(self, notice: Notice) -> None:
        import apprise

        kinds = {
            "info": apprise.NotifyType.INFO,
            "warning": apprise.NotifyType.WARNING,
            "critical": apprise.NotifyType.FAILURE,
            "recovered": apprise.NotifyType.SUCCESS,
        }
        post = apprise.Apprise()
        for number, url in enumerate(self._urls, 1):
            if not post.add(url.reveal()):
                raise ValueError(f"address {number} of BTCBUZZ_ALERT_URLS is not one apprise knows")
        if not post.notify(
            title=notice.title, body=notice.body, notify_type=kinds[notice.severity]
        ):
            raise ConnectionError("a service of BTCBUZZ_ALERT_URLS did not take the message")


def channels(db_path: Path, config: Config) -> tuple[list[Channel], list[Channel]]:
    """(local, remote) ways to the operator."""
    remote: list[Channel] = [AppriseChannel(config.alert_urls)] if config.alert_urls else []
    return [LogChannel(), FileChannel(db_path)], remote


def deliver(db_path: Path, config: Config, clock: Clock) -> int:
    """Send every notice that is due; answers how many went out. Networks are called between
    transactions, never inside one."""
    with opened(db_path) as db:
        due = alerts.due_notices(db, clock.now(), repeat_s=settings.get(db, "alerts.repeat_s"))
    local, remote = channels(db_path, config)
    redact = Redactor(config.secrets())
    sent = 0
    for alert in due:
        notice = _notice(alert, redact, clock)
        if alert.tries == 0:  # a retry is for those outside; here it was told already
            _send(local, notice)
        failures = _send(remote, notice)
        with opened(db_path) as db:
            if failures:
                pause = doubling_s(alert.tries + 1, RETRY_FIRST_S, RETRY_LONGEST_S)
                alerts.mark_failed(db, alert, clock.now() + timedelta(seconds=pause))
            else:
                alerts.mark_sent(db, alert, clock.now())
                sent += 1
    return sent


def tell(db_path: Path, config: Config, clock: Clock, message: str) -> dict[str, str | None]:
    """Send one critical sentence at once, past the database; answers each channel's failure."""
    local, remote = channels(db_path, config)
    text = Redactor(config.secrets())(message)
    return _results(
        [*local, *remote], Notice("BTCBuzzBot: critical", text, "critical", iso(clock.now()))
    )


def send_test(db_path: Path, config: Config, clock: Clock) -> dict[str, str | None]:
    """Try every channel with a harmless message; answers each one's failure, None where it went."""
    local, remote = channels(db_path, config)
    notice = Notice(
        "BTCBuzzBot: test", "This is a test: alerts reach you.", "info", iso(clock.now())
    )
    return _results([*local, *remote], notice)


def _notice(alert: Alert, redact: Redactor, clock: Clock) -> Notice:
    what = alert.kind.replace("_", " ") + (f" ({alert.key})" if alert.key else "")
    message = redact(alert.message)
    if alert.is_recovery:
        return Notice(
            f"BTCBuzzBot: over: {what}",
            f"It held from {alert.opened_at} to {alert.resolved_at}: {message}",
            "recovered",
            iso(clock.now()),
        )
    return Notice(
        f"BTCBuzzBot: {alert.severity}: {what}",
        f"{message}\nSince {alert.opened_at}. docs/operations.md, {alert.kind}",
        alert.severity,
        iso(clock.now()),
    )


def _send(ways: list[Channel], notice: Notice) -> list[str]:
    return [name for name, failure in _results(ways, notice).items() if failure]


def _results(ways: list[Channel], notice: Notice) -> dict[str, str | None]:
    results: dict[str, str | None] = {}
    for way in ways:
        try:
            way.send(notice)
            results[way.name] = None
        except Exception as error:
            results[way.name] = str(error) or type(error).__name__
            logger.warning("alert channel %s failed: %s", way.name, results[way.name])
    return results
