"""Every reported figure equals what a loopback Ollama server was programmed to do."""

from __future__ import annotations

import json
import os
import statistics
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.clock import SystemClock
from engine.config import Config
from engine.errors import UsageError
from engine.lab import benchmark
from engine.lab.plan import make_plan
from engine.llm.ollama import OllamaModel
from engine.store import bench
from engine.store.database import opened
from tests.fakes.ollama_server import FakeModel, OllamaServer, Reply
from tests.lab.conftest import Ran, read

GOOD = json.dumps({"text": "Patience is a strategy. Bitcoin is a long game."})
MODEL = "ollama:llama3:8b"

Bench = Callable[..., Ran]


def metrics(**over: Any) -> dict[str, Any]:
    """A final record with round figures: nanoseconds and tokens."""
    return {
        "load_duration": 60_000_000,
        "prompt_eval_count": 300,
        "prompt_eval_duration": 500_000_000,
        "eval_count": 40,
        "eval_duration": 800_000_000,
        **over,
    }


def test_tokens_and_rates_are_the_servers_own(bench_on: Bench) -> None:
    """Decode rate is tokens over decode time; prefill counts only tokens that were not cached."""
    with OllamaServer(reply=Reply(GOOD, metrics=metrics(prompt_eval_cached_count=100))) as server:
        ran = bench_on(Config(ollama_url=server.url), models=[MODEL])
    cell = ran.cell(MODEL)
    assert cell["decode_tok_s"] == pytest.approx(40 / 0.8)
    assert cell["prefill_tok_s"] == pytest.approx(200 / 0.5)
    assert cell["server_s_median"] == pytest.approx(0.06 + 0.5 + 0.8)
    assert (cell["n_planned"], cell["n_ok"], cell["n_accepted"]) == (3, 3, 3)


def test_decode_rate_weighs_tokens_not_calls(bench_on: Bench) -> None:
    """A slow long answer and a fast short one: the sum of tokens over the sum of times."""
    replies = [
        metrics(eval_count=90, eval_duration=9_000_000_000),
        metrics(eval_count=10, eval_duration=100_000_000),
    ]
    with OllamaServer() as server:
        server.reply = Reply(GOOD)
        server.next.extend([Reply(GOOD), *(Reply(GOOD, metrics=m) for m in replies)])
        ran = bench_on(Config(ollama_url=server.url), models=[MODEL], repeats=2)
    assert ran.cell(MODEL)["decode_tok_s"] == pytest.approx(100 / 9.1)


def test_programmed_delays_are_measured(bench_on: Bench) -> None:
    """First token after 80 ms, five more 20 ms apart: 80 and 180 ms, within clock error."""
    reply = Reply(["{", '"text": ', '"Patience', " is", ' a game."', "}"], (), 0.08, 0.02)
    with OllamaServer(reply=reply) as server:
        ran = bench_on(Config(ollama_url=server.url), models=[MODEL], repeats=5)
    cell = ran.cell(MODEL)
    assert 0.08 <= cell["ttft_s_median"] < 0.4
    assert 0.18 <= cell["seconds_median"] < 0.6
    walls = [call.wall_s for call in ran.warm(MODEL)]
    assert cell["seconds_median"] == pytest.approx(statistics.median(walls))
    assert cell["seconds_per_accepted"] == pytest.approx(sum(walls) / cell["n_accepted"])


def test_thinking_is_a_first_token_but_not_a_first_answer(bench_on: Bench) -> None:
    """Three thoughts before the answer: the first sign of life comes earlier than the answer."""
    reply = Reply([GOOD], ("hm", "so", "well"), 0.02, 0.03)
    with OllamaServer(reply=reply) as server:
        ran = bench_on(Config(ollama_url=server.url), models=[MODEL])
    cell = ran.cell(MODEL)
    assert 0.02 <= cell["ttft_s_median"] < 0.1
    assert cell["first_answer_s_median"] >= 0.11


def test_failures_are_counted_by_kind_and_never_pass(bench_on: Bench) -> None:
    """One good answer among an error, a line of error, a cut, an empty and a lost one."""
    bad = [
        Reply(status=500, error="boom"),
        Reply(GOOD, error_after=0, error="runner died"),
        Reply(GOOD, done_reason="length"),
        Reply("", thinking=("hm",)),
        Reply(GOOD, final=False),
    ]
    with OllamaServer(reply=Reply(GOOD)) as server:
        server.next.extend([Reply(GOOD), *bad])
        ran = bench_on(Config(ollama_url=server.url), models=[MODEL], repeats=6)
    cell = ran.cell(MODEL)
    assert (cell["n_ok"], cell["n_error"], cell["n_truncated"], cell["n_empty"]) == (1, 3, 1, 1)
    assert cell["n_accepted"] == 1
    assert cell["accepted_interval"][1] < 0.65, "failures stay in the rate"


