"""The commands of ``runner.py``, one module per group; each has ``add(commands)``."""

from engine.service.commands import content, run, settings, texts

GROUPS = (run, content, texts, settings)
