"""Recipes: whatever path a model takes, the post that comes out is true and complete."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from engine.checks import repetition
from engine.checks.length import LIMIT, weigh
from engine.checks.repetition import Recall
from engine.checks.verdict import CheckContext, run_checks
from engine.checks.voice import load_profile
from engine.errors import NothingNew, TemplateError
from engine.llm.base import GenerationRequest, Prompt
from engine.llm.derive import text_of_grammar
from engine.llm.scripted import ScriptedModel
from engine.records import CONTENT_TYPES, Facts, Headline, Verdict
from engine.resources import data_path
from engine.store.posts import NewPost, insert
from engine.writing import banks, recipes
from tests.writing.markets import HEADLINES, markets, material

PROMPT = Prompt(system="You write posts.", user="Facts\n- Price now: $67,432\n\nPost:")
NO_GRAMMAR = frozenset({"json_schema"})


def path(plan: recipes.Plan, seed: int) -> str:
    """One random text that the plan's grammar allows."""
    assert plan.grammar is not None
    return text_of_grammar(plan.grammar, random.Random(seed))


def judged(
    text: str, facts: Facts, content_type: str, headline: Headline | None = None
) -> list[str]:
    """What the checks reject in ``text``, as ``rule: words``."""
    context = CheckContext(content_type, replace(facts, headline=headline), load_profile(), 0.6)
    verdict = run_checks(text, context)
    return [
        f"{f.rule}: {text[f.start : f.end]!r} in {text!r}"
        for f in verdict.findings
        if f.severity != "warn"
    ]


@settings(max_examples=150, deadline=None)
@given(markets(), st.integers(0, 10**9))
def test_every_price_menu_yields_true_posts(facts: Facts, seed: int) -> None:
    """Any path through any menu passes every check, whatever the market does."""
    made = material("price", seed, facts)
    plan = recipes.plan_menu(made)
    for step in range(4):
        text = plan.fill(path(plan, seed + step))
        assert judged(text, facts, "price") == []


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(("joke", "motivation", "news")), st.integers(0, 10**9))
def test_every_line_menu_yields_true_posts(content_type: str, seed: int) -> None:
    made = material(content_type, seed)
    plan = recipes.plan_menu(made)
    text = plan.fill(path(plan, seed))
    assert made.facts is not None
    assert judged(text, made.facts, content_type, made.headline) == []


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_the_scripted_model_can_follow_every_menu(content_type: str) -> None:
    plan = recipes.plan_menu(material(content_type, 3))
    answer = ScriptedModel().generate(
        GenerationRequest(plan.prompt, plan.options, grammar=plan.grammar)
    )
    assert plan.fill(answer.text)


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_a_menu_refuses_what_it_did_not_offer(content_type: str) -> None:
    plan = recipes.plan_menu(material(content_type, 3))
    with pytest.raises(TemplateError, match="offered"):
        plan.fill("Bitcoin is up 900% and you should know it.")


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_the_head_of_a_menu_prompt_never_changes(content_type: str) -> None:
    """The server's prefix cache lives on it."""
    heads = {recipes.plan_menu(material(content_type, seed)).prompt.system for seed in range(5)}
    assert len(heads) == 1


@pytest.mark.parametrize(("content_type", "least"), [("price", 0.93), ("joke", 0.07)])
def test_random_choices_give_many_different_posts(content_type: str, least: float) -> None:
    """Of 1,000 random picks: price posts hardly repeat, jokes use the whole bank."""
    rng = random.Random(1)
    facts = Facts(
        price_usd=67_432.0, change_24h_pct=-2.3, change_7d_pct=4.1, high_24h=69_280.0,
        low_24h=66_950.0, ath_usd=126_198.0, block_height=901_234,
    )  # fmt: skip
    texts = set()
    for seed in range(1_000):
        plan = recipes.plan_menu(material(content_type, seed, facts, hashtags=()))
        texts.add(plan.fill(path(plan, rng.randrange(10**9))))
    assert len(texts) / 1_000 >= least


NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def said(db: Database, texts: Iterable[str], age: timedelta = timedelta(days=3)) -> Recall:
    """What is remembered after these texts were posted."""
    for text in texts:
        draft = NewPost("joke", text, Verdict(), "model", "live")
        repetition.remember(db, insert(db, draft, actor="test", now=NOW - age), text, NOW - age)
    return Recall(repetition.History(db, NOW))


def test_lines_used_lately_are_not_offered_again(db: Database) -> None:
    recall = said(db, (line.text + " #Bitcoin" for line in banks.jokes()[10:]))
    plan = recipes.plan_menu(material("joke", 5, recall=recall))
    fresh = {line.text for line in banks.jokes()[:10]}
    assert {plan.fill(path(plan, seed)).split(" #")[0] for seed in range(30)} <= fresh


@pytest.mark.parametrize("content_type", ["joke", "motivation", "news"])
def test_when_every_line_was_used_lately_nothing_is_planned(
    db: Database, content_type: str
) -> None:
    lines = {"joke": banks.jokes, "motivation": banks.motivation, "news": banks.news_stances}
    recall = said(db, (line.text for line in lines[content_type]()))
    with pytest.raises(
        NothingNew, match=r"every (joke|motivation line|comment that fits) was posted"
    ):
        recipes.plan_menu(material(content_type, 5, recall=recall))


def test_a_headline_quoted_this_week_is_not_quoted_again(db: Database) -> None:
    headline = Headline("Regulator opens consultation on custody rules", "CoinDesk")
    recall = said(db, [f'"{headline.title}" — CoinDesk'])
    with pytest.raises(NothingNew, match="or the headline was"):
        recipes.plan_menu(material("news", 5, headline=headline, recall=recall))


def test_price_posts_leave_out_sentences_of_the_week(db: Database) -> None:
    """Whatever path the model takes, repetition has nothing against it."""
    phrases = json.loads(data_path("content/price_phrases.json").read_text("utf-8"))["phrases"]
    prose = [row["text"] for row in phrases if row["slot"] in ("opener", "mood", "closer")]
    recall = said(db, (text for text in prose[::2] if "{" not in text))
    facts = Facts(price_usd=67_432.0, change_24h_pct=-2.3, high_24h=69_280.0, low_24h=66_950.0)
    for seed in range(60):
        plan = recipes.plan_menu(material("price", seed, facts, recall=recall))
        assert not recall.refuses(plan.fill(path(plan, seed)))


@pytest.mark.parametrize("tone", ["calm", "dry wit", "factual", "warm"])
@pytest.mark.parametrize("content_type", ["joke", "motivation", "news"])
def test_lines_of_the_wanted_tone_are_offered_first(content_type: str, tone: str) -> None:
    lines = (*banks.jokes(), *banks.motivation(), *banks.news_stances())
    tones = {line.text: line.tone for line in lines}
    wanted = material(content_type, 3, headline=HEADLINES[0], hashtags=(), tone=tone)
    plan = recipes.plan_menu(wanted)
    offered = {plan.fill(path(plan, seed)).split("\n\n")[-1] for seed in range(30)}
    assert {tones[text] for text in offered} == {tone}


def test_a_factual_price_post_ends_on_a_fact() -> None:
    facts = Facts(price_usd=67_432.0, change_24h_pct=-2.3, high_24h=69_280.0, low_24h=66_950.0)
    for seed in range(30):
        plan = recipes.plan_menu(material("price", seed, facts, hashtags=(), tone="factual"))
        assert re.search(r"\d[^.!?]*[.!?]$", plan.fill(path(plan, seed)))


def test_a_price_post_without_a_price_is_refused() -> None:
    with pytest.raises(TemplateError, match="needs a price"):
        recipes.plan_menu(material("price", 1, Facts(change_24h_pct=1.0)))


def test_a_news_post_without_a_headline_is_refused() -> None:
    with pytest.raises(TemplateError, match="needs a headline"):
        recipes.plan_menu(material("news", 1, headline=None))


