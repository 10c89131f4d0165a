"""How fast the embedded model writes through our backend, beside ``xllamacpp`` alone; and what a
stable head of the prompt saves.

``python -m tests.benchmarks.decode [--runs 9] [--tokens 128] [--threads 1]`` prints one JSON
object. Both sides write the same prompt with the same seeds and options in the same run, in turn,
in processes of their own; the order within a pair changes each round. Rates are tokens a second:
``decode`` by llama.cpp's own clock, ``call`` by ours around the whole call, prefill included.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.errors import ModelBadReply
from engine.llm.base import Generation, GenerationRequest, Options, Prompt
from engine.llm.embedded import NUM_CTX, EmbeddedModel, find_weights

GOAL = 0.90
PROMPT = (
    "Posts about Bitcoin for people who follow it every day.\n"
    "Post: Bitcoin holds its ground while the market waits for the next block.\n"
    "Post: A calm day for Bitcoin, and calm days are part of the game.\n"
    "Post:"
)
_HEAD_LINE = "Post {number}: Bitcoin keeps its own time, one block after another, in any weather.\n"

_ALONE = """
import json, os, sys, time
import xllamacpp
order = json.loads(sys.stdin.readline())
p = xllamacpp.CommonParams()
p.model.path = order["weights"]; p.n_ctx = order["num_ctx"]; p.n_parallel = 1; p.verbosity = 0
p.cpuparams.n_threads = p.cpuparams_batch.n_threads = order["threads"]
answer = os.fdopen(os.dup(1), "w"); os.dup2(2, 1)
server = xllamacpp.Server(p)
for line in sys.stdin:
    started = time.perf_counter()
    reply = server.handle_completions(json.loads(line))
    wall = time.perf_counter() - started
    print(json.dumps({"wall_s": wall, "text": reply["choices"][0]["text"],
                      "tokens": reply["usage"]["completion_tokens"],
                      "decode_s": reply["timings"]["predicted_ms"] / 1000}), file=answer, flush=True)
