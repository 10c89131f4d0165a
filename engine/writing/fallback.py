"""Posts without a model: vetted backup posts that are true now and new; then vetted
phrases drawn by lot.

They pass the same checks as a model's posts. Whole posts are few, and the same words come only
once a week: the phrases keep slots filled through long outages and the template arm of experiments.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from engine.errors import NothingNew, TemplateError
from engine.llm.derive import text_of_grammar
from engine.writing import banks, phrases
from engine.writing.recipes import Material, finished, plan_menu

MOST = 12
"""How many are tried: each costs a whole run of the checks."""


def candidates(material: Material) -> Iterator[str]:
    """Finished texts that repetition lets pass, in random order: at most :data:`MOST` whole posts,
    then as many composed ones."""
    market = material.market()
    usable = [
        post
        for post in banks.backup_posts(material.content_type)
        if phrases.usable(post.text, post.when, market)
    ]
    known = phrases.values(market.facts)
    material.rng.shuffle(usable)
    yield from itertools.islice(_new(usable, known, material), MOST)
    for _ in range(MOST):
        try:
            plan = plan_menu(material)
        except NothingNew:
            return
        yield plan.fill(text_of_grammar(plan.grammar or "", material.rng))


def _new(
    usable: list[banks.BackupPost], known: dict[str, str], material: Material
) -> Iterator[str]:
    for post in usable:
        try:
            text = finished(phrases.fill(post.text, known), material)
        except TemplateError:
            continue  # this one has no room for the headline; the next may
        if material.recall is None or not material.recall.refuses(text):
            yield text
