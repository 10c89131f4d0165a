"""The commands of ``runner.py``, one module per group; each has ``add(commands)``."""

from engine.service.commands import care, content, learning, queue, run, settings, texts

GROUPS = (run, content, queue, learning, texts, settings, care)
