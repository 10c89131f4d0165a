"""Experiments: evidence, or what starts it."""

from console import shell
from console.screens import learn

with shell.open_page("Experiments") as desk:
    learn.experiments(desk)
