"""A text that is valid under a GBNF grammar or a JSON Schema, chosen by a seeded generator.

What the scripted model writes. Of GBNF it knows what our recipes use: rules, ``"literals"``,
character classes, groups, alternatives, ``? * + {m,n}`` and comments; of JSON Schema: object,
array, string (``enum``, ``const``, lengths), number, integer, boolean, null, ``anyOf``.
"""

from __future__ import annotations

import random
import re
from typing import Any

_TOKEN = re.compile(
    r"""(?P<space>(?:\s|\#[^\n]*)+)
      | (?P<rule>[A-Za-z][\w-]*)\s*::=
      | (?P<name>[A-Za-z][\w-]*)
      | "(?P<literal>(?:\\.|[^"\\])*)"
      | \[(?P<set>(?:\\.|[^\]\\])*)\]
      | \{(?P<count>\d+(?:,\d*)?)\}
      | (?P<mark>[()|?*+])""",
    re.VERBOSE,
)
_MOST_REPEATS = 3  # what an open end (``*``, ``+``, ``{2,}``) adds at most
_MOST_DEPTH = 200

# Trees: ("text", str), ("set", str of characters), ("rule", name), ("all", [tree]),
# ("any", [tree]), ("repeat", tree, low, high).
_Tree = tuple[Any, ...]


def text_of_grammar(grammar: str, choose: random.Random) -> str:
    """One sentence of ``grammar``, starting at ``root``.

    Raises: ValueError naming what cannot be read.
    """
    rules = _parse(grammar)
    if "root" not in rules:
        raise ValueError("the grammar has no rule named root")
    return _walk(("rule", "root"), rules, choose, 0)


def value_of_schema(schema: dict[str, Any], choose: random.Random) -> Any:
    """One value that ``schema`` allows. Raises: ValueError for a kind it does not know."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return choose.choice(schema["enum"])
    if "anyOf" in schema:
        return value_of_schema(choose.choice(schema["anyOf"]), choose)
    kind = schema.get("type")
    if kind == "object":
        return {
            name: value_of_schema(part, choose)
            for name, part in schema.get("properties", {}).items()
        }
    if kind == "array":
        count = schema.get("minItems", 1)
        return [
            value_of_schema(schema.get("items", {"type": "null"}), choose) for _ in range(count)
        ]
    if kind == "string":
        text = "Bitcoin keeps its own time"[: schema.get("maxLength", 280)]
        return text.ljust(schema.get("minLength", 0), ".")
    if kind in ("number", "integer"):
        low, high = schema.get("minimum", 0), schema.get("maximum", schema.get("minimum", 0) + 1)
        return (
            choose.randint(int(low), int(high)) if kind == "integer" else choose.uniform(low, high)
        )
    if kind == "boolean":
        return choose.random() < 0.5
    if kind == "null":
        return None
    raise ValueError(f"the schema's type {kind!r} is not known here")


def _parse(grammar: str) -> dict[str, _Tree]:
    rules: dict[str, _Tree] = {}
    tokens = _tokens(grammar)
    while tokens:
        kind, name = tokens.pop(0)
        if kind != "rule":
            raise ValueError(f"a rule was expected before {name!r}")
        rules[name] = _alternatives(tokens)
    return rules


def _tokens(grammar: str) -> list[tuple[str, str]]:
    found, place = [], 0
    while place < len(grammar):
        match = _TOKEN.match(grammar, place)
        if match is None:
            raise ValueError(f"unreadable grammar at {grammar[place : place + 20]!r}")
        kind = match.lastgroup or ""
        if kind != "space":
            found.append((kind, match.group(kind)))
        place = match.end()
    return found


def _alternatives(tokens: list[tuple[str, str]]) -> _Tree:
    choices: list[_Tree] = [("all", [])]
    while tokens and tokens[0][0] != "rule" and tokens[0] != ("mark", ")"):
        kind, value = tokens.pop(0)
        parts: list[_Tree] = choices[-1][1]
        if (kind, value) == ("mark", "|"):
            choices.append(("all", []))
        elif (kind, value) == ("mark", "("):
            parts.append(_alternatives(tokens))
            if not tokens or tokens.pop(0) != ("mark", ")"):
                raise ValueError("a group is not closed")
        elif kind in ("mark", "count"):
            if not parts:
                raise ValueError(f"{value!r} has nothing to repeat")
            parts.append(("repeat", parts.pop(), *_bounds(value)))
        elif kind == "literal":
            parts.append(("text", _unescape(value)))
        elif kind == "set":
            parts.append(("set", _members(value)))
        else:
            parts.append(("rule", value))
    return ("any", choices)


def _bounds(mark: str) -> tuple[int, int]:
    if mark in "?*+":
        return {"?": (0, 1), "*": (0, _MOST_REPEATS), "+": (1, _MOST_REPEATS)}[mark]
    low, comma, high = mark.partition(",")
    if not comma:
        return int(low), int(low)
    return int(low), int(high) if high else int(low) + _MOST_REPEATS


def _members(text: str) -> str:
    """The characters of a class; of a negated one, those printable ASCII ones it leaves."""
    negated = text.startswith("^")
    plain = _unescape(text[1:] if negated else text)
    members, place = [], 0
    while place < len(plain):
        if plain[place + 1 : place + 2] == "-" and place + 2 < len(plain):
            members += [chr(n) for n in range(ord(plain[place]), ord(plain[place + 2]) + 1)]
            place += 3
        else:
            members.append(plain[place])
            place += 1
    if negated:
        members = [chr(n) for n in range(32, 127) if chr(n) not in members]
    if not members:
        raise ValueError(f"the class [{text}] is empty")
    return "".join(members)


def _unescape(text: str) -> str:
    named = {"n": "\n", "t": "\t", "r": "\r"}

    def one(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        return chr(int(code, 16)) if code else named.get(match[4], match[4])

    return re.sub(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", one, text)


def _walk(tree: _Tree, rules: dict[str, _Tree], choose: random.Random, depth: int) -> str:
    if depth > _MOST_DEPTH:
        raise ValueError("the grammar does not come to an end")
    kind = tree[0]
    if kind == "text":
        return str(tree[1])
    if kind == "set":
        return str(choose.choice(tree[1]))
    if kind == "rule":
        if tree[1] not in rules:
            raise ValueError(f"the grammar has no rule named {tree[1]}")
        return _walk(rules[tree[1]], rules, choose, depth + 1)
    if kind == "any":
        return _walk(choose.choice(tree[1]), rules, choose, depth + 1)
    parts = tree[1] if kind == "all" else [tree[1]] * choose.randint(tree[2], tree[3])
    return "".join(_walk(part, rules, choose, depth + 1) for part in parts)
