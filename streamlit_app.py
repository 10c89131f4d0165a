"""The console's front door: the menu, then the page. Each page guards itself (console/shell.py)."""

from console import registry, state

page = registry.navigation()
state.enter()
page.run()
