"""What no post may say, in plain and in disguise, and what sounds alike but may be said."""

from __future__ import annotations

import hashlib
import json

import pytest

from engine.checks import policy
from engine.checks.length import MAX_JUDGED
from engine.checks.links import registrable
from engine.checks.normalise import fold, views
from engine.checks.wallets import seed_words
from engine.records import Headline
from tests.checks.attacks import load_clean


def rules(text: str, headline: Headline | None = None) -> set[str]:
    return {
        finding.rule.removeprefix("policy.") for finding in policy.check(text, headline=headline)
    }


DENIED = {
    "promise": ["Guaranteed returns for all", "A risk-free profit awaits", "You can't lose with Bitcoin", "Double your bitcoin"],
    "target": ["Bitcoin will hit $100k by Friday", "Price target: $150,000", "Next stop 100k", "Bitcoin is going to moon"],
    "trade": ["Buy Bitcoin now", "You should buy bitcoin today", "Time to sell", "Keep calm and buy the dip", "Don't sell"],
    "advice": ["My advice: hold", "Put all your savings into it", "We recommend Bitcoin"],
    "legal": ["Never pay taxes on your coins", "Bitcoin is tax-free here", "Bypass KYC with ease"],
    "giveaway": ["Big giveaway today", "Airdrop for holders", "Send 1 BTC, get 2 BTC back", "Retweet to win 1 BTC"],
    "contact": ["DM me for signals", "Join our Telegram group", "Share your seed phrase with us", "Click here to see"],
    "urgency": ["Hurry, it ends soon", "Last chance to own one", "Don't miss out on this"],
    "impersonation": ["This is Elon Musk, hello", "Coinbase support here", "I am Satoshi Nakamoto"],
    "politics": ["Biden would hate this block", "Vote for the orange coin"],
    "tragedy": ["Earthquake victims needed Bitcoin", "Bears, kill yourself"],
    "hate": ["Jews control the banks"],
    "unverified": ["Rumors say a country is buying", "Binance is insolvent"],
    "mention": ["Thanks @elonmusk", "Thanks ＠elonmusk", "Write to me@example.org"],
    "cashtag": ["$ETH is up", "$DOGE is up too"],
    "address": [
        "Donate: 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "Donate: 1A1z P1eP 5QGe fi2D MPTf TL5S Lmv7 Divf Na",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BAe",
    ],
    "invoice": ["lnbc2500u1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqf"],
    "key": [
        "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",
        "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
        "U2VsbCBhbGwgeW91ciBiaXRjb2luIG5vdyBwbGVhc2U=",
    ],
    "seed": [
        "legal winner thank year wave sausage worth useful legal winner thank yellow",
        "1. legal 2. winner 3. thank 4. year 5. wave 6. sausage 7. worth 8. useful 9. legal 10. winner 11. thank 12. yellow",
    ],
    "link": [
        "See https://evil.example.com/x",
        "See https://coindesk.com@evil.example.com/x",
        "See https://coindesk.com.evil.net/x",
        "See https://cоindesk.com/x",
        "See https://xn--cindesk-n4a.com/x",
        "See https://coindesk.com:8443/x",
        "See https://decrypt.co%2eevil.net/x",
        "See https://coindesk.com/r?u=https://evil.net",
        "See https://203.0.113.7/login",
        "bit.ly/abc has it",
        "example dot com has it",
        "evil[.]com has it",
        "hxxps://evil.net/x",
        "ev\u200bil.com has it",
        "ｅｖｉｌ.ｃｏｍ has it",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "text"), [(rule, text) for rule, texts in DENIED.items() for text in texts]
)
def test_the_rule_is_named(rule: str, text: str) -> None:
    assert rule in rules(text)


def disguises(word: str) -> dict[str, str]:
    return {
        "letters of other alphabets": word.translate(str.maketrans("aeopcxi", "аеорсхі")),
        "full width": "".join(chr(ord(c) + 0xFEE0) for c in word),
        "mathematical": "".join(chr(0x1D4EA + ord(c) - 97) for c in word),
        "circled": "".join(chr(0x24D0 + ord(c) - 97) for c in word),
        "boxed": "".join(chr(0x1F170 + ord(c) - 97) for c in word),
        "zero width": "\u200b".join(word),
        "soft hyphens": "\u00ad".join(word),
        "struck through": "".join(c + "\u0335" for c in word),
        "accents": "".join(c + "\u0301" for c in word),
        "digits": word.translate(str.maketrans("aei", "431")),
        "spaced": " ".join(word),
        "dotted": ".".join(word),
        "hyphenated": word[:3] + "-" + word[3:],
        "stretched": word.replace("a", "aaaa"),
        "direction marks": "\u202e" + word + "\u202c",
        "tag characters between": "\U000e0061".join(word),
    }


