"""The menu recipe: a model selects and orders vetted texts that are true now; it does not write.

That is what a 135M model is good for: 20 of 20 true and postable, against 1 of 20 zero-shot (facts:
embedded-model §2). Price posts are put together from phrases, the other types are whole lines.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence

from engine.checks.repetition import Recall
from engine.errors import NothingNew, TemplateError
from engine.llm.base import Options, Prompt
from engine.writing import banks, echo, phrases
from engine.writing.plans import Material, Plan, finished

LINES_OFFERED = 4
PHRASES_OFFERED = 3

FACTUAL = "factual"
"""The tone that ends a price post on a fact instead of a remark."""

_SHAPES: tuple[tuple[str, ...], ...] = (
    ("fact", "relation"),
    ("opener", "fact", "closer"),
    ("opener", "fact", "relation"),
    ("opener", "fact", "mood"),
    ("fact", "relation", "closer"),
    ("fact", "relation", "mood"),
    ("fact", "mood", "closer"),
    ("opener", "fact", "relation", "closer"),
    ("opener", "fact", "relation", "mood"),
)


def plan_menu(material: Material) -> Plan:
    """A choice among vetted texts, all true now, of which none was said lately.

    Raises: NothingNew when no such line is left, TemplateError when the material cannot make a
    post (no price, no headline).
    """
    if material.content_type == "price":
        return _price_menu(material)
    return _line_menu(material)


def _price_menu(material: Material) -> Plan:
    market = material.market()
    if market.facts.price_usd is None:
        raise TemplateError("a price post needs a price. Wait for the next snapshot.")
    known = phrases.values(market.facts)
    slots = [
        _stems([phrase.text for phrase in offered])
        for offered in _offered(phrases.true_phrases(market), material)
    ]
    posts = {
        " ".join(chosen): " ".join(slot[stem] for slot, stem in zip(slots, chosen, strict=True))
        for chosen in itertools.product(*slots)
    }

    def fill(raw: str) -> str:
        text = posts.get(raw.strip())
        if text is None:
            raise TemplateError("the answer is not one of the offered combinations of phrases.")
        return finished(phrases.fill(text, known), material)

    rules = [" | ".join(_literal(stem) for stem in slot) for slot in slots]
    names = [f"slot{number}" for number in range(len(rules))]
    grammar = "root ::= " + ' " " '.join(names) + "\n"
    grammar += "\n".join(f"{name} ::= {rule}" for name, rule in zip(names, rules, strict=True))
    prompt = Prompt(system=_PRICE_HEAD, user=f"{_market_words(market)}\nPost:", raw=True)
    return Plan("menu", prompt, grammar, None, _OPTIONS, fill)


def _offered(
    true_now: dict[str, tuple[phrases.Phrase, ...]], material: Material
) -> list[list[phrases.Phrase]]:
    """A random two or three phrases for each slot of a random shape.

    With the whole menu a small model takes the same path again and again (facts: embedded-model,
    "Recipe to build"). Phrases that share a telling word with an earlier slot are left out, so
    that no post says "chart" twice.
    """
    rng, known = material.rng, phrases.values(material.market().facts)
    shape = rng.choice(_shapes(true_now, material))
    offered: list[list[phrases.Phrase]] = []
    said: set[str] = set()
    for place, slot in enumerate(shape):
        options = [p for p in true_now[slot] if not said & _telling(p)]
        rng.shuffle(options)
        options.sort(key=lambda p: material.off_tone(p.tone))
        edges = (place == 0 and not material.news_flash, place == len(shape) - 1)
        new = (p for p in options if _is_new(phrases.fill(p.text, known), edges, material.recall))
        chosen = list(itertools.islice(new, PHRASES_OFFERED))
        if chosen:
            offered.append(chosen)
            said |= set().union(*map(_telling, chosen))
        elif slot == "fact":
            raise NothingNew("every way of saying the price was used in the last posts.")
    return offered


def _shapes(
    true_now: dict[str, tuple[phrases.Phrase, ...]], material: Material
) -> list[tuple[str, ...]]:
    """Shapes that can be filled now: a market event opens its post, a factual post ends on a
    fact."""
    shapes = [shape for shape in _SHAPES if all(true_now[slot] for slot in shape)]
    if material.news_flash:
        shapes = [shape for shape in shapes if shape[0] == "fact"]
    if material.tone == FACTUAL:
        shapes = [shape for shape in shapes if shape[-1] == "relation"] or shapes
    return shapes or [("fact",)]


def _is_new(text: str, edges: tuple[bool, bool], recall: Recall | None) -> bool:
    """Whether repetition lets a post pass that says this; ``edges``: it opens it, it ends it."""
    opens, ends = edges
    return recall is None or not (
        recall.has_said(text)
        or (opens and recall.opens_worn(text))
        or (ends and recall.ends_worn(text))
    )


_COMMON = frozenset(["bitcoin", "between", "hours", "their", "there", "where", "about", "today"])


def _telling(phrase: phrases.Phrase) -> frozenset[str]:
    """Words that a post should not say twice; and a mood of the day does not follow a figure of
    the week, which may go the other way."""
    words = re.findall(r"[a-z]{5,}", re.sub(r"\{[a-z_]+\}", "", phrase.text.lower()))
    told = frozenset(word.removesuffix("s") for word in words) - _COMMON
    return told | {"#week"} if phrase.slot == "mood" or "{week" in phrase.text else told


_USED_UP = {
    "joke": "every joke was posted within the last 30 days. Post jokes less often, or add some.",
    "motivation": "every motivation line was posted within the last 30 days. Post them less often, "
    "or add some.",
    "news": "every comment that fits was posted this week, or the headline was.",
}


def _line_menu(material: Material) -> Plan:
    lines = list(itertools.islice(_new_lines(material), LINES_OFFERED))
    if not lines:
        raise NothingNew(_USED_UP[material.content_type])
    by_stem = _stems([line.text for line in lines])
    headline = material.headline if material.content_type == "news" else None

    def fill(raw: str) -> str:
        line = by_stem.get(raw.strip())
        if line is None:
            raise TemplateError("the answer is not one of the offered lines.")
        return finished(line, material)

    grammar = "root ::= " + " | ".join(_literal(stem) for stem in by_stem)
    tail = f"Headline: {echo.plain(headline.title)}\nComment:" if headline else "Post:"
    prompt = Prompt(system=_LINE_HEADS[material.content_type], user=tail, raw=True)
    return Plan("menu", prompt, grammar, None, _OPTIONS, fill)


def _new_lines(material: Material) -> Iterator[banks.Line]:
    """Lines that repetition lets pass and a headline leaves room for, in random order, those of
    the tone first."""
    lines = list(_lines_for(material))
    material.rng.shuffle(lines)
    lines.sort(key=lambda line: material.off_tone(line.tone))
    for line in lines:
        try:
            text = finished(line.text, material)
        except TemplateError:
            continue
        if material.recall is None or not material.recall.refuses(text):
            yield line


def _stems(texts: Sequence[str]) -> dict[str, str]:
    """Each text under its first words, as many as tell it from the others, at least two.

    A model that must write one of a few whole lines has chosen when the first words are out; to
    stop there gives the same picks in an eighth of the time (docs/prompt-patterns.md).
    """
    stems = {}
    for text in texts:
        words = text.split(" ")
        stem = text
        for count in range(len(words), 1, -1):
            shorter = " ".join(words[:count])
            if any(other != text and other.startswith(shorter) for other in texts):
                break
            stem = shorter
        stems[stem] = text
    return stems


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


# What never changes stands first and is long, so that the server's prefix cache keeps it.

_OPTIONS = Options(
    temperature=1.0, top_p=1.0, top_k=0, repeat_penalty=1.0, max_tokens=160, stop=("\n",)
)

_PRICE_HEAD = """Short Bitcoin posts by a calm, dry, factual writer.

Market: up on the day, trend bull
Post: Price check. Bitcoin is at {price}, up {change} over the past 24 hours. The 24-hour range: {low} to {high}.

Market: strongly down on the day, trend bear
Post: Bitcoin dropped {change} in 24 hours to {price}. That puts it near the 24-hour low of {low}. The blocks do not read charts.

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
