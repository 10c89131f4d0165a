"""Templates: typed variables, one pass, nothing but plain fields."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import TemplateError
from engine.writing.templates import Variable, fields, render

PRICE = Variable("price", "number", unit="US dollars", low=1)
NOTE = Variable("note", required=False, high=50)


def test_fields_are_filled_once_and_values_are_never_read_again() -> None:
    """A headline that looks like a field stays what it is (the seed let it pull in another)."""
    prompt = render("", "At {price}: {note}", (PRICE, NOTE), {"price": 67432.5, "note": "{price}"})
    assert prompt.user == "At 67,432.50: {price}"


def test_double_braces_are_braces() -> None:
    assert render("", "{{x}} {price}", (PRICE,), {"price": 2}).user == "{x} 2.00"


@pytest.mark.parametrize(
    "body",
    [
        "{price.__class__}",
        "{price[0]}",
        "{price:>10}",
        "{0}",
        "{}",
        "{ price }",
        "{price!r}",
        "{a",
        "a}",
    ],
)
def test_anything_but_a_plain_field_is_an_error(body: str) -> None:
    with pytest.raises(TemplateError):
        render("", body, (PRICE,), {"price": 1})


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({}, "required"),
        ({"price": None}, "required"),
        ({"price": "67"}, "number"),
        ({"price": float("nan")}, "number"),
        ({"price": True}, "number"),
        ({"price": 0}, "outside"),
        ({"price": 2, "note": 5}, "text"),
        ({"price": 2, "note": "x" * 51}, "longer"),
    ],
)
def test_a_wrong_value_is_named_before_rendering(values: dict[str, object], word: str) -> None:
    with pytest.raises(TemplateError, match=word):
        render("", "{price}{note}", (PRICE, NOTE), values)


def test_a_field_without_a_variable_and_a_variable_without_a_field_are_errors() -> None:
    with pytest.raises(TemplateError, match="no variable"):
        render("", "{other}", (), {})
    with pytest.raises(TemplateError, match="never used"):
        render("", "text", (PRICE,), {"price": 2})


@given(st.text(max_size=200))
def test_any_text_either_names_its_fields_or_says_what_is_wrong(text: str) -> None:
    try:
        names = fields(text)
    except TemplateError as error:
        assert "{" in str(error) or "}" in str(error)
    else:
        assert all(name.isidentifier() for name in names)


@given(st.text(max_size=50))
def test_a_text_value_arrives_unchanged(value: str) -> None:
    variable = Variable("note", required=False, high=50)
    assert render("", "<{note}>", (variable,), {"note": value}).user == f"<{value}>"
