"""How much a model may write: ``menu`` (it chooses), ``slots`` (it writes around facts), ``free``.

With ``menu`` a model selects and orders vetted phrases that are true now; it does not write. That
is what a 135M model is good for: 20 of 20 true and postable, against 1 of 20 zero-shot (facts:
embedded-model §2). Larger models get ``slots``: the text is theirs, numbers and signs are code's.
"""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from engine.errors import TemplateError
from engine.llm.base import Options, Prompt
from engine.market.trend import Trend
from engine.records import Facts, Headline
from engine.writing import banks, echo, phrases

Recipe = Literal["menu", "slots", "free"]

LINES_OFFERED = 4
PHRASES_OFFERED = 3

_SHAPES: tuple[tuple[str, ...], ...] = (
    ("opener", "fact", "closer"),
    ("opener", "fact", "relation"),
    ("opener", "fact", "mood"),
    ("fact", "relation", "closer"),
    ("fact", "relation", "mood"),
    ("fact", "mood", "closer"),
    ("opener", "fact", "relation", "closer"),
    ("opener", "fact", "relation", "mood"),
)


@dataclass(frozen=True)
class Material:
    """What a post is made of. ``avoid`` holds ids of lines and whole texts used lately;
    ``features`` is :attr:`engine.llm.base.Model.features`; percentages are settings ``trend.*``.
    """

    content_type: str
    facts: Facts | None
    trend: Trend | None
    headline: Headline | None
    sentiment: str | None
    hashtags: tuple[str, ...]
    avoid: frozenset[str]
    rng: random.Random
    features: frozenset[str] = frozenset()
    flat_pct: float = phrases.FLAT_PCT
    strong_pct: float = phrases.STRONG_PCT

    def market(self) -> phrases.Market:
        """Facts and trend as phrases see them."""
        return phrases.Market(self.facts or Facts(), self.trend, self.flat_pct, self.strong_pct)


@dataclass(frozen=True)
class Plan:
    """One call to make: ``fill`` turns the model's raw text into the post.

    ``fill`` raises TemplateError saying what was wrong with the raw text.
    """

    recipe: Recipe
    prompt: Prompt
    grammar: str | None
    json_schema: dict[str, Any] | None
    options: Options
    fill: Callable[[str], str]


def recipe_for(backend: str, features: frozenset[str], setting: str) -> Recipe:
    """The recipe in force. ``auto``: menu for the embedded and the scripted model, else slots.

    A menu needs a grammar; a backend without one gets slots instead.
    """
    if setting == "auto":
        setting = "menu" if backend in ("embedded", "scripted") else "slots"
    if setting == "menu" and "grammar" not in features:
        return "slots"
    return "free" if setting == "free" else "menu" if setting == "menu" else "slots"


# -- menu ------------------------------------------------------------------------------------------


def plan_menu(material: Material) -> Plan:
    """A choice among vetted texts, all true now.

    Raises: TemplateError when the material cannot make a post (no price, no headline).
    """
    if material.content_type == "price":
        return _price_menu(material)
    return _line_menu(material)


def _price_menu(material: Material) -> Plan:
    market = material.market()
    if market.facts.price_usd is None:
        raise TemplateError("a price post needs a price. Wait for the next snapshot.")
    known = phrases.values(market.facts)
    slots = _offered(phrases.true_phrases(market), material)
    posts = {
        " ".join(phrase.text for phrase in combination): combination
        for combination in itertools.product(*slots)
    }

    def fill(raw: str) -> str:
        chosen = posts.get(raw.strip())
        if chosen is None:
            raise TemplateError("the answer is not one of the offered combinations of phrases.")
        text = phrases.fill(" ".join(phrase.text for phrase in chosen), known)
        return echo.with_hashtags(text, material.hashtags)

    rules = [" | ".join(_literal(phrase.text) for phrase in offered) for offered in slots]
    names = [f"slot{number}" for number in range(len(rules))]
    grammar = "root ::= " + ' " " '.join(names) + "\n"
    grammar += "\n".join(f"{name} ::= {rule}" for name, rule in zip(names, rules, strict=True))
    prompt = Prompt(system=_PRICE_HEAD, user=f"{_market_words(market)}\nPost:", raw=True)
    return Plan("menu", prompt, grammar, None, _MENU_OPTIONS, fill)


def _offered(
    true_now: dict[str, tuple[phrases.Phrase, ...]], material: Material
) -> list[list[phrases.Phrase]]:
    """A random two or three phrases for each slot of a random shape.

    With the whole menu a small model takes the same path again and again (facts: embedded-model,
    "Recipe to build"). Phrases that share a telling word with an earlier slot are left out, so
    that no post says "chart" twice.
    """
    rng = material.rng
    shapes = [shape for shape in _SHAPES if all(true_now[slot] for slot in shape)]
    shape = rng.choice(shapes or [("fact",)])
    used = "\n".join(material.avoid)
    offered: list[list[phrases.Phrase]] = []
    said: set[str] = set()
    for slot in shape:
        options = [p for p in true_now[slot] if not said & _telling(p.text)]
        fresh = [p for p in options if p.text not in used]
        chosen = rng.sample(fresh or options, min(PHRASES_OFFERED, len(fresh or options)))
        if chosen:
            offered.append(chosen)
            said |= set().union(*(_telling(p.text) for p in chosen))
    return offered


