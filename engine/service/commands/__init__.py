"""The commands of ``runner.py``, one module per group; each has ``add(commands)``."""

from engine.service.commands import care, content, queue, run, settings, texts

GROUPS = (run, content, queue, texts, settings, care)
