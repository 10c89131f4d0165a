"""The claims of docs/security.md that belong to no single module."""

from __future__ import annotations

import ast
import dataclasses
import io
import json
import logging
import os
import pickle
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import tomllib
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from sqlite_utils import Database

from engine import log
from engine.clock import SystemClock
from engine.config import SECRETS, SOURCE_HOSTS, Secret, load_config, with_credentials
from engine.errors import ConfigError, UsageError
from engine.service.console import start
from engine.settings import check_setting
from engine.store import settings
from tests.fakes.visitor import visit
from tests.guards import GUARDS, Guard

JSON = {"Content-Type": "application/json"}
ROOT = Path(__file__).resolve().parents[1]
TAIL = "Zq7xKw9vRt"
"""The end of every canary: where it is found, a secret was told."""
CANARIES = {name: f"canary-{number:02d}-{TAIL}" for number, name in enumerate(SECRETS)} | {
    "BTCBUZZ_ALERT_URLS": f"json://127.0.0.1:9/canary-url-{TAIL}",
    "X_ACCESS_TOKEN": f"1234567-canary-{TAIL}",  # begins with the account's number
    "BTCBUZZ_PASSWORD": f'a "b\\c é {TAIL}',  # looks different in JSON, in a repr, in an address
}


@pytest.fixture
def world(tmp_path: Path) -> dict[str, str]:
    """An environment with a canary in every secret, X and all sources on closed loopback ports."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {
        **keep,
        **{f"BTCBUZZ_{name}_URL": "http://127.0.0.1:9" for name in SOURCE_HOSTS},
        **CANARIES,
        "BTCBUZZ_DB": str(tmp_path / "data" / "bot.db"),
        "BTCBUZZ_LLM": "openai",
        "BTCBUZZ_OPENAI_URL": "http://127.0.0.1:9",
        "BTCBUZZ_MODEL": "some-model",
        "BTCBUZZ_FEEDS": f"http://127.0.0.1:9/?key={TAIL}",
        "BTCBUZZ_PUBLISHER": "x",
        "BTCBUZZ_X_URL": "http://127.0.0.1:9",
        "BTCBUZZ_LOG_LEVEL": "DEBUG",
        "BTCBUZZ_LOG_FILE": str(tmp_path / "data" / "runner.log"),
    }


def command(world: dict[str, str], *args: str) -> str:
    """Everything a command says."""
    done = subprocess.run(
        [sys.executable, "runner.py", *args], cwd=ROOT, env=world, capture_output=True, text=True,
        timeout=90,
    )  # fmt: skip
    return done.stdout + done.stderr


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"nobody listens on port {port}")


@contextmanager
def started(world: dict[str, str], *args: str) -> Iterator[dict[str, bytes]]:
    """A command that runs until it is told to stop; what it said is in the dictionary then."""
    said: dict[str, bytes] = {}
    with subprocess.Popen(
        [sys.executable, "runner.py", *args], cwd=ROOT, env=world,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            yield said
            said[f"{args[0]} argv"] = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        finally:
            process.send_signal(signal.SIGTERM)
            said[f"{args[0]} stdout"], said[f"{args[0]} stderr"] = process.communicate(timeout=40)


def test_canaries_stay_in_the_environment(world: dict[str, str], tmp_path: Path) -> None:
    """A working day with everything failing at DEBUG: a canary in each secret, an API token, and
    then a search of database, WAL, backups, logs, answers, console and exports for any of them."""
    folder = tmp_path / "data"
    made = json.loads(command(world, "token", "create", "--scopes", "all", "--json"))
    commands = (
        ("once", "--type", "joke"), ("queue", "list", "--json"), ("settings", "list", "--json"),
        ("doctor", "--json"), ("backup", "--json"), ("settings", "set", "x_api_secret", "1"),
        ("token", "list", "--json"), ("status", "--json"), ("queue", "approve", "1"),
    )  # fmt: skip
    held = {" ".join(words): command(world, *words).encode() for words in commands}
    (tmp_path / "damaged.db").write_bytes(b"no database" * 500)
    for name, value in (
        ("BTCBUZZ_DB", str(tmp_path / "damaged.db")),
        ("BTCBUZZ_OPENAI_URL", f"htp://user:{TAIL}@127.0.0.1"),
        ("BTCBUZZ_OLLAMA_URL", f"http://user:{TAIL}@127.0.0.1"),
        ("BTCBUZZ_FEEDS", f"file://127.0.0.1/?key={TAIL}"),
        ("BTCBUZZ_X_URL", f"https://evil.example/?key={TAIL}"),
    ):
        held[f"told of a wrong {name}"] = command({**world, name: value}, "status").encode()
    port, console_port = free_port(), free_port()
    with (
        started(world, "run", "--api", f"127.0.0.1:{port}") as runner_said,
        started(world, "console", "--port", str(console_port)) as console_said,
    ):
        wait_for(port)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            client.headers["Authorization"] = f"Bearer {made['token']}"
            for path in ("status", "models", "generations", "templates", "metrics", "health"):
                held[path] = client.get(f"/api/v1/{path}").content
            held["openapi"] = client.get("/openapi.json").content
            for body in (b'{"content_type": "joke"}', b"{"):
                answer = client.post("/api/v1/generate", content=body, headers=JSON)
                held[f"generate {body!r}"] = answer.content
        wait_for(console_port)
        with visit(f"http://127.0.0.1:{console_port}") as visitor:
            visitor.open("overview")
            visitor.sign_in("admin", CANARIES["BTCBUZZ_PASSWORD"])
            for page in sorted((ROOT / "pages").glob("*.py")):
                visitor.open(page.stem)
                held |= {f"export {n}": file for n, file in enumerate(visitor.download())}
            held["console"] = bytes(visitor.heard)
        # while it runs, so that the WAL is there too
        held |= _bytes_of(folder)
    held |= runner_said | console_said | _bytes_of(folder)
    assert_full(held)
    for name, content in held.items():
        for needle in (TAIL, made["token"].split("_", 2)[2]):
            at = content.find(needle.encode())
            assert at < 0, f"{name} tells {content[max(0, at - 80) : at + 20]!r}"


def assert_full(held: dict[str, bytes]) -> None:
    """Where something is looked for in vain, there was something to look at."""
    assert any(name.endswith("-wal") and content for name, content in held.items())
    assert any("backups" in name for name in held)
    assert b"runner started" in held["run stderr"]
    text = json.loads(held["export 1"])[0]["text"]
    assert text.encode() in held["export 0"]
    for title in (b"Overview", b"History", b"Settings & health", b"Playground"):
        assert title in held["console"]


def _bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("canary-Zq7xKw9vRt")
    assert f"{secret} {secret!r} {[secret]} %s" % secret == "*** *** [***] ***"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    config = load_config(CANARIES)
    shown = f"{config!r} {dataclasses.replace(config)}"
    try:
        raise ValueError(config)
    except ValueError:
        shown += traceback.format_exc()
    assert TAIL not in shown


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """What set_up_logging writes, with canaries known to it."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    stderr, sys.stderr = sys.stderr, stream
    try:
        log.set_up_logging("DEBUG", secrets=CANARIES.values())
    finally:
        sys.stderr = stderr
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def test_logs_mask_secrets_in_messages_fields_and_traces(logs: io.StringIO) -> None:
    logger = logging.getLogger("engine.tests")
    for canary in CANARIES.values():
        logger.warning("sent %s", canary)
        log.event(logger, logging.INFO, "fields", nested={"deep": [canary], "as": (canary,)})
        logger.warning("got %r", {"key": canary})
        logger.warning("asked http://127.0.0.1/?key=%s", quote(canary))
        try:
            raise ValueError(f"key={canary}")
        except ValueError:
            logger.exception("failed")
    logger.info("Authorization: Bearer abcdefgh12345678 api_key=abcdefgh1234")
    text = logs.getvalue()
    assert text.count("***") >= 3 * len(CANARIES) + 2
    assert TAIL not in text
    assert "abcdefgh1234" not in text


