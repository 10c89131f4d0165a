"""Posts without a model: vetted backup posts that are true now, freshest first; then vetted
phrases drawn by lot.

They pass the same checks as a model's posts. Whole posts are few, and the same words come only
once a week: the phrases keep slots filled through long outages and the template arm of experiments.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import TemplateError
from engine.llm.derive import text_of_grammar
from engine.writing import banks, phrases
from engine.writing.recipes import Material, finished, plan_menu

MOST = 12
"""How many are tried: each costs a whole run of the checks."""


def candidates(material: Material) -> Iterator[str]:
    """Finished texts, in random order, those not used lately first; at most :data:`MOST` whole
    posts and as many composed ones."""
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
    plan = plan_menu(material)
    for _ in range(MOST):
        try:
            yield plan.fill(text_of_grammar(plan.grammar or "", material.rng))
        except (TemplateError, ValueError):  # no grammar: nothing on the menu fits the market
            return