def test_a_model_that_always_fails_is_null_not_nan(bench_on: Bench) -> None:
    with OllamaServer(reply=Reply(status=500, error="boom")) as server:
        ran = bench_on(Config(ollama_url=server.url), models=[MODEL])
    cell = ran.cell(MODEL)
    assert (cell["n_error"], cell["n_accepted"]) == (3, 0)
    for key in ("seconds_median", "seconds_per_accepted", "ttft_s_median", "decode_tok_s"):
        assert cell[key] is None
    json.dumps(ran.answer, allow_nan=False)


def test_an_answer_that_is_no_post_is_ok_but_not_accepted(bench_on: Bench) -> None:
    with OllamaServer(reply=Reply("Here is your tweet: buy now!")) as server:
        ran = bench_on(Config(ollama_url=server.url), models=[MODEL])
    cell = ran.cell(MODEL)
    assert (cell["n_ok"], cell["n_accepted"]) == (3, 0)
    assert cell["rules"]["format.placeholder"] == 3


def test_missing_fields_are_unknown(bench_on: Bench) -> None:
    """A server that tells no counts: walls are known, rates are null."""
    gone = dict.fromkeys(metrics(), None)
    with OllamaServer(reply=Reply(GOOD, metrics=gone)) as server:
        ran = bench_on(Config(ollama_url=server.url), models=[MODEL])
    cell = ran.cell(MODEL)
    assert cell["seconds_median"] > 0
    assert cell["decode_tok_s"] is None
    assert cell["prefill_tok_s"] is None


def test_the_cold_run_follows_an_unload_and_stays_out_of_the_warm_figures(bench_on: Bench) -> None:
    """A load of half a second shows in the cold call only."""
    with OllamaServer([FakeModel("llama3:8b", load_s=0.5)], Reply(GOOD)) as server:
        server.loaded["llama3:8b"] = 4096
        ran = bench_on(Config(ollama_url=server.url), models=[MODEL])
    cell = ran.cell(MODEL)
    assert 0.5 <= cell["cold"]["load_s"] < 0.9
    assert cell["cold"]["wall_s"] >= 0.5
    assert cell["seconds"]["max"] < 0.5
    assert len(server.loads) == 1


def test_waiting_in_the_servers_queue_is_told_apart(bench_on: Bench) -> None:
    """load_duration includes the queue (ollama#12443): such a call was not warm, and is counted."""
    with OllamaServer(reply=Reply(GOOD)) as server:
        queued = Reply(GOOD, metrics=metrics(load_duration=2_000_000_000))
        server.next.extend([Reply(GOOD), queued])
        ran = bench_on(Config(ollama_url=server.url), models=[MODEL])
    assert ran.cell(MODEL)["reloads"] == 1


def test_context_names_what_was_measured(bench_on: Bench) -> None:
    fake = FakeModel("llama3:8b", size=5_000_000_000, gpu_share=0.5)
    with OllamaServer([fake], Reply(GOOD)) as server:
        ran = bench_on(Config(ollama_url=server.url), models=[MODEL])
    told = ran.answer["context"]["models"][MODEL]
    assert (told["digest"], told["quantization"], told["num_ctx"]) == ("a" * 64, "Q4_0", 4096)
    assert (told["loaded_bytes"], told["gpu_share"]) == (5_000_000_000, 0.5)
    assert told["rss_bytes"] > 1_000_000, "the fake server lives in this process"
    assert ran.answer["context"]["hardware"]["cores"] >= 1
    assert ran.cell(MODEL)["lights"]["under_10_gb"] == "met"


def test_models_take_turns_with_equal_seeds_and_prompts(bench_on: Bench) -> None:
    """Each repeat asks every model, another one first each time, with one seed for all."""
    models = [FakeModel("a:1"), FakeModel("b:1")]
    with OllamaServer(models, Reply(GOOD)) as server:
        bench_on(Config(ollama_url=server.url), models=["ollama:a:1", "ollama:b:1"], cache="keep")
        asked = server.requests()[2:]
    assert [body["model"] for body in asked] == ["a:1", "b:1", "b:1", "a:1", "a:1", "b:1"]
    for first, second in zip(asked[::2], asked[1::2], strict=True):
        assert first["options"]["seed"] == second["options"]["seed"]
        assert first["prompt"] == second["prompt"]
    assert len({body["options"]["seed"] for body in asked}) == 3


def test_the_prompt_cache_is_defeated_by_a_new_first_line(bench_on: Bench) -> None:
    """No two prompts begin alike, and no number is put into one."""
    with OllamaServer(reply=Reply(GOOD)) as server:
        bench_on(Config(ollama_url=server.url), models=[MODEL], repeats=13)
        heads = [body["system"].partition("\n")[0] for body in server.requests()]
    assert len(set(heads)) == len(heads) == 14
    assert not any(char.isdigit() for head in heads for char in head)


