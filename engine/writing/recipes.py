"""How much a model may write: ``menu`` (it chooses), ``slots`` (it writes around facts), ``free``.

Larger models get ``slots``: the text is theirs, numbers and signs are code's. With ``free`` they
write every word, and the checks prove it afterwards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine.errors import TemplateError
from engine.llm.base import Options, Prompt
from engine.writing import phrases
from engine.writing.menu import plan_menu
from engine.writing.plans import Material, Plan, Recipe, finished

__all__ = [
    "Material",
    "Plan",
    "Recipe",
    "finished",
    "plan_free",
    "plan_menu",
    "plan_slots",
    "recipe_for",
]

_OPTIONS = Options(temperature=0.8, max_tokens=120)

_CONSTANTS = re.compile(r"\b24(?:/7|h\b|[- ]hours?\b)|\b7[- ]days?\b", re.IGNORECASE)
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}


def recipe_for(backend: str, features: frozenset[str], setting: str) -> Recipe:
    """The recipe in force. ``auto``: menu for the embedded and the scripted model, else slots.

    A menu needs a grammar; a backend without one gets slots instead.
    """
    if setting == "free":
        return "free"
    wants_menu = setting == "menu" or (setting == "auto" and backend in ("embedded", "scripted"))
    return "menu" if wants_menu and "grammar" in features else "slots"


def plan_slots(material: Material, prompt: Prompt) -> Plan:
    """The model writes around ``{placeholders}``; any digit of its own fails ``fill``.

    ``prompt`` comes from a template; what is added to it stands before its closing ``Post:``.
    """
    known = _slot_values(material)

    def fill(raw: str) -> str:
        text = _answer(raw, material.features)
        if known and "{price}" not in text:
            raise TemplateError("the price is missing: write {price} where it belongs.")
        digit = re.search(r"\d", _CONSTANTS.sub("", text))
        if digit:
            raise TemplateError(
                f"the digit {digit.group()} is written out; numbers only through placeholders."
            )
        return finished(phrases.fill(text, known), material)

    rules = "Write no digits."
    if known:
        meanings = "\n".join(f"- {{{name}}} stands for {value}" for name, value in known.items())
        rules = (
            "Never write a number or a percentage yourself. Write these placeholders, braces "
            f"included, where they belong; {{price}} must appear:\n{meanings}"
        )
    return _written("slots", material, prompt, rules, fill, tuple(known))


def plan_free(material: Material, prompt: Prompt) -> Plan:
    """The model writes the whole post; the checks prove it afterwards."""

    def fill(raw: str) -> str:
        return finished(_answer(raw, material.features), material)

    return _written("free", material, prompt, "Write one short sentence, or two.", fill, None)


def _slot_values(material: Material) -> dict[str, str]:
    """Placeholders a model may use; ``move`` carries the sign, so that code owns it too."""
    if material.content_type != "price":
        return {}
    market = material.market()
    known = phrases.values(market.facts)
    size = market.size_24h()
    if size == "flat":
        known["move"] = "little changed"
    elif size is not None:
        known["move"] = f"{size} {known['change']}"
    names = ("price", "move", "high", "low", "ath", "fng", "block")
    return {name: known[name] for name in names if name in known}


def _written(
    recipe: Recipe,
    material: Material,
    prompt: Prompt,
    rules: str,
    fill: Callable[[str], str],
    placeholders: tuple[str, ...] | None,
) -> Plan:
    schema = grammar = None
    if "json_schema" in material.features:
        schema = _SCHEMA
        rules += '\nAnswer with JSON: {"text": "the post"}'
    elif "grammar" in material.features and placeholders is not None:
        grammar = _no_digits(placeholders)
    body, closing = prompt.user, ""
    if body.rstrip().endswith("Post:"):
        body, closing = body.rstrip().removesuffix("Post:").rstrip(), "\n\nPost:"
    return Plan(
        recipe, replace(prompt, user=f"{body}\n\n{rules}{closing}"), grammar, schema,
        _OPTIONS, fill,
    )  # fmt: skip


def _no_digits(placeholders: tuple[str, ...]) -> str:
    """One line of text without digits or braces, where only known placeholders may stand."""
    names = "".join(f' | "{{{name}}}"' for name in placeholders)
    return f"root ::= piece{{20,220}}\npiece ::= [^0-9{{}}\\n]{names}"


def _answer(raw: str, features: frozenset[str]) -> str:
    """The text in a raw answer: out of its JSON where a schema was asked for, one line, unquoted."""
    text = raw.strip()
    if "json_schema" in features:
        try:
            text = str(json.loads(text)["text"]).strip()
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise TemplateError('the answer is not the JSON {"text": …} asked for.') from error
    if len(text) > 1 and text[0] + text[-1] in ('""', "“”") and not set(text[1:-1]) & set('"“”'):
        text = text[1:-1].strip()
    if not text:
        raise TemplateError("the answer is empty.")
    return text
