"""Benchmarks: which model, from evidence."""

from console import shell
from console.screens import benchmarks

with shell.open_page("Benchmarks") as desk:
    benchmarks.runs(desk)
    benchmarks.start(desk)
    benchmarks.production(desk)
