"""Load on the API beside an empty FastAPI route, in one run: ``python -m tests.benchmarks.api``.

A runner (``run --api``, scripted model, no source in reach) and a FastAPI application with one
empty route under the same Uvicorn settings each get ``--seconds`` of keep-alive requests from
``--connections`` connections, in turns, ``--rounds`` times. Prints requests a second and p50/p99
in milliseconds (medians over the rounds), and the share of the empty route's rate: each round's own,
their median, least and greatest. ``cpu_us`` is what a request costs its server's process, and
``cpu_share`` the same share in CPU time, which other work on the machine stretches far less.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.benchmarks.service import environment

ROOT = Path(__file__).resolve().parents[2]
ROUTES = ("/api/v1/health", "/api/v1/templates", "/api/v1/metrics", "/api/v1/status")
EMPTY = """
import sys, uvicorn
from fastapi import FastAPI
app = FastAPI()
@app.get("/")
async def empty() -> dict[str, str]:
    return {}
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_config=None, access_log=False,
            ws="none", server_header=False)
"""


@dataclass(frozen=True)
class Round:
    """Requests to one route: seconds of each, sorted, and seconds of CPU a request."""

    times: list[float]
    cpu_s: float

    def at(self, share: float) -> float:
        return self.times[int(len(self.times) * share)]


async def _one(port: int, request: bytes, until: float, times: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < until:
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode("latin-1"))
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        await reader.readexactly(length)
        times.append(time.perf_counter() - began)
    writer.close()


def load(port: int, path: str, token: str, seconds: float, connections: int) -> list[float]:
    """Seconds of each request."""
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Authorization: Bearer {token}"]
    request = "\r\n".join([*lines, "", ""]).encode()
    times: list[float] = []

    async def crowd() -> None:
        until = time.perf_counter() + seconds
        await asyncio.gather(*(_one(port, request, until, times) for _ in range(connections)))

    asyncio.run(crowd())
    return times


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 2),
        "least": round(min(values), 2),
        "greatest": round(max(values), 2),
    }


def _cpu_s(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _wait(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=8)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, **environment(folder)}
        command = [sys.executable, "runner.py"]

        def run(*words: str) -> str:
            done = subprocess.run(
                [*command, *words], cwd=ROOT, env=env, check=True, capture_output=True, text=True
            )
            return done.stdout

        token = json.loads(run("token", "create", "--scopes", "all", "--json"))["token"]
        for key in ("api.rate_per_minute", "api.address_rate_per_minute"):
            run("settings", "set", key, "1000000")
        ours, empty = _free_port(), _free_port()
        servers = [
            subprocess.Popen(
                [*command, "run", "--api", f"127.0.0.1:{ours}"],
                cwd=ROOT, env=env, stderr=subprocess.DEVNULL,
            ),
            subprocess.Popen([sys.executable, "-c", EMPTY, str(empty)], stderr=subprocess.DEVNULL),
        ]  # fmt: skip
        try:
            for port in (ours, empty):
                _wait(port)
            time.sleep(2)
            places = [(empty, "/"), *((ours, path) for path in ROUTES)]
            rounds: dict[str, list[Round]] = {path: [] for _, path in places}
            for _ in range(args.rounds):
                for port, path in places:
                    process = psutil.Process(servers[port == empty].pid)
                    before = _cpu_s(process)
                    times = load(port, path, token, args.seconds, args.connections)
                    cpu_s = (_cpu_s(process) - before) / len(times)
                    rounds[path].append(Round(sorted(times), cpu_s))
        finally:
            for server in servers:
                server.send_signal(signal.SIGTERM)
            for server in servers:
                server.wait(40)
    print(
        json.dumps(
            {path: figures(held, rounds["/"], args.seconds) for path, held in rounds.items()},
            indent=2,
        )
    )


def figures(held: list[Round], empty: list[Round], seconds: float) -> dict[str, object]:
    """Of one route, beside the empty one."""
    pairs = list(zip(held, empty, strict=True))
    return {
        "requests": sum(len(one.times) for one in held),
        "per_s": round(statistics.median(len(one.times) / seconds for one in held)),
        "share_of_empty": _spread([len(our.times) / len(bare.times) for our, bare in pairs]),
        "cpu_us": round(1e6 * statistics.median(one.cpu_s for one in held)),
        "cpu_share": _spread([bare.cpu_s / our.cpu_s for our, bare in pairs]),
        "p50_ms": round(1e3 * statistics.median(one.at(0.50) for one in held), 2),
        "p99_ms": round(1e3 * statistics.median(one.at(0.99) for one in held), 2),
    }


if __name__ == "__main__":
    main()
