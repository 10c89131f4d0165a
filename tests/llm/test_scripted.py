"""The scripted model: same request, same text; always valid under the request's own rules."""

from __future__ import annotations

import json
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ModelBadReply, ModelRefused, ModelUnreachable
from engine.llm.base import GenerationRequest, Options, Prompt
from engine.llm.derive import text_of_grammar, value_of_schema
from engine.llm.scripted import SENTENCES, ScriptedModel

MENU = r"""
# a menu, as the recipes build it
root   ::= opener " " fact tail? "\n"   # comment
opener ::= "Good morning \u2600" | "Say \"hi\"" | ("Hello" | "Hi") " there"
fact   ::= "Bitcoin is at {price}." |
           "It costs {price}."
tail   ::= " #" [a-cX] [^a-z]{2} ( "!" | "?" ){1,2} word*
word   ::= [0-9]+
"""
SENTENCE = re.compile(
    r"(Good morning ☀|Say \"hi\"|(Hello|Hi) there) (Bitcoin is at|It costs) \{price\}\."
    r"( #[abcX][^a-z]{2}[!?]{1,2}\d*)?\n"
)


def ask(seed: int = 0, **kind: object) -> GenerationRequest:
    return GenerationRequest(Prompt("Write."), Options(seed=seed), **kind)  # type: ignore[arg-type]


@given(st.integers(0, 2**32))
def test_every_text_is_a_sentence_of_its_grammar(seed: int) -> None:
    assert SENTENCE.fullmatch(text_of_grammar(MENU, random.Random(seed)))


def test_all_alternatives_are_reached() -> None:
    seen = {text_of_grammar(MENU, random.Random(seed)).split("{")[0] for seed in range(200)}
    assert len(seen) == 8


@pytest.mark.parametrize(
    "grammar",
    ["", 'start ::= "a"', "root ::= missing", "root ::= (", 'root ::= * "a"', "root ::= root",
     'root ::= "a" %', '"a"'],
)  # fmt: skip
def test_a_grammar_it_cannot_read_is_refused(grammar: str) -> None:
    with pytest.raises(ModelRefused, match="cannot be read"):
        ScriptedModel().generate(ask(grammar=grammar))


@given(st.integers(0, 1000))
def test_every_value_fits_its_schema(seed: int) -> None:
    schema = {
        "type": "object",
        "properties": {
            "mood": {"enum": ["calm", "glad"]},
            "count": {"type": "integer", "minimum": 2, "maximum": 4},
            "share": {"type": "number", "minimum": 0.5, "maximum": 0.6},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 7}, "minItems": 2},
            "sure": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
            "kind": {"const": "post"},
        },
    }
    value = value_of_schema(schema, random.Random(seed))
    assert value["mood"] in ("calm", "glad") and value["count"] in (2, 3, 4)
    assert 0.5 <= value["share"] <= 0.6 and [len(tag) for tag in value["tags"]] == [7, 7]
    assert value["sure"] in (True, False, None) and value["kind"] == "post"


def test_the_seed_decides_and_the_same_request_gets_the_same_text() -> None:
    texts = [ScriptedModel().generate(ask(seed, grammar=MENU)).text for seed in range(20)]
    again = [ScriptedModel().generate(ask(seed, grammar=MENU)).text for seed in range(20)]
    assert texts == again
    assert len(set(texts)) > 5


def test_without_rules_it_writes_a_sentence_without_numbers() -> None:
    made = ScriptedModel().generate(ask())
    assert made.text in SENTENCES
    assert not any(character.isdigit() for text in SENTENCES for character in text)
    assert json.loads(ScriptedModel().generate(ask(json_schema={"const": {"a": 1}})).text) == {
        "a": 1
    }


def test_a_script_is_played_in_order_failures_included_and_then_runs_out() -> None:
    model = ScriptedModel(["first", ModelUnreachable("down"), ""])
    pieces: list[str] = []
    assert model.generate(ask(), pieces.append).text == "".join(pieces) == "first"
    with pytest.raises(ModelUnreachable, match="down"):
        model.generate(ask())
    with pytest.raises(ModelBadReply) as caught:
        model.generate(ask())
    assert caught.value.kind == "empty"
    assert model.generate(ask()).text in SENTENCES
    assert len(model.requests) == 4


def test_a_script_may_be_a_function_of_the_request() -> None:
    model = ScriptedModel(lambda request: f"seed {request.options.seed}")
    assert model.generate(ask(7)).text == "seed 7"
