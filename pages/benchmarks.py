"""Benchmarks: evidence, or what starts it."""

from console import shell
from console.screens import learn

with shell.open_page("Benchmarks") as desk:
    learn.benchmarks(desk)
