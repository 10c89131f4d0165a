"""The embedded model's own process: llama.cpp's server, alive as long as its parent's pipe.

Started by :mod:`engine.llm.embedded` as a script. One JSON line in: ``{"weights", "threads",
"num_ctx", "key"}``; one out: ``{"url"}`` or ``{"error"}``. When stdin ends, because the parent
closed it or died in any way, so does this process. Facts: embedded-model §1.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from typing import Any

# llama.cpp keeps the states of old prompts in memory, by default up to 8 GB of them
PROMPT_CACHE_MB = 64


def main() -> None:
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever the library prints must not look like our answer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    order = json.loads(sys.stdin.readline())
    leash = threading.Thread(target=_end_with_parent)
    leash.start()
    try:
        server = _serve(order)
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), file=answer, flush=True)
        os._exit(1)
    print(json.dumps({"url": server.listening_address}), file=answer, flush=True)
    leash.join()


def _serve(order: dict[str, Any]) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = order["weights"]
    params.model_alias = {"smollm2"}
    params.n_ctx = order["num_ctx"]
    params.n_parallel = 1
    params.verbosity = 0
    params.cpuparams.n_threads = order["threads"]
    params.cpuparams_batch.n_threads = order["threads"]
    params.cache_ram_mib = PROMPT_CACHE_MB
    params.hostnames = ["127.0.0.1"]
    params.api_keys = [order["key"]]  # no other user or web page of this machine gets in
    return xllamacpp.Server(params)


def _end_with_parent() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)  # the server has no way to be stopped but its process's end


if __name__ == "__main__":
    main()