def test_libraries_that_print_headers_are_kept_quiet(logs: io.StringIO) -> None:
    for name in ("tweepy", "oauthlib", "requests_oauthlib", "urllib3", "httpx", "httpcore"):
        logging.getLogger(name).debug("Authorization: %s", "anything")
        logging.getLogger(name).info("header")
    assert logs.getvalue() == ""


@pytest.mark.parametrize("key", ["x_api_secret", "openai_token", "PASSWORD", "coingecko.api_key"])
def test_the_settings_table_refuses_secrets(db: Database, key: str) -> None:
    with pytest.raises(UsageError, match="environment"):
        settings.put(db, key, "canary", actor="t", now=SystemClock().now())
    with pytest.raises(UsageError):
        check_setting(key, "canary")


def test_files_are_for_their_owner_alone(world: dict[str, str], tmp_path: Path) -> None:
    command(world, "migrate")
    command(world, "backup")
    command(world, "once", "--type", "joke")
    command(world, "stop")
    files = list((tmp_path / "data").rglob("*"))
    assert len(files) >= 4
    for file in files:
        assert not stat.S_IMODE(file.stat().st_mode) & 0o077, file


def test_the_console_leaves_nothing_that_others_may_read(tmp_path: Path) -> None:
    """Started as ``console`` starts it, from a shell whose new files anybody may read."""
    database, port = tmp_path / "data" / "bot.db", free_port()
    begin = start(database, port, {**os.environ, "BTCBUZZ_LLM": "scripted"})
    with subprocess.Popen(
        begin.command, cwd=begin.folder, env=begin.environ, umask=0o022,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            wait_for(port)
            with visit(f"http://127.0.0.1:{port}") as tab:
                tab.open("overview")
            now = Path(f"/proc/{process.pid}/status").read_text()
            files = [database.parent, *database.parent.rglob("*")]
        finally:
            process.terminate()
    assert "Umask:\t0077" in now
    assert database in files
    for file in files:
        assert not stat.S_IMODE(file.stat().st_mode) & 0o077, file


HOSTILE = (
    "http://169.254.169.254/latest/meta-data",
    "http://10.0.0.1",
    "http://192.168.1.1:11434",
    "https://api.kraken.com.evil.example",
    "https://evil.example/api.kraken.com",
    "https://user:pw@api.kraken.com",
    "http://api.kraken.com",
    "file:///etc/passwd",
    "gopher://127.0.0.1:9",
    "http://0x7f.1.evil.example",
    "http://[::ffff:169.254.169.254]",
    "//api.kraken.com",
    "http://localhost.evil.example",
)


@pytest.mark.parametrize("url", HOSTILE)
@pytest.mark.parametrize("variable", [*(f"BTCBUZZ_{name}_URL" for name in SOURCE_HOSTS),
                                      "BTCBUZZ_X_URL"])  # fmt: skip
def test_addresses_lead_nowhere_else(variable: str, url: str) -> None:
    with pytest.raises(ConfigError, match=variable):
        load_config({variable: url})


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]"])
@pytest.mark.parametrize("variable", ["BTCBUZZ_OLLAMA_URL", "BTCBUZZ_OPENAI_URL", "OLLAMA_HOST",
                                      "BTCBUZZ_FEEDS"])  # fmt: skip
