"""The OpenAPI document against a running service: ``python -m tests.service.api.contract``.

Schemathesis makes requests from the document, right and wrong ones, and judges every answer: no
5xx, documented status, media type, headers and shape, wrong data refused, right data taken, 405
with ``Allow``, no route without its token. Rounds with successive seeds go on until ``--cases`` were
tried. Prints a verdict in JSON; exit 1 for a breach.

Schemathesis itself loads this module too, for the hooks at its end.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import schemathesis

from tests.benchmarks.service import environment

CONFIG = """
# 413 is a refusal too, and the document names it everywhere
[checks]
negative_data_rejection.expected-statuses = ["4xx"]
positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "413"]
"""
ROOT = Path(__file__).resolve().parents[3]
TROUBLE = ("request failed", "Exception in ASGI", "database failed a request", "Traceback")


@dataclass(frozen=True)
class Target:
    """A runner that serves the API, and a token for all of it."""

    url: str
    token: str
    log: Path

    def trouble(self) -> list[str]:
        """Lines of its log that no request may cause."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if any(word in line for word in TROUBLE)]


@dataclass(frozen=True)
class Round:
    """What one run of Schemathesis found; ``taken`` counts accepted requests by operation."""

    seed: int
    cases: int
    failures: list[str]
    taken: Counter[str]


@contextmanager
def target(folder: Path) -> Iterator[Target]:
    """``runner.py run --api`` with the scripted model, no source in reach, no rate limit."""
    env = {**os.environ, **environment(str(folder))}
    command = [sys.executable, "runner.py"]

    def run(*words: str) -> str:
        return subprocess.run(
            [*command, *words], cwd=ROOT, env=env, check=True, capture_output=True, text=True
        ).stdout

    token = json.loads(run("token", "create", "--scopes", "all", "--json"))["token"]
    for key in ("api.rate_per_minute", "api.address_rate_per_minute"):
        run("settings", "set", key, "1000000")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    log = folder / "stderr.log"
    with log.open("wb") as stderr:
        runner = subprocess.Popen(
            [*command, "run", "--api", f"127.0.0.1:{port}"], cwd=ROOT, env=env, stderr=stderr
        )
        try:
            _wait(port)
            yield Target(f"http://127.0.0.1:{port}", token, log)
        finally:
            runner.send_signal(signal.SIGTERM)
            runner.wait(40)


EVERY_PHASE = "examples,coverage,fuzzing,stateful"


def attack(
    where: Target, folder: Path, *, seed: int, examples: int, phases: str = EVERY_PHASE
) -> Round:
    """One round; ``examples`` generated requests an operation, beside those of fixed number."""
    report = folder / f"report-{seed}.json"
    (folder / "schemathesis.toml").write_text(CONFIG, encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", f"{where.url}/openapi.json",
            "--header", f"Authorization: Bearer {where.token}", "--checks", "all",
            "--exclude-checks", "use_after_free",  # DELETE archives: history stays readable
            "--max-examples", str(examples), "--seed", str(seed), "--continue-on-failure",
            "--generation-database", "none", "--report", "json", "--report-json-path", str(report),
            "--no-color", "--phases", phases,
        ],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": __spec__.name},
    )  # fmt: skip
    if not report.exists():
        raise RuntimeError(f"Schemathesis did not run: {done.stdout}{done.stderr}")
    found = json.loads(report.read_text(encoding="utf-8"))
    taken: Counter[str] = Counter()
    for operation, phases in found["valid_rates"].items():
        taken[operation] = sum(phase["accepted"] for phase in phases.values())
    failures = [json.dumps(item)[:2_000] for item in (*found["failures"], *found["errors"])]
    if done.returncode:
        told = done.stdout.partition("= FAILURES =")[2] or done.stdout + done.stderr
        failures.append("\n".join(line[:400] for line in told.splitlines())[:8_000])
    return Round(seed, found["test_cases"]["generated"], failures, taken)


def _wait(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"nobody listens on port {port}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=100, help="an operation and round (100)")
    args = parser.parse_args()
    rounds: list[Round] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, target(Path(name)) as where:
        while sum(found.cases for found in rounds) < args.cases:
            seed = args.seed + len(rounds)
            rounds.append(attack(where, Path(name), seed=seed, examples=args.examples))
            print(f"seed {seed}: {rounds[-1].cases} cases", file=sys.stderr)
        trouble = where.trouble()
    failures = [text for found in rounds for text in found.failures]
    verdict = {
        "cases": sum(found.cases for found in rounds),
        "seeds": [found.seed for found in rounds],
        "breaches": failures,
        "trouble_in_log": trouble,
        "accepted": dict(sum((found.taken for found in rounds), Counter())),
        "seconds": round(time.monotonic() - began),
    }
    print(json.dumps(verdict, indent=2))
    return 1 if failures or trouble else 0


# -- hooks of Schemathesis ---------------------------------------------------------------------

_FIELD = re.compile(r"[{}]")


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Lead right requests past two conflicts that a made-up request can hardly avoid: a key that
    was used before (one request in eight keeps it), and a template that lacks its own fields."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if "Idempotency-Key" in (case.headers or {}) and hash_of(case.body) % 8:
        del case.headers["Idempotency-Key"]
    if "/templates" in case.path:
        _fit(case.body)


@schemathesis.check
def every_answer_is_ours(context: Any, response: Any, case: Any) -> None:
    """Headers that stand on every answer, and the one shape of problems."""
    headers = {name.lower(): values[0] for name, values in response.headers.items()}
    assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", headers.get("x-request-id", ""))
    assert headers.get("x-content-type-options") == "nosniff"
    assert headers.get("cache-control") == "no-store"
    assert not [name for name in headers if name.startswith("access-control-")]
    if response.status_code >= 400 and case.method != "HEAD":
        problem = json.loads(response.content)
        if "checks" not in problem:  # health tells its checks
            assert headers["content-type"] == "application/problem+json"
            assert problem["status"] == response.status_code
            assert problem["request_id"] == headers["x-request-id"]
            assert problem["title"]
            assert problem["detail"]


def hash_of(body: object) -> int:
    """The same in every process."""
    return sum(repr(body).encode("utf-8", "replace"))


def _fit(body: object) -> None:
    """Let the fields of a template be those that it describes."""
    if not isinstance(body, dict) or not isinstance(body.get("body"), str):
        return
    names = [row["name"] for row in body.get("variables", [])]
    body["variables"] = [
        row for at, row in enumerate(body.get("variables", [])) if row["name"] not in names[:at]
    ]
    for part in ("system", "body"):
        body[part] = _FIELD.sub("", body.get(part, ""))
    body["body"] = (body["body"] or "x") + "".join(f" {{{name}}}" for name in set(names))


if __name__ == "__main__":
    sys.exit(main())