os._exit(0)
"""


@dataclass(frozen=True)
class Run:
    """One text: seconds and tokens."""

    text: str
    tokens: int
    decode_s: float
    wall_s: float


class Alone:
    """``xllamacpp`` and nothing else, in a child process, called in process there."""

    def __init__(self, threads: int) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-c", _ALONE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._send({"weights": str(find_weights()), "num_ctx": NUM_CTX, "threads": threads})

    def write(self, request: GenerationRequest) -> Run:
        options = request.options
        self._send(
            {
                "prompt": request.prompt.text(),
                "max_tokens": options.max_tokens,
                "temperature": options.temperature,
                "top_p": options.top_p,
                "top_k": options.top_k,
                "min_p": options.min_p,
                "repeat_penalty": options.repeat_penalty,
                "seed": options.seed,
                "cache_prompt": request.cache_prompt,
            }
        )
        assert self._child.stdout is not None
        return Run(**json.loads(self._child.stdout.readline()))

    def close(self) -> None:
        self._child.communicate()

    def _send(self, value: dict[str, Any]) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(value) + "\n")
        self._child.stdin.flush()


def through_backend(model: EmbeddedModel, request: GenerationRequest) -> Run:
    """The same, the way the bot does it; a text cut at its limit is as good here as another."""
    made = _whole_or_cut(model, request)
    assert made.usage.output_tokens and made.timings.decode_s
    return Run(made.text, made.usage.output_tokens, made.timings.decode_s, made.timings.wall_s)


def compare(model: EmbeddedModel, alone: Alone, *, runs: int, tokens: int) -> dict[str, Any]:
    """Both sides in turn; the first pair warms up and is not counted."""
    ours: list[Run] = []
    theirs: list[Run] = []
    for number in range(runs + 1):
        request = GenerationRequest(
            Prompt(PROMPT, raw=True),
            Options(temperature=0.8, seed=number, max_tokens=tokens),
            timeout_s=600,
        )
        turns: list[Callable[[], None]] = [
            lambda r=request: ours.append(through_backend(model, r)),  # type: ignore[misc]
            lambda r=request: theirs.append(alone.write(r)),  # type: ignore[misc]
        ]
        for turn in turns if number % 2 else reversed(turns):
            turn()
    pairs = list(zip(ours[1:], theirs[1:], strict=True))
    return {
        "n": len(pairs),
        "same_text": sum(mine.text == other.text for mine, other in pairs),
        "tokens_median": statistics.median(mine.tokens for mine, _ in pairs),
        "decode": _rates(pairs, lambda run: run.tokens / run.decode_s),
        "call": _rates(pairs, lambda run: run.tokens / run.wall_s),
    }


def prefix_cache(model: EmbeddedModel, *, runs: int) -> dict[str, Any]:
    """Heads never seen before, each with a first and a later tail; then two heads in turn, as
    two content types would use the one slot."""
    first, later = [], []
    for number in range(runs):
        head = _head(f"Run {number}")
        first.append(_prefill(model, f"{head}Tail one:"))
        later.append(_prefill(model, f"{head}Tail two:"))
    heads = [_head("Prices"), _head("Jokes")]
    turns = [_prefill(model, f"{heads[turn % 2]}Tail {turn}:") for turn in range(2 + runs)][2:]
    return {
        "n": runs,
        "prompt_tokens": first[0]["prompt_tokens"],
        "first_call": _medians(first),
        "later_call": _medians(later),
        "prefill_saved_share": 1 - _medians(later)["prefill_s"] / _medians(first)["prefill_s"],
        "two_heads_in_turn": _medians(turns),
    }


def _head(title: str) -> str:
    return f"{title}.\n" + "".join(_HEAD_LINE.format(number=number) for number in range(20))


def _prefill(model: EmbeddedModel, prompt: str) -> dict[str, float]:
    request = GenerationRequest(Prompt(prompt, raw=True), Options(max_tokens=4), timeout_s=600)
    made = _whole_or_cut(model, request)
    assert made.timings.prefill_s and made.timings.ttft_s and made.usage.prompt_tokens
    return {
        "prompt_tokens": made.usage.prompt_tokens,
        "cached_tokens": made.usage.cached_tokens or 0,
        "prefill_s": made.timings.prefill_s,
        "ttft_s": made.timings.ttft_s,
    }


def _whole_or_cut(model: EmbeddedModel, request: GenerationRequest) -> Generation:
    try:
        return model.generate(request)
    except ModelBadReply as error:
        if error.kind != "truncated":
            raise
        made: Generation = error.generation
        return made


def _medians(calls: list[dict[str, float]]) -> dict[str, float]:
    names = ("cached_tokens", "prefill_s", "ttft_s")
    return {name: round(statistics.median(call[name] for call in calls), 4) for name in names}


def _rates(pairs: list[tuple[Run, Run]], rate: Callable[[Run], float]) -> dict[str, Any]:
    ours = [rate(mine) for mine, _ in pairs]
    theirs = [rate(other) for _, other in pairs]
    return {
        "ours_tok_s": round(statistics.median(ours), 2),
        "xllamacpp_tok_s": round(statistics.median(theirs), 2),
        "ours_min_max": [round(min(ours), 2), round(max(ours), 2)],
        "xllamacpp_min_max": [round(min(theirs), 2), round(max(theirs), 2)],
        "ratio_of_medians": round(statistics.median(ours) / statistics.median(theirs), 4),
        "median_of_pair_ratios": round(
            statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True)), 4
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.benchmarks.decode")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--threads", type=int, default=int(os.environ.get("BTCBUZZ_THREADS", "1")))
    arguments = parser.parse_args()
    load_before = os.getloadavg()[0]
    started = time.perf_counter()
    model, alone = EmbeddedModel(threads=arguments.threads), Alone(arguments.threads)
    try:
        speed = compare(model, alone, runs=arguments.runs, tokens=arguments.tokens)
        cache = prefix_cache(model, runs=arguments.runs)
    finally:
        model.close()
        alone.close()
    lower = min(speed[kind]["median_of_pair_ratios"] for kind in ("decode", "call"))
    result = {
        "context": {
            "model": "embedded:smollm2",
            "digest": model.info().digest,
            "server_version": model.info().details["server_version"],
            "threads": arguments.threads,
            "num_ctx": NUM_CTX,
            "cores": os.cpu_count(),
            "machine": platform.machine(),
            "load_average_before": load_before,
            "load_average_after": os.getloadavg()[0],
            "seconds": round(time.perf_counter() - started, 1),
        },
        "speed": speed,
        "lower_ratio": lower,
        "goal": GOAL,
        "goal_met": lower >= GOAL,
        "prefix_cache": cache,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
