"""The commands of ``runner.py``, one module per group; each has ``add(commands)``."""

from engine.service.commands import (
    alerts,
    care,
    content,
    lab,
    learning,
    prompts,
    queue,
    run,
    settings,
    texts,
    tokens,
)

GROUPS = (run, content, queue, learning, lab, prompts, texts, settings, tokens, alerts, care)
