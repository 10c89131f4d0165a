"""Prompt templates: typed variables, checked before rendering, and a one-pass formatter.

A field is ``{name}`` and nothing else: no attributes, indexing, format specs or nesting (the
seed's chained ``str.replace`` let one value pull in another; facts: reliability §5.4). ``{{`` and
``}}`` are literal braces. A value is never looked at again once inserted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from engine.errors import TemplateError
from engine.llm.base import Prompt

MAX_RENDERED = 12_000

VariableType = Literal["text", "number", "whole", "choice"]

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")


@dataclass(frozen=True)
class Variable:
    """What one field may hold. ``low``/``high`` bound numbers and the length of texts."""

    name: str
    type: VariableType = "text"
    unit: str = ""
    required: bool = True
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    example: str = ""

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Variable:
        """Raises: TemplateError for an unknown key or type."""
        try:
            variable = cls(**{**row, "choices": tuple(row.get("choices", ()))})
        except TypeError as error:
            raise TemplateError(f"a variable is described wrongly: {error}.") from error
        if not _NAME.match(variable.name):
            raise TemplateError(f"{variable.name!r} is not a name for a variable: use a-z, 0-9, _.")
        if variable.type not in ("text", "number", "whole", "choice"):
            raise TemplateError(f"{variable.name}: type {variable.type!r} does not exist.")
        return variable


def fields(text: str) -> list[str]:
    """Names of the fields in order of first appearance.

    Raises: TemplateError for a lone brace or anything but a plain name between braces.
    """
    found: dict[str, None] = {}
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token in ("{{", "}}"):
            continue
        if match.group(1) is None:
            raise TemplateError(
                f"a lone {token!r} at position {match.start()}; write {token * 2!r} for a brace."
            )
        if not _NAME.match(match.group(1)):
            raise TemplateError(
                f"{token!r} is not a field: only {{name}} is known, without dots, brackets or colons."
            )
        found[match.group(1)] = None
    return list(found)


def check_template(system: str, body: str, variables: tuple[Variable, ...]) -> None:
    """Every field has a variable, every variable its field.

    Raises: TemplateError naming what is missing.
    """
    if len(system) + len(body) > MAX_RENDERED:
        raise TemplateError(f"the template is longer than {MAX_RENDERED:,} characters. Shorten it.")
    used = set(fields(system)) | set(fields(body))
    names = [variable.name for variable in variables]
    if len(set(names)) != len(names):
        raise TemplateError("two variables share a name.")
    for name in sorted(used - set(names)):
        raise TemplateError(f"the field {{{name}}} has no variable. Describe it or remove it.")
    for name in sorted(set(names) - used):
        raise TemplateError(f"the variable {name} is never used. Remove it or use {{{name}}}.")


def render(
    system: str, body: str, variables: tuple[Variable, ...], values: Mapping[str, Any]
) -> Prompt:
    """The prompt with every field filled; extra values are ignored, missing optional ones empty.

    Raises: TemplateError naming the variable that is missing, mistyped or out of range.
    """
    check_template(system, body, variables)
    texts = {variable.name: _as_text(variable, values.get(variable.name)) for variable in variables}

    def fill(match: re.Match[str]) -> str:
        token = match.group()
        return token[0] if token in ("{{", "}}") else texts[match.group(1)]

    prompt = Prompt(system=_TOKEN.sub(fill, system), user=_TOKEN.sub(fill, body))
    if len(prompt.text()) > MAX_RENDERED:
        raise TemplateError(f"the rendered prompt is longer than {MAX_RENDERED:,} characters.")
    return prompt


def _as_text(variable: Variable, value: Any) -> str:
    name = variable.name
    if value is None or value == "":
        if variable.required:
            raise TemplateError(f"{name} is required but unknown now.")
        return ""
    if variable.type in ("number", "whole"):
        return _number_text(variable, value)
    if not isinstance(value, str):
        raise TemplateError(f"{name} takes a text.")
    if variable.type == "choice" and value not in variable.choices:
        raise TemplateError(f"{name} takes one of {', '.join(variable.choices)}, not {value!r}.")
    if variable.high is not None and len(value) > variable.high:
        raise TemplateError(f"{name} is longer than {variable.high:g} characters.")
    return value


def _number_text(variable: Variable, value: Any) -> str:
    name, whole = variable.name, variable.type == "whole"
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TemplateError(f"{name} takes a number.")
    if whole and value != int(value):
        raise TemplateError(f"{name} takes a whole number.")
    low, high = variable.low, variable.high
    if (low is not None and value < low) or (high is not None and value > high):
        raise TemplateError(f"{name} = {value:g} is outside {low} to {high}.")
    return f"{value:,.0f}" if whole else f"{value:,.2f}"