def test_no_address_leads_to_a_clouds_keys(variable: str, host: str) -> None:
    """A model server may be anywhere on the operator's network, but not there."""
    with pytest.raises(ConfigError, match="link-local"):
        load_config({variable: f"http://{host}/latest"})


def test_every_claim_names_a_test() -> None:
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    rows = page.partition("## Claims")[2].partition("\n## ")[0].strip().splitlines()[2:]
    claims = [row for row in rows if row.startswith("|")]
    assert len(claims) >= 40
    for row in claims:
        assert re.fullmatch(r"\| [^|]+ \| `tests/[\w/]+\.py::test_\w+` \|", row), row


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: f"{guard.file}: {guard.text[:40]}")
def test_each_guard_stands_where_the_trial_takes_it_away(guard: Guard) -> None:
    """`python -m tests.guards` removes these one by one and sees their tests fail."""
    assert guard.text in (ROOT / guard.file).read_text(encoding="utf-8")
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    assert guard.test in page


def test_credentials_come_from_files(tmp_path: Path) -> None:
    """systemd's LoadCredential and a container's secrets; a variable wins; others are not read."""
    (tmp_path / "X_API_KEY").write_text("from-file\n")
    (tmp_path / "X_API_SECRET").write_text("from-file\n")
    (tmp_path / "BTCBUZZ_DB").write_text("/elsewhere")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path), "X_API_SECRET": "from-variable"}
    merged = with_credentials(environ)
    assert merged["X_API_KEY"] == "from-file"
    assert merged["X_API_SECRET"] == "from-variable"
    assert "BTCBUZZ_DB" not in merged
    (tmp_path / "X_ACCESS_TOKEN").mkdir()
    with pytest.raises(ConfigError, match="X_ACCESS_TOKEN"):
        with_credentials(environ)


