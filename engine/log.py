"""Structured logs, one JSON object a line, with secrets masked before anything is written."""

from __future__ import annotations

import json
import logging
import logging.handlers
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, quote_plus

from engine.clock import iso

MASK = "***"

# Libraries that print headers, tokens or signatures at DEBUG (facts: reliability §5.3).
TALKATIVE = ("tweepy", "oauthlib", "requests_oauthlib", "urllib3", "httpx", "httpcore", "apprise")

_PATTERNS = (
    re.compile(r"(?i)(bearer\s+)[\w\-.~+/%=]{8,}"),
    re.compile(r"(?i)(oauth_(?:token|signature|consumer_key|nonce)=\"?)[^\",&\s]+"),
    re.compile(
        r"(?i)((?:api[_-]?key|secret|password|passwd|token|authorization)[\"']?\s*[=:]\s*[\"']?)"
        r"[^\s\"',;]{6,}"
    ),
)


def _forms(secret: str) -> set[str]:
    """A secret as it is, and as it stands in JSON, in Python's repr and in an address."""
    return {
        secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1], json.dumps(repr(secret)[1:-1], ensure_ascii=False)[1:-1],
        quote(secret), quote(secret, safe=""), quote_plus(secret),
    }  # fmt: skip


class Redactor:
    """Masks known secret values and what looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for value in secrets if len(value) >= 4 for form in _forms(value)}
        # longest first: a secret that contains another must not leave a tail behind
        self._secrets = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        for pattern in _PATTERNS:
            text = pattern.sub(rf"\g<1>{MASK}", text)
        return text


class JsonFormatter(logging.Formatter):
    """``{"at", "level", "logger", "event", …extra}``; values pass the redactor."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": iso(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line.update(getattr(record, "data", {}))
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return self._redact(json.dumps(line, ensure_ascii=False, default=str))


class _QuietHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to stderr; a closed or full stream must never stop posting (fault F37)."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass


class _QuietFileHandler(logging.handlers.RotatingFileHandler):
    """As above, for the log file."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass


def set_up_logging(
    level: str = "INFO",
    *,
    secrets: Iterable[str] = (),
    file: Path | None = None,
    stderr: bool = True,
) -> None:
    """Send all logs to stderr and, if given, to a rotating file (5 MB x 3)."""
    formatter = JsonFormatter(Redactor(secrets))
    handlers: list[logging.Handler] = [_QuietHandler(sys.stderr)] if stderr else []
    if file is not None:
        handlers.append(
            _QuietFileHandler(file, maxBytes=5_000_000, backupCount=3, encoding="utf-8", delay=True)
        )
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    for handler in handlers:
        handler.setFormatter(formatter)
        root.addHandler(handler)
    root.setLevel(level)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def event(logger: logging.Logger, level: int, message: str, **data: object) -> None:
    """Log ``message`` with structured fields."""
    logger.log(level, message, extra={"data": data})