@pytest.mark.parametrize(
    ("backend", "features", "setting", "recipe"),
    [
        ("embedded", {"grammar"}, "auto", "menu"),
        ("scripted", {"grammar"}, "auto", "menu"),
        ("ollama", {"json_schema"}, "auto", "slots"),
        ("ollama", {"json_schema"}, "menu", "slots"),
        ("openai", {"grammar", "json_schema"}, "menu", "menu"),
        ("embedded", {"grammar"}, "free", "free"),
        ("embedded", {"grammar"}, "slots", "slots"),
    ],
)
def test_which_recipe_is_in_force(
    backend: str, features: set[str], setting: str, recipe: str
) -> None:
    assert recipes.recipe_for(backend, frozenset(features), setting) == recipe


def test_slots_let_code_own_numbers_and_signs() -> None:
    plan = recipes.plan_slots(material("price", 1, hashtags=("#BTC",)), PROMPT)
    text = plan.fill("Bitcoin sits at {price}, {move} over 24 hours. Tea helps.")
    assert text == "Bitcoin sits at $67,432, down 2.3% over 24 hours. Tea helps. #BTC"


@pytest.mark.parametrize(
    ("raw", "wrong"),
    [
        ("Bitcoin is at $67,432 and {price}.", "digit"),
        ("Bitcoin had a quiet day.", "price is missing"),
        ("{price} after a {rally}.", "{rally} is unknown"),
        ("At {price}, about {price", "brace"),
        ("  ", "empty"),
    ],
)
def test_slots_say_what_was_wrong(raw: str, wrong: str) -> None:
    plan = recipes.plan_slots(material("price", 1), PROMPT)
    with pytest.raises(TemplateError, match=re.escape(wrong)):
        plan.fill(raw)


def test_slots_ask_for_json_where_the_server_can_hold_a_model_to_it() -> None:
    plan = recipes.plan_slots(material("joke", 1, features=NO_GRAMMAR, hashtags=()), PROMPT)
    assert plan.json_schema is not None and plan.prompt.user.endswith("Post:")
    assert plan.fill(json.dumps({"text": "A kind joke."})) == "A kind joke."
    with pytest.raises(TemplateError, match="JSON"):
        plan.fill("A kind joke.")


def test_slots_forbid_digits_by_grammar_where_there_is_no_schema() -> None:
    plan = recipes.plan_slots(material("price", 1, features=frozenset({"grammar"})), PROMPT)
    for seed in range(20):
        drawn = re.sub(r"\{(price|move)\}", "", path(plan, seed))
        assert not re.search(r"[0-9{}\n]", drawn)


def test_the_limit_is_never_named_in_a_prompt() -> None:
    """A number in the prompt is a number a model writes towards."""
    for plan in (
        recipes.plan_free(material("joke", 1), PROMPT),
        recipes.plan_slots(material("price", 1), PROMPT),
    ):
        assert str(LIMIT) not in plan.prompt.text()


def test_free_posts_lose_their_wrapping_quotes_and_nothing_else() -> None:
    plan = recipes.plan_free(material("joke", 1, hashtags=()), PROMPT)
    assert plan.fill('"A kind joke."') == "A kind joke."
    assert plan.fill('"Blocks," said the miner, "are enough."').startswith('"Blocks,"')


def test_a_headline_is_echoed_exactly_with_its_source() -> None:
    plan = recipes.plan_free(material("news", 1, hashtags=(), headline=HEADLINE), PROMPT)
    assert plan.fill("Read it slowly.") == f'"{HEADLINE.title}" — CoinDesk\n\nRead it slowly.'


HEADLINE = Headline("Miner sells half of its fleet", "CoinDesk")


@given(st.text("abc dé字🙂", min_size=1, max_size=400).filter(str.strip), st.integers(0, 99))
def test_long_headlines_give_way_at_a_word(title: str, seed: int) -> None:
    """Echoed whole, or cut at a word with an ellipsis; always within the limit."""
    made = material("news", seed, headline=Headline(title, "Decrypt"))
    plan = recipes.plan_menu(made)
    try:
        text = plan.fill(path(plan, seed))
    except TemplateError:
        assert max(weigh(word).weight for word in title.split()) > 100
        return
    echoed = text[1 : text.index('"', 1)]
    whole = " ".join(title.split())
    assert weigh(text).weight <= LIMIT
    assert echoed == whole or whole.startswith(echoed.removesuffix("…") + " ")
