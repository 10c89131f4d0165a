"""Where a benchmark ran: the machine, the models as their servers describe them, their memory."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from engine import __version__
from engine.config import Config, is_loopback
from engine.errors import ModelError
from engine.llm.base import Model


def hardware() -> dict[str, Any]:
    """Processor, cores, memory, system. ``load_1m`` tells whether others were at work."""
    import psutil

    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "ram_bytes": psutil.virtual_memory().total,
        "load_1m": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "btcbuzzbot": __version__,
    }


def describe(model: Model) -> dict[str, Any]:
    """Server, version, digest, quantisation and context window; ``error`` where it cannot tell."""
    known: dict[str, Any] = {"backend": model.backend}
    try:
        info = model.info()
    except ModelError as error:
        return {**known, "error": str(error)}
    return {
        **known,
        "digest": info.digest,
        "parameter_size": info.parameter_size,
        "quantization": info.quantization,
        "size_bytes": info.size_bytes,
        "num_ctx": info.details.get("num_ctx"),
        "server_version": info.details.get("server_version"),
    }


def memory(model: Model, config: Config) -> dict[str, Any]:
    """After the model answered once: the server's own figure, its share on the GPU, and the
    resident memory of a server process on this machine. None where unknown."""
    health = model.health()
    pid = getattr(model, "pid", None)
    return {
        "loaded_bytes": health.loaded_bytes,
        "gpu_share": health.gpu_share,
        "rss_bytes": _resident(pid) if pid else server_bytes(model.backend, config),
    }


def server_bytes(backend: str, config: Config) -> int | None:
    """Resident memory of the model server on this machine, its children included; None where
    there is none or it cannot be seen."""
    pid = _listener(_url(backend, config))
    return _resident(pid) if pid else None


def memory_bytes(described: dict[str, Any]) -> int | None:
    """What the model takes, by the server's word or else by its process."""
    return described.get("loaded_bytes") or described.get("rss_bytes")


def _url(backend: str, config: Config) -> str | None:
    return {"ollama": config.ollama_url, "openai": config.openai_url}.get(backend)


def _listener(url: str | None) -> int | None:
    """Process id of who listens at a loopback address; None for another machine, or unknown."""
    import psutil

    parts = urlsplit(url or "")
    if not url or not is_loopback(parts.hostname):
        return None
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = psutil.net_connections(kind="tcp")
    except psutil.Error:
        return None
    return next(
        (
            item.pid
            for item in found
            if item.status == psutil.CONN_LISTEN and item.laddr and item.laddr.port == port
        ),
        None,
    )


def _resident(pid: int) -> int | None:
    """Resident bytes of a process and its children: Ollama runs each model in one of its own."""
    import psutil

    try:
        parent = psutil.Process(pid)
        family = [parent, *parent.children(recursive=True)]
        return sum(int(process.memory_info().rss) for process in family)
    except psutil.Error:
        return None


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        return platform.processor() or "unknown"
    return platform.processor() or "unknown"
