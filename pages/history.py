"""History: every post, found by its words, followed back to its raw prompt."""

from console import shell
from console.screens import history, provenance

with shell.open_page("History") as desk:
    post_id = history.opened()
    if post_id is not None:
        provenance.show(desk, provenance.read(post_id))
    else:
        history.results(desk, history.read(history.ask(desk)))
