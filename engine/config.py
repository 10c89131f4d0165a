"""Settings of the process, read once from the environment and validated.

What an operator changes while the bot runs is not here but in the database
(:mod:`engine.settings`). Secrets are wrapped so that no accident prints them.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from engine.errors import ConfigError
from engine.log import MASK

BACKENDS = ("ollama", "openai", "embedded", "scripted")
PUBLISHERS = ("dry_run", "x")

# Each source's own host; a setting may point it there or to loopback, nowhere else (SSRF).
SOURCE_HOSTS: dict[str, str] = {
    "COINGECKO": "https://api.coingecko.com",
    "BINANCE": "https://data-api.binance.vision",
    "COINBASE": "https://api.exchange.coinbase.com",
    "KRAKEN": "https://api.kraken.com",
    "MEMPOOL": "https://mempool.space",
    "FEAR_GREED": "https://api.alternative.me",
}
X_HOSTS = ("api.x.com", "api.twitter.com")
X_KEYS = ("X_API_KEY", "X_API_SECRET", "X_ACCESS_TOKEN", "X_ACCESS_TOKEN_SECRET")

DEFAULT_MODELS = {
    "ollama": "llama3:8b",
    "openai": "default",
    "embedded": "smollm2",
    "scripted": "scripted",
}


class Secret:
    """A text that shows only where :meth:`reveal` is called."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")


@dataclass(frozen=True)
class Config:
    """The process's settings; every field has an environment variable (``.env.example``)."""

    db: Path = Path("data/bot.db")
    llm: str = "embedded"
    model: str = "smollm2"
    ollama_url: str = "http://127.0.0.1:11434"
    openai_url: str = "http://127.0.0.1:8000"
    openai_key: Secret | None = None
    publisher: str = "dry_run"
    x_url: str = "https://api.x.com"
    x_keys: dict[str, Secret] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=lambda: dict(SOURCE_HOSTS))
    coingecko_key: Secret | None = None
    feeds: tuple[str, ...] | None = None
    threads: int | None = None
    log_level: str = "INFO"
    log_file: Path | None = None
    password: Secret | None = None
    alert_urls: tuple[Secret, ...] = ()

    @property
    def public(self) -> bool:
        """True where a post would reach the public: X's own hosts, not a loopback server."""
        return self.publisher == "x" and not is_loopback(urlsplit(self.x_url).hostname)

    @property
    def named_model(self) -> str:
        """``backend:name`` of the model the environment names."""
        return f"{self.llm}:{self.model}"

    def secrets(self) -> list[str]:
        """Every live secret value, for the log's redactor."""
        held = [*self.x_keys.values(), *self.alert_urls]
        held += [item for item in (self.openai_key, self.coingecko_key, self.password) if item]
        return [item.reveal() for item in held]


VARIABLES: dict[str, str] = {
    "BTCBUZZ_DB": "path of the SQLite database (data/bot.db)",
    "BTCBUZZ_LLM": "model backend: " + ", ".join(BACKENDS) + " (embedded)",
    "BTCBUZZ_MODEL": "model name; each backend has a default",
    "BTCBUZZ_OLLAMA_URL": "Ollama's address (OLLAMA_HOST, or http://127.0.0.1:11434)",
    "BTCBUZZ_OPENAI_URL": "address of an OpenAI-compatible server (http://127.0.0.1:8000)",
    "BTCBUZZ_OPENAI_KEY": "its bearer key, if it wants one",
    "BTCBUZZ_PUBLISHER": "where posts go: " + ", ".join(PUBLISHERS) + " (dry_run)",
    "BTCBUZZ_X_URL": "X's address: its own hosts, or loopback for tests",
    "BTCBUZZ_COINGECKO_URL": "CoinGecko's address: its own host, or loopback",
    "BTCBUZZ_COINGECKO_KEY": "CoinGecko demo key (optional)",
    "BTCBUZZ_BINANCE_URL": "Binance market data's address: its own host, or loopback",
    "BTCBUZZ_COINBASE_URL": "Coinbase Exchange's address: its own host, or loopback",
    "BTCBUZZ_KRAKEN_URL": "Kraken's address: its own host, or loopback",
    "BTCBUZZ_MEMPOOL_URL": "mempool.space's address: its own host, or loopback",
    "BTCBUZZ_FEAR_GREED_URL": "Fear & Greed index's address: its own host, or loopback",
    "BTCBUZZ_FEEDS": "news feeds, comma separated (four Bitcoin feeds)",
    "BTCBUZZ_THREADS": "threads of the embedded model (cores - 1)",
    "BTCBUZZ_LOG_LEVEL": "DEBUG, INFO, WARNING or ERROR (INFO)",
    "BTCBUZZ_LOG_FILE": "also write logs to this file",
    "BTCBUZZ_PASSWORD": "password of the console's first user, admin",
    "BTCBUZZ_ALERT_URLS": "where alerts go: apprise addresses, comma separated",
}


SECRETS = (
    *X_KEYS,
    "BTCBUZZ_OPENAI_KEY",
    "BTCBUZZ_COINGECKO_KEY",
    "BTCBUZZ_PASSWORD",
    "BTCBUZZ_ALERT_URLS",
)