def _calls(folder: str) -> Iterator[tuple[str, ast.Call]]:
    files = sorted((ROOT / folder).rglob("*.py")) if folder else sorted(ROOT.glob("*.py"))
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield f"{file.relative_to(ROOT)}:{node.lineno}", node


def test_no_page_draws_texts_as_html() -> None:
    """Model and feed texts are shown as text: no raw HTML anywhere in the console."""
    for folder in ("console", "pages", ""):
        for place, call in _calls(folder):
            assert "unsafe_allow_html" not in {word.arg for word in call.keywords}, place
            assert ast.unparse(call.func) not in ("st.html", "components.html", "st.iframe"), place


def test_no_code_runs_a_shell_or_evaluates_text() -> None:
    denied = {"eval", "exec", "os.system", "os.popen", "pickle.loads", "pickle.load",
              "marshal.loads", "yaml.load", "subprocess.getoutput"}  # fmt: skip
    for folder in ("engine", "console", "pages", ""):
        for place, call in _calls(folder):
            assert ast.unparse(call.func) not in denied, place
            shell = {word.arg: word.value for word in call.keywords}.get("shell")
            assert shell is None or ast.unparse(shell) == "False", place


def test_the_console_is_shipped_closed() -> None:
    config = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))
    assert config["server"]["address"] == "127.0.0.1"
    assert set(config["server"]["allowedHosts"]) == {"localhost", "127.0.0.1", "::1"}
    assert config["server"]["enableXsrfProtection"] is True
    assert config["server"]["enableCORS"] is True  # on means: other origins are refused
    assert config["server"]["enableStaticServing"] is False
    assert config["client"]["showErrorDetails"] == "none"
    assert config["browser"]["gatherUsageStats"] is False


def test_the_tree_holds_nothing_that_looks_like_a_key() -> None:
    shapes = re.compile(
        r"AKIA[0-9A-Z]{16}|ghp_[A-Za-z0-9]{36}|-----BEGIN [A-Z ]*PRIVATE KEY|btcbuzz_[0-9a-f]{12}_"
        r"[A-Za-z0-9_-]{43}|xox[bp]-[0-9A-Za-z-]{20}"
    )
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False
    ).stdout.decode().split("\0")  # fmt: skip
    for name in filter(None, files):
        file = ROOT / name
        if file.is_file() and file.stat().st_size < 2_000_000:
            assert not shapes.search(file.read_text(encoding="utf-8", errors="ignore")), name