def test_a_model_thrown_out_between_turns_is_loaded_before_it_is_measured(bench_on: Bench) -> None:
    """The server holds one model at a time: reloads happen outside of what is measured."""
    models = [FakeModel("a:1", load_s=0.5), FakeModel("b:1", load_s=0.5)]
    with OllamaServer(models) as server:

        def only_one(body: dict[str, Any]) -> Reply:
            for other in [name for name in server.loaded if name != body["model"]]:
                del server.loaded[other]
            return Reply(GOOD)

        server.reply = only_one
        ran = bench_on(Config(ollama_url=server.url), models=["ollama:a:1", "ollama:b:1"])
    assert all(call.wall_s < 0.5 for call in ran.calls if call.phase == "warm")


def test_a_run_is_cancelled_after_the_call_in_flight_and_taken_up_again(lab: Path) -> None:
    clock = SystemClock()
    with OllamaServer(reply=Reply(GOOD)) as server, opened(lab) as db:
        config = Config(ollama_url=server.url)
        plan = make_plan(db, models=[MODEL], types=["joke"], repeats=6)
        run_id = benchmark.start(db, plan, actor="test", clock=clock)

        def cancel_at_two(done: int, planned: int) -> None:
            if done == 2:
                assert bench.ask_to_cancel(db, run_id, now=clock.now())

        stopped = benchmark.work(lab, run_id, config, clock, progress=cancel_at_two)
        assert (stopped.state, stopped.done) == ("cancelled", 2)
        begun = benchmark.unfinished(db, plan)
        assert begun is not None and begun.id == run_id
        seen: list[tuple[int, int]] = []
        done = benchmark.work(lab, run_id, config, clock, progress=lambda *at: seen.append(at))
    assert (done.state, done.done) == ("done", 6)
    assert seen == [(3, 6), (4, 6), (5, 6), (6, 6)]
    ran = read(lab, done)
    assert ran.cell(MODEL)["n_accepted"] == 6
    assert len({call.place for call in ran.calls}) == 7


def test_one_process_works_on_a_run(lab: Path) -> None:
    """A run whose process is alive is refused to others."""
    clock = SystemClock()
    with OllamaServer(reply=Reply(GOOD)) as server, opened(lab) as db:
        config = Config(ollama_url=server.url)
        plan = make_plan(db, models=[MODEL], types=["joke"], repeats=2)
        run_id = benchmark.start(db, plan, actor="test", clock=clock)

        parent = psutil.Process(os.getppid())
        boot = clock.boot_id()
        assert bench.claim(
            db, run_id, worker=f"{boot} {parent.pid} {parent.create_time()}",
            before=bench.open_runs(db)[0].worker,
        )  # fmt: skip
        with pytest.raises(UsageError, match="another process"):
            benchmark.work(lab, run_id, config, clock)
        assert benchmark.next_waiting(db) is None


def test_a_run_whose_process_is_gone_is_next_for_the_runner(lab: Path) -> None:
    """Process ids are used again: boot and the process's start tell them apart."""
    clock = SystemClock()
    with opened(lab) as db:
        plan = make_plan(db, models=[MODEL], types=["joke"], repeats=2)
        run_id = benchmark.start(db, plan, actor="test", clock=clock)
        gone = f"{clock.boot_id()} {os.getpid()} 12.5"
        assert bench.claim(db, run_id, worker=gone, before=bench.open_runs(db)[0].worker)
        assert benchmark.next_waiting(db) == run_id


def test_stopping_the_worker_leaves_the_rest_waiting(lab: Path) -> None:
    """A call that was cut off by the stop is not in the figures."""
    clock = SystemClock()
    with OllamaServer(reply=Reply(GOOD)) as server, opened(lab) as db:
        config = Config(ollama_url=server.url)
        plan = make_plan(db, models=[MODEL], types=["joke"], repeats=4)
        run_id = benchmark.start(db, plan, actor="test", clock=clock, queued=True)
        assert benchmark.next_waiting(db) == run_id
        built: list[OllamaModel] = []

        def build(name: str) -> OllamaModel:
            built.append(OllamaModel(server.url, "llama3:8b"))
            return built[-1]

        def slow_then_stop(body: dict[str, Any]) -> Reply:
            if len(server.requests()) == 3:
                threading.Timer(0.1, built[-1].close).start()
                return Reply(GOOD, first_token_s=1.0)
            return Reply(GOOD)

        server.reply = slow_then_stop
        stopped = benchmark.work(lab, run_id, config, clock, build=build)
        assert (stopped.state, stopped.done) == ("waiting", 1)
        server.reply = Reply(GOOD)
        done = benchmark.work(lab, run_id, config, clock)
    assert read(lab, done).cell(MODEL)["n_ok"] == 4
