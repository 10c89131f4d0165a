"""Experiments: what works, shown so that nobody can fool themselves."""

from console import shell
from console.screens import experiment_form, experiments

with shell.open_page("Experiments") as desk:
    view = experiments.read(desk)
    experiments.show(desk, view)
    experiments.resolution(view)
    experiments.mix(view)
    experiment_form.start(desk)