@pytest.mark.parametrize("disguise", disguises("giveaway"))
def test_disguises_are_seen_through(disguise: str) -> None:
    text = f"A {disguises('giveaway')[disguise]} for you"
    (finding, *_) = [f for f in policy.check(text) if f.rule == "policy.giveaway"]
    covered = text[finding.start : finding.end]
    assert covered and covered in text[2:-8]


@pytest.mark.parametrize(
    "text",
    [
        "HODL. Stack sats. Not your keys, not your coins.",
        "Time in the market beats timing the market.",
        "Buy high, sell low: a strategy I perfected by accident.",
        "I told my wife I would buy the dip. She handed me guacamole.",
        "Nothing is guaranteed except the next block.",
        "Never share your seed phrase with anyone.",
        "Not financial advice, just vibes and blocks.",
        "Bitcoin has died hundreds of times, said the obituaries.",
        "Kill the noise. What the hell was that candle? A stroke of luck.",
        "Scunthorpe miners assess the analysis of a cumulative class action.",
        "Greetings from Scunthorpe, Penistone and Essex.",
        "Block height will pass 1,000,000 one day.",
        "The dot com bubble taught patience.",
        "There will only ever be 21 million.",
        "No hurry. The next block comes in ten minutes.",
        "Bitcoin reclaims $67,000 after a quiet night.",
        "Long candles, short memories.",
        "Read the story: https://www.coindesk.com/markets/btc-up",
        "The market is calm today and people talk about the next block as if it was a bus",
    ],
)
def test_what_sounds_alike_passes(text: str) -> None:
    assert policy.check(text) == []


def test_a_headline_lets_a_post_name_what_it_names_and_nothing_else() -> None:
    headline = Headline("Trump signs order on Bitcoin reserve", "CoinDesk")
    text = "Trump signs an order on a Bitcoin reserve, says CoinDesk."
    assert rules(text) == {"politics"}
    assert rules(text, headline) == set()
    assert rules("Biden reads an order, says CoinDesk.", headline) == {"politics"}
    bait = Headline("Bitcoin giveaway: buy now", "Spam")
    assert rules("Bitcoin giveaway: buy now", bait) == {"giveaway", "trade"}


def test_clean_posts_pass() -> None:
    """Of the corpus of clean posts fewer than 2 % are stopped by the policy."""
    posts = [clean for clean in load_clean() if clean.kind != "headline"]
    stopped = [clean.text for clean in posts if policy.check(clean.text)]
    assert len(stopped) < 0.02 * len(posts), stopped


def test_the_version_names_the_file() -> None:
    raw = policy.POLICY_FILE.read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    assert f"{json.loads(raw)['version']}+{digest[:12]}" == policy.POLICY_VERSION


def test_a_text_too_long_to_judge_is_rejected() -> None:
    assert rules("calm " * MAX_JUDGED) == {"long"}


def test_the_seed_words_are_those_of_the_standard() -> None:
    """2,048 words, told apart by their first four letters, with the published checksum."""
    words = sorted(seed_words())
    digest = hashlib.sha256("".join(f"{word}\n" for word in words).encode()).hexdigest()
    assert len(words) == len({word[:4] for word in words}) == 2048
    assert digest == "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("fr33 b1tc01n", "free bitcoin"),
        ("G.i.v.e  a.w.a.y", "give  away"),
        ("h e l l o  f r i e n d", "hello  friend"),
        ("$67,000 up 2.3% in 24h, 1st of 3", None),
        ("Not your keys, not your coins", None),
    ],
)
def test_readings_undo_disguises_and_leave_numbers_alone(text: str, reading: str | None) -> None:
    texts = [view.text for view in views(text)]
    assert texts[0] == fold(text).text
    if reading:
        assert reading in texts
    else:
        assert texts == [text.lower()]


def test_every_view_knows_where_its_letters_came_from() -> None:
    text = "ﬁat ①② 𝐛𝐭𝐜 Gіve\u200baway"
    for view in views(text):
        assert len(view.text) == len(view.origin)
        assert list(view.origin) == sorted(view.origin)
    folded = fold(text)
    start = folded.text.index("giveaway")
    assert text[slice(*folded.span(start, start + 8))] == "Gіve\u200baway"


@pytest.mark.parametrize(
    ("host", "owner"),
    [
        ("www.coindesk.com", "coindesk.com"),
        ("a.b.co.uk", "b.co.uk"),
        ("t.co", "t.co"),
        ("x.y.z.io", "z.io"),
    ],
)
def test_registrable_domains(host: str, owner: str) -> None:
    assert registrable(host) == owner