def with_credentials(environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` and the secrets that systemd's LoadCredential (or a container's secrets) put
    into files of $CREDENTIALS_DIRECTORY, named like their variables; a variable wins.

    Raises: ConfigError where such a file cannot be read.
    """
    merged = dict(environ)
    folder = environ.get("CREDENTIALS_DIRECTORY", "")
    for name in SECRETS if folder else ():
        try:
            merged.setdefault(name, (Path(folder) / name).read_text(encoding="utf-8").strip())
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"the credential {name} in {folder} cannot be read ({error}). Correct its file."
            ) from error
    return merged


def load_config(environ: Mapping[str, str]) -> Config:
    """The validated configuration behind ``environ``.

    Raises: ConfigError naming the variable, what is wrong and what would be right.
    """
    for name in environ:
        if name.startswith("BTCBUZZ_") and name not in VARIABLES:
            near = difflib.get_close_matches(name, VARIABLES, 1)
            hint = f" Did you mean {near[0]}?" if near else " See .env.example for the list."
            raise ConfigError(f"{name} is not a setting of BTCBuzzBot.{hint}")

    def text(name: str, default: str) -> str:
        return environ.get(name, "").strip() or default

    def secret(name: str) -> Secret | None:
        value = environ.get(name, "").strip()
        return Secret(value) if value else None

    llm = _one_of("BTCBUZZ_LLM", text("BTCBUZZ_LLM", "embedded"), BACKENDS)
    ollama = text("BTCBUZZ_OLLAMA_URL", "") or _from_ollama_host(environ.get("OLLAMA_HOST", ""))
    log_file = text("BTCBUZZ_LOG_FILE", "")
    feeds = text("BTCBUZZ_FEEDS", "")
    return Config(
        db=Path(text("BTCBUZZ_DB", "data/bot.db")),
        llm=llm,
        model=text("BTCBUZZ_MODEL", DEFAULT_MODELS[llm]),
        ollama_url=_http_url("BTCBUZZ_OLLAMA_URL", ollama),
        openai_url=_http_url(
            "BTCBUZZ_OPENAI_URL", text("BTCBUZZ_OPENAI_URL", "http://127.0.0.1:8000")
        ),
        openai_key=secret("BTCBUZZ_OPENAI_KEY"),
        publisher=_one_of("BTCBUZZ_PUBLISHER", text("BTCBUZZ_PUBLISHER", "dry_run"), PUBLISHERS),
        x_url=_own_host("BTCBUZZ_X_URL", text("BTCBUZZ_X_URL", "https://api.x.com"), X_HOSTS),
        x_keys={
            key: Secret(environ[key].strip()) for key in X_KEYS if environ.get(key, "").strip()
        },
        sources={
            name: _own_host(
                f"BTCBUZZ_{name}_URL",
                text(f"BTCBUZZ_{name}_URL", default),
                (urlsplit(default).hostname or "",),
            )
            for name, default in SOURCE_HOSTS.items()
        },
        coingecko_key=secret("BTCBUZZ_COINGECKO_KEY"),
        feeds=tuple(
            _http_url("BTCBUZZ_FEEDS", part.strip()) for part in feeds.split(",") if part.strip()
        )
        if feeds
        else None,
        threads=_whole("BTCBUZZ_THREADS", text("BTCBUZZ_THREADS", ""), 1, 256),
        log_level=_one_of(
            "BTCBUZZ_LOG_LEVEL",
            text("BTCBUZZ_LOG_LEVEL", "INFO").upper(),
            ("DEBUG", "INFO", "WARNING", "ERROR"),
        ),
        log_file=Path(log_file) if log_file else None,
        password=secret("BTCBUZZ_PASSWORD"),
        alert_urls=tuple(
            Secret(part.strip())
            for part in environ.get("BTCBUZZ_ALERT_URLS", "").split(",")
            if part.strip()
        ),
    )


def is_loopback(host: str | None) -> bool:
    """True for ``localhost`` and the loopback ranges."""
    if host in ("localhost", None):
        return host is not None
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_link_local(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_link_local


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ConfigError(f"{name}={value!r} is not one of {', '.join(allowed)}. Choose one.")
    return value


def _whole(name: str, value: str, low: int, high: int) -> int | None:
    if not value:
        return None
    if not value.isdecimal() or not low <= int(value) <= high:
        raise ConfigError(f"{name}={value!r} is not a whole number from {low} to {high}.")
    return int(value)


def _http_url(name: str, value: str) -> str:
    try:
        parts = urlsplit(value)
        port_ok = parts.port is None or parts.port > 0
    except ValueError:
        port_ok, parts = False, urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_ok:
        raise ConfigError(
            f"{name}={_told(value)!r} is not an http address such as http://127.0.0.1:11434."
        )
    if _is_link_local(parts.hostname):
        raise ConfigError(f"{name} leads to a link-local address, where a cloud keeps its keys.")
    if parts.username or parts.password:
        raise ConfigError(f"{name} must not carry a user name or password in the address.")
    return value.rstrip("/")


def _own_host(name: str, value: str, hosts: tuple[str, ...]) -> str:
    url = _http_url(name, value)
    parts = urlsplit(url)
    if is_loopback(parts.hostname) or (parts.hostname in hosts and parts.scheme == "https"):
        return url
    raise ConfigError(
        f"{name}={_told(value)!r} may only be https://{hosts[0]} or a loopback address."
    )


def _told(address: str) -> str:
    """An address without the parts that may hold a secret: user, password, query."""
    return re.sub(r"[^/@]*@", f"{MASK}@", re.split(r"[?#]", address)[0])


def _from_ollama_host(value: str) -> str:
    """Ollama's own variable: may lack scheme or port, may be the unspecified address."""
    value = value.strip()
    if not value:
        return "http://127.0.0.1:11434"
    if "//" not in value:
        value = f"http://{value}"
    parts = urlsplit(value)
    host = parts.hostname or "127.0.0.1"
    if host in ("0.0.0.0", "::"):  # noqa: S104  the server's bind address, turned into loopback
        host = "127.0.0.1"
    if ":" in host:
        host = f"[{host}]"
    default_port = {"https": 443}.get(parts.scheme, 11434)
    return f"{parts.scheme}://{host}:{parts.port or default_port}{parts.path.rstrip('/')}"