_COMMON = frozenset(["bitcoin", "between", "hours", "their", "there", "where", "about", "today"])


def _telling(text: str) -> frozenset[str]:
    words = re.findall(r"[a-z]{5,}", re.sub(r"\{[a-z_]+\}", "", text.lower()))
    return frozenset(word.removesuffix("s") for word in words) - _COMMON


def _line_menu(material: Material) -> Plan:
    lines = banks.pick(material.rng, _lines_for(material), LINES_OFFERED, material.avoid)
    by_text = {line.text: line for line in lines}
    headline = material.headline if material.content_type == "news" else None

    def fill(raw: str) -> str:
        line = by_text.get(raw.strip())
        if line is None:
            raise TemplateError("the answer is not one of the offered lines.")
        if headline is not None:
            return echo.headline_post(headline, line.text, material.hashtags)
        return echo.with_hashtags(line.text, material.hashtags)

    grammar = "root ::= " + " | ".join(_literal(text) for text in by_text)
    tail = f"Headline: {echo.plain(headline.title)}\nComment:" if headline else "Post:"
    prompt = Prompt(system=_LINE_HEADS[material.content_type], user=tail, raw=True)
    return Plan("menu", prompt, grammar, None, _MENU_OPTIONS, fill)


def _lines_for(material: Material) -> Sequence[banks.Line]:
    if material.content_type == "joke":
        return banks.jokes()
    if material.content_type == "motivation":
        return banks.motivation()
    if material.headline is None or not material.headline.title.strip():
        raise TemplateError("a news post needs a headline. Wait for the next one.")
    return banks.stances(material.headline.title, material.sentiment or "neutral")


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _market_words(market: phrases.Market) -> str:
    """One line about the market for the few-shot prompt, without any number."""
    size = market.size_24h() or "unknown"
    strength = "strongly " if size in ("up", "down") and phrases.holds(("strong",), market) else ""
    trend = market.trend.direction if market.trend else "unknown"
    return f"Market: {strength}{size} on the day, trend {trend}"


# -- slots and free --------------------------------------------------------------------------------

_CONSTANTS = re.compile(r"\b24(?:/7|h\b|[- ]hours?\b)|\b7[- ]days?\b", re.IGNORECASE)
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}


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
        return _finished(phrases.fill(text, known), material)

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
        return _finished(_answer(raw, material.features), material)

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
        _WRITE_OPTIONS, fill,
    )  # fmt: skip


def _no_digits(placeholders: tuple[str, ...]) -> str:
    """One line of text without digits or braces, where only known placeholders may stand."""
    names = "".join(f" | {_literal('{' + name + '}')}" for name in placeholders)
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


def _finished(text: str, material: Material) -> str:
    if material.content_type == "news" and material.headline is not None:
        return echo.headline_post(material.headline, text, material.hashtags)
    return echo.with_hashtags(text, material.hashtags)


# -- prompts ---------------------------------------------------------------------------------------
# What never changes stands first and is long, so that the server's prefix cache keeps it.

_MENU_OPTIONS = Options(temperature=1.0, top_p=1.0, top_k=0, repeat_penalty=1.0, max_tokens=160)
_WRITE_OPTIONS = Options(temperature=0.8, max_tokens=120)

_PRICE_HEAD = """Short Bitcoin posts by a calm, dry, factual writer.

Market: up on the day, trend bull
Post: Price check. Bitcoin is at {price}, up {change} over the past 24 hours. The 24-hour range: {low} to {high}.

Market: strongly down on the day, trend bear
Post: Bitcoin dropped {change} in 24 hours to {price}. That is close to the 24-hour low of {low}. The blocks do not read charts.

Market: flat on the day, trend sideways
Post: BTC sits at {price}, flat over 24 hours. Sideways is the word. Crabs approve."""

_LINE_HEADS = {
    "joke": """Short, kind, dry jokes about Bitcoin and the people around it.

Post: My cat walked across the keyboard and drew a better chart than I did.

Post: A watched chart never boils. I have tested this thoroughly.

Post: The halving: the only time people celebrate a pay cut.""",
    "motivation": """Short, calm thoughts for people who learn about Bitcoin for the long run.

Post: Think in years, live in days.

Post: A backup you have tested is worth ten you have only imagined.

Post: Every expert in Bitcoin once asked what a block was. Ask your question.""",
    "news": """Calm one-line comments on how to read a headline about Bitcoin.

Headline: Regulator opens consultation on digital asset custody
Comment: Policy moves slowly and in footnotes. This one deserves a careful read.

Headline: Traders brace for a volatile week
Comment: Somebody always has a reason ready. Check whether it was ready last week, too.

Headline: Wallet maker ships an update
Comment: The code will tell. It usually does, and without adjectives.""",
}
