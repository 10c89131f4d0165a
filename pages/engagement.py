"""Engagement: what readers did."""

from console import shell
from console.screens import engagement

with shell.open_page("Engagement") as desk:
    engagement.show(desk, engagement.read(desk))
