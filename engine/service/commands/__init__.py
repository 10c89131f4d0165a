"""The commands of ``runner.py``, one module per group; each has ``add(commands)``."""

from engine.service.commands import care, content, lab, learning, queue, run, settings, texts, tokens

GROUPS = (run, content, queue, learning, lab, texts, settings, tokens, care)
