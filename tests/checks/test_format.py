"""A post reads as a post: what models leave around and inside it is rejected, with its place."""

from __future__ import annotations

import pytest

from engine.checks import format
from engine.checks.language import foreign
from engine.checks.length import MAX_JUDGED
from tests.checks.attacks import load_clean


def rules(text: str, content_type: str = "price") -> set[str]:
    return {finding.rule.removeprefix("format.") for finding in format.check(text, content_type)}


FAULTS = {
    "preamble": [
        "Here's a tweet about Bitcoin: it is up today",
        "Sure! Bitcoin is up 2% today.",
        "Certainly, here is what you asked for. Bitcoin is up.",
        "Tweet: Bitcoin is up 2% today.",
        "Draft 2: Bitcoin is up 2% today.",
        "Here is your Bitcoin joke: a block walks into a bar.",
        "I've written a post about Bitcoin for you.",
        "**Tweet:** Bitcoin is up 2% today.",
        "Title: Bitcoin is up 2% today.",
    ],
    "quoted": [
        '"Bitcoin is up 2% today."',
        "“Bitcoin is up 2% today.”",
        "'Bitcoin is up 2% today.'",
        '"Bitcoin is up 2% today.',
    ],
    "markdown": [
        "**Bitcoin** is up 2% today.",
        "# Bitcoin today\nIt is up.",
        "- Bitcoin is up\n- Fees are low",
        "1. Bitcoin is up 2. Fees are low",
        "Read [the story](https://coindesk.com/x) on Bitcoin",
        "```\nBitcoin is up today\n```",
        "Bitcoin is `up` today, friends",
        "Bitcoin is <b>up</b> today, friends",
        "Bitcoin is up\\nand down today",
    ],
    "placeholder": [
        "Bitcoin is at [BTC price] now",
        "Bitcoin is at [BTC] now, friends",
        "Bitcoin is at {price} now, friends",
        "<think>short one</think> Bitcoin is up",
        "Bitcoin is up today<|im_end|>",
        "[INST] Bitcoin is up today",
        "Bitcoin is at $XX,XXX right now",
        "Bitcoin is at $nan right now",
        "The key is X_API_KEY, dear friends",
    ],
    "json": [
        '{"tweet": "Bitcoin is up"}',
        'Bitcoin "text": "up today"',
        '["Bitcoin is up today"]',
        "[{'tweet': 'Bitcoin is up'}]",
        "[1, 2] Bitcoin is up today",
    ],
    "cut": [
        "Bitcoin is up today because the",
        "Bitcoin is up today,",
        "Bitcoin is up today and 🚀",
        "Bitcoin is up today: #Bitcoin",
        "Bitcoin is up today and $BTC",
        "Here is how Bitcoin is",
        "Bitcoin has been up since",
        "Bitcoin is up today and #Bitcoin",
        "Bitcoin is up today...",
        "Bitcoin is up today…",
        "Bitcoin is up (a lot today",
        "Bitcoin is a long-",
    ],
    "language": [
        "El precio de Bitcoin está subiendo hoy y no para de crecer",
        "Der Preis von Bitcoin ist heute nicht mehr so hoch wie gestern",
        "ビットコインは今日も上がっています",
        "Биткоин сегодня растёт, друзья",
        "Bitcoin 上涨 today, dear friends",
    ],
    "cashtags": ["Bitcoin $BTC and $ETH rise today"],
    "hashtags": ["#one #two #three Bitcoin is up today"],
    "domain": ["Volume is 1.5M.Now we wait for more", "Read bitcoin.org for the details"],
    "spacing": ["Bitcoin is up.Bitcoin is good", "Up today,down tomorrow, says Bob"],
    "punctuation": ["Bitcoin is up!!! Wow, it is", "Bitcoin.. is up today, friends"],
    "emoji": ["Bitcoin 🚀🚀🚀🚀 is up today", "🚀 a 🚀 b 🚀 c 🚀 d 🚀 e 🚀 f 🚀 up today"],
    "capitals": ["BITCOIN GOES CRAZY TODAY FOLKS"],
    "control": [
        "Bitcoin \u200bis up today",
        "Bitcoin \x07is up today",
        "Bitcoin \ufffd is up today",
    ],
    "lines": ["Bitcoin\nis up\ntoday\nat last, friends"],
    "short": ["Up 2% today", "BTC"],
    "words": [
        "#Bitcoin $BTC $67,000 #BTC",
        "🚀 24 7 365 21 1000000",
        "24h: 94,523 → 94,580 (+0.1%)",
    ],
    "meta": [
        "As an AI, I think Bitcoin is neat.",
        "Bitcoin is up. Note: I chose calm words.",
        "Bitcoin is up today 📈 Note: I chose calm words.",
        "Bitcoin is up today #BTC Note: I chose calm words.",
        "My reasoning: Bitcoin is up today.",
        "Bitcoin is up. (Sentiment: positive)",
        "The tweet stays under the limit, friends.",
        "Bitcoin is up. Score: 9/10 from me",
        "Bitcoin is up. (72 characters)",
        "I cannot help with that request, sorry.",
        "Bitcoin is up. Let me know if you want more!",
    ],
    "loop": [
        "Bitcoin is up today. Bitcoin is up today.",
        "up up up up up and away we go",
        "Bitcoin is up 2% in the day and Bitcoin is up 2% in the day",
        "Bitcoin is up 2% today in the market, Bitcoin is up 2% today in the world",
        "at $67,000, at $67,000, at $67,000, at $67,000",
        "the market is a patient teacher and the market is a patient teacher too",
    ],
    "edges": [" Bitcoin is up 2% today. ", "\nBitcoin is up 2% today."],
    "long": ["Bitcoin is up. " * (MAX_JUDGED // 10)],
}


@pytest.mark.parametrize(
    ("rule", "text"), [(rule, text) for rule, texts in FAULTS.items() for text in texts]
)
def test_the_fault_is_named(rule: str, text: str) -> None:
    assert rule in rules(text)


@pytest.mark.parametrize(
    "text",
    [
        "Bitcoin at $67,000, up 2.3% in 24 hours. #Bitcoin $BTC",
        "HODL: because someone has to be patient. BTC, ATH, DCA.",
        "None of us knows the top. All of us know the blocks: 21 million.",
        "“To the moon?” “No, to the hardware store.”",
        "Here's the thing: blocks do not wait.",
        "24/7/365. No closing bell. Bitcoin just keeps going.",
        "This is the longest line at my bank, and the shortest mempool.",
        "Some see a chart. Some see a clock. Some see a café in São Paulo.",
        "Fees: 3 sat/vB (low). Coffee: hot ☕",
        "1 sat/vB for the next block, 1 sat/vB for the next hour.",
        "About 1 sat/vB for the next block, about 1 sat/vB for the next hour.",
        "Bitcoin's day in one number: -6.74%. My mood in one emoji: 🫠 #BTC",
        "I'm told it is rude to bring pie to a price chart, but here we are 🥧",
        "Bitcoin never naps, and right now it costs just under $69K ⏳ #BTC",
        "$1.17T cap | $52.4B volume | 1,697 sats per $1",
        "Comfortable, like the middle seat never is ✈️",
        "With a Fear & Greed score of 61 the crowd is in Greed.",
        "BTC -26.3% from ATH ($126,080) | 105 days since",
        "[11:00 UTC] BTC = $71,330 ▲0.44% | 24h low $70,410",
        "[BTC/USD] last 67432.18 | high 68100 | low 65900",
        "$BTC ▲ 2.31% | $67.4k | 7d ▲ 5.05%",
        "Now: $67,432 | 24h ago: $65,909 | Δ +$1,523 📈",
        "Market sentiment: the Fear & Greed Index reads 71.",
        "Desk note: BTC -9.9% d/d to 52.8k.",
        "BTC ranged from $96,540 to $97,880. That's the tweet. 🐦",
    ],
)
def test_ordinary_posts_pass(text: str) -> None:
    assert format.check(text, "motivation") == []


def test_a_joke_may_have_one_line_more() -> None:
    text = "Knock knock.\nWho's there?\nA node.\nA node who verified that joke."
    assert rules(text, "joke") == set()
    assert rules(text, "price") == {"lines"}


def test_findings_point_at_the_place() -> None:
    text = "Bitcoin is at [BTC price] now, friends"
    (finding,) = format.check(text, "price")
    assert text[finding.start : finding.end] == "[BTC price]"
    assert (finding.rule, finding.severity) == ("format.placeholder", "reject")


def test_clean_posts_pass() -> None:
    """Of the corpus of clean posts fewer than 2 % are stopped by form."""
    posts = [clean for clean in load_clean() if clean.kind != "headline"]
    stopped = [clean.text for clean in posts if format.check(clean.text, clean.kind)]
    assert len(posts) >= 100
    assert len(stopped) < 0.02 * len(posts), stopped


@pytest.mark.parametrize(
    "text", ["Mt. Gox, El Salvador, Banco do Brasil", "Café owners in Zürich take Bitcoin"]
)
def test_names_do_not_make_a_text_foreign(text: str) -> None:
    assert list(foreign(text)) == []
