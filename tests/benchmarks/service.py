"""Start and rest of the runner: ``python -m tests.benchmarks.service [--runs N]``.

Starts ``runner.py run`` with the scripted model and no reachable source, and prints seconds from
process start to the first heartbeat (median, n), beside a bare ``python -c pass`` of the same
run, and resident memory after ``--rest`` seconds, in MB.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from engine.config import SOURCE_HOSTS
from engine.errors import StoreError
from engine.store.database import opened

ROOT = Path(__file__).resolve().parents[2]


def environment(folder: str) -> dict[str, str]:
    """No source answers, nothing leaves the machine."""
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("BTCBUZZ_")},
        **{f"BTCBUZZ_{name}_URL": "http://127.0.0.1:9" for name in SOURCE_HOSTS},
        "BTCBUZZ_FEEDS": "http://127.0.0.1:9/",
        "BTCBUZZ_DB": f"{folder}/bench.db",
        "BTCBUZZ_LLM": "scripted",
    }


def start_once(rest_s: float) -> tuple[float, float]:
    """Seconds to the first tick on a migrated database, and MB at rest."""
    with tempfile.TemporaryDirectory() as folder:
        env = environment(folder)
        command = [sys.executable, "runner.py"]
        subprocess.run([*command, "migrate"], cwd=ROOT, env=env, check=True, capture_output=True)
        began = time.perf_counter()
        process = subprocess.Popen([*command, "run"], cwd=ROOT, env=env, stderr=subprocess.DEVNULL)
        try:
            while not _beats(Path(env["BTCBUZZ_DB"])):
                time.sleep(0.01)
            seconds = time.perf_counter() - began
            time.sleep(rest_s)
            return seconds, psutil.Process(process.pid).memory_info().rss / 1e6
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(40)


def _beats(path: Path) -> bool:
    try:
        with opened(path, "ro") as db:
            return db.conn.execute("SELECT 1 FROM heartbeats").fetchone() is not None
    except StoreError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rest", type=float, default=15.0)
    args = parser.parse_args()
    bare, results = [], []
    for _ in range(args.runs):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        bare.append(time.perf_counter() - began)
        results.append(start_once(args.rest))
    print(
        json.dumps(
            {
                "n": args.runs,
                "seconds_to_first_tick_median": round(statistics.median(r[0] for r in results), 2),
                "bare_python_s_median": round(statistics.median(bare), 3),
                "idle_mb_median": round(statistics.median(r[1] for r in results), 1),
                "idle_mb_most": round(max(r[1] for r in results), 1),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
