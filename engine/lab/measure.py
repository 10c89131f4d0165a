"""One measured call: what is asked, what came back, and how long it took by whose clock."""

from __future__ import annotations

import dataclasses
import random
import time
from dataclasses import dataclass

from engine.errors import ModelBadReply, ModelCancelled, ModelError, TemplateError
from engine.lab.plan import CachePolicy, Place
from engine.llm.base import Generation, GenerationRequest, Model, Options, Prompt
from engine.store.bench import BenchCall
from engine.writing import trial
from engine.writing.trial import Setting

UNFILLED = "format.placeholder"
"""Rule of an answer that is no post: its JSON or its placeholders were wrong."""


@dataclass(frozen=True)
class Question:
    """A call ready to be made. ``options`` are an operator's settings over the recipe's own."""

    place: Place
    setting: Setting
    options: dict[str, object]
    cache: CachePolicy
    timeout_s: float


def ask(model: Model, question: Question, phase: str = "warm") -> BenchCall:
    """Make the call; a failure of the model is a result, not an exception.

    Raises: ModelCancelled when the model was closed during the call, which measures nothing.
    """
    entered = time.perf_counter()
    place = question.place
    material = dataclasses.replace(question.setting.material, rng=random.Random(place.seed))
    plan = trial.planned(dataclasses.replace(question.setting, material=material), model)
    defeat = question.cache == "defeat"
    prompt, obeys = plan.prompt, "server_timings" in model.features and model.backend != "ollama"
    if defeat and not obeys:
        prompt = marked(prompt, f"{place.seed}/{place.number}")
    request = GenerationRequest(
        prompt,
        _options(plan.options, question.options, place.seed),
        grammar=plan.grammar,
        json_schema=plan.json_schema,
        timeout_s=question.timeout_s,
        cache_prompt=not defeat,
    )
    answer_s: float | None = None
    started = time.perf_counter()

    def first_text(piece: str) -> None:
        nonlocal answer_s
        if answer_s is None:
            answer_s = time.perf_counter() - started

    outcome, error, generation, text, verdict = "ok", None, None, "", None
    try:
        generation = model.generate(request, first_text)
    except ModelCancelled:
        raise
    except ModelError as failure:
        generation = failure.generation if isinstance(failure, ModelBadReply) else None
        kind = failure.kind if isinstance(failure, ModelBadReply) else ""
        outcome = kind if kind in ("empty", "truncated") else "error"
        error = str(failure)
    ended = time.perf_counter()
    if outcome == "ok" and generation is not None:
        try:
            text = plan.fill(generation.text)
        except TemplateError as failure:
            error, verdict = str(failure), "reject"
    call = BenchCall(
        place=place.number,
        phase=phase,
        model=place.model,
        content_type=place.subject.content_type,
        recipe=place.recipe,
        version_id=place.subject.version_id,
        repeat=place.repeat,
        moment=place.moment,
        seed=place.seed,
        recipe_used=plan.recipe,
        outcome=outcome,
        wall_s=generation.timings.wall_s if generation else ended - started,
        cache_defeated=defeat,
        harness_s=0.0,
        error=error,
        text=text,
        verdict=verdict,
        rules=(UNFILLED,) if verdict else (),
        answer_s=answer_s,
    )
    if generation is not None:
        call = _with_figures(call, generation)
    spent = (started - entered) + (time.perf_counter() - ended)
    return dataclasses.replace(call, harness_s=spent)


def marked(prompt: Prompt, key: str) -> Prompt:
    """``prompt`` with a new first line, so that no server has its beginning in a cache.

    Letters only: a number in a prompt tempts a model to repeat it.
    """
    word = "".join(random.Random(key).choices("bcdfghjklmnpqrstvwxz", k=12))
    line = f"Session {word}."
    if prompt.system:
        return dataclasses.replace(prompt, system=f"{line}\n{prompt.system}")
    return dataclasses.replace(prompt, user=f"{line}\n{prompt.user}")


def _options(base: Options, chosen: dict[str, object], seed: int) -> Options:
    known = {key: value for key, value in chosen.items() if key != "stop"}
    return dataclasses.replace(base, **known, seed=seed)  # type: ignore[arg-type]


def _with_figures(call: BenchCall, made: Generation) -> BenchCall:
    timings, usage = made.timings, made.usage
    return dataclasses.replace(
        call,
        raw_text=made.text,
        ttft_s=timings.ttft_s,
        load_s=timings.load_s,
        prefill_s=timings.prefill_s,
        decode_s=timings.decode_s,
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        output_tokens=usage.output_tokens,
    )
