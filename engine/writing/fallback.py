"""Posts without a model: vetted backup posts that are true now, freshest first.

They pass the same checks as a model's posts; what makes them worth less is only that they are few.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import TemplateError
from engine.writing import banks, phrases
from engine.writing.recipes import Material, finished

MOST = 12
"""How many are tried: each costs a whole run of the checks."""


def candidates(material: Material) -> Iterator[str]:
    """Finished texts, in random order, those not used lately first; at most :data:`MOST`."""
    market = material.market()
    usable = [
        post
        for post in banks.backup_posts(material.content_type)
        if phrases.usable(post.text, post.when, market)
    ]
    known = phrases.values(market.facts)
    for post in banks.pick(material.rng, usable, MOST, material.avoid):
        try:
            yield finished(phrases.fill(post.text, known), material)
        except TemplateError:
            continue  # this one has no room for the headline; the next may
