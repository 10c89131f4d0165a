"""Benchmarks: which model, from evidence."""

from console import shell
from console.screens import benchmarks, lab, sameness

with shell.open_page("Benchmarks") as desk:
    benchmarks.runs(desk)
    benchmarks.start(desk)
    lab.arena(desk)
    lab.forecast(desk)
    benchmarks.production(desk)
    sameness.trend(desk)
