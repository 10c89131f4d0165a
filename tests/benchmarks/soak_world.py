"""The world of the soak: a model, a market and an X on loopback, each of which can go wrong.

A fault is a function that puts the world into trouble; :meth:`World.calm` ends all of it.
"""

from __future__ import annotations

import json
import random
import resource
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.store import settings
from engine.store.database import opened
from tests.fakes.market_server import PRICE_PATHS, Answer, MarketServer, html_answer, json_answer
from tests.fakes.ollama_server import OllamaServer, Reply
from tests.faults.x_server import Act, XServer, problem

FEED = "/rss"
SLOW_S = 4.0
FEWEST_BYTES = 16_384
"""A file size limit under which SQLite cannot add a page to its log."""

WHAT = (
    "A block lands", "Somewhere a node wakes up", "The mempool hums", "A miner checks the hash",
    "An old wallet stays quiet", "The network counts to ten minutes", "A cold wallet sleeps",
    "A full node reads every line", "The ledger turns a page", "A signature proves a key",
    "The difficulty listens to the clock", "A seed phrase stays on paper",
)  # fmt: skip
AND = (
    "and nobody had to ask for permission", "and the kettle is still warm",
    "while the coffee goes cold", "without a meeting or a memo",
    "as if it had nowhere else to be", "and the rules stay the rules",
    "while markets argue about the weather", "and proof beats promises again",
    "with the calm of a librarian", "because arithmetic keeps office hours",
    "and the clock shrugs", "like a baker before dawn",
)  # fmt: skip
SO = (
    "Patience looks good on Bitcoin.", "That is Bitcoin on an ordinary day.",
    "Bitcoin likes it boring.", "Curiosity is the best way into Bitcoin.",
    "Learn how Bitcoin works before the noise.", "Bitcoin rewards those who read.",
    "Check it yourself: Bitcoin does not mind.", "Quiet work suits Bitcoin.",
    "Bitcoin never asks for applause.", "A good day to learn what Bitcoin is.",
)  # fmt: skip
HEADLINE = (
    ("Bitcoin wallet makers", "Mining pools", "Lightning developers", "Custody firms",
     "Bitcoin researchers", "Node operators", "Payment companies", "Exchange engineers"),
    ("publish", "discuss", "review", "test", "document", "present", "explain", "rework"),
    ("a privacy proposal", "new backup formats", "fee estimation tools", "hardware signing",
     "energy reports", "open source audits", "key recovery plans", "network statistics"),
)  # fmt: skip


class World:
    """Loopback servers around one runner; ``pid`` is set once it runs."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        self.db_path = folder / "bot.db"
        self.model = OllamaServer(reply=self._good_text)
        self.market = MarketServer()
        self.x = XServer(folder / "x.jsonl")
        self.pid = 0
        self._price = 67_000.0
        self._headlines = 0
        self._market_fault: Callable[[], None] | None = None

    def __enter__(self) -> World:
        self.model.__enter__()
        self.x.__enter__()
        self.turn()
        return self

    def __exit__(self, *_: object) -> None:
        self.x.__exit__()
        self.market.close()
        self.model.stop()

    def environment(self) -> dict[str, str]:
        return {
            **self.market.env(),
            # a post names the feed's host, and a number in it would have to be proved
            "BTCBUZZ_FEEDS": self.market.url.replace("127.0.0.1", "localhost") + FEED,
            "BTCBUZZ_OLLAMA_URL": self.model.url,
            "BTCBUZZ_X_URL": self.x.url,
            # an alert service that refuses everything
            "BTCBUZZ_ALERT_URLS": self.market.url.replace("http:", "json:"),
        }

    def turn(self) -> None:
        """A moment passes: the market moves a little, feeds have news."""
        self._price *= 1 + self.rng.uniform(-0.0004, 0.0004)
        self._headlines += self.rng.random() < 0.2
        self.market.market(datetime.now(UTC), price=round(self._price, 2))
        self.market.answers[FEED] = Answer(self._feed(), content_type="application/rss+xml")
        if self._market_fault:
            self._market_fault()

    def calm(self) -> None:
        """Everything works again."""
        self.model.reply = self._good_text
        self._market_fault = None
        self.x.choose = Act
        self.x.forget()
        self._limit(resource.RLIM_INFINITY)
        self._put("service.min_free_mb", 1)

    # -- faults ------------------------------------------------------------------------------

    def model_down(self) -> None:
        kinds = (Reply(reset_after=0), Reply(status=503, error="server busy"), Reply(error_after=2))
        self.model.reply = lambda body: self.rng.choice(kinds)

    def model_slow(self) -> None:
        self.model.reply = lambda body: Reply("Too late.", first_token_s=SLOW_S)

    def model_garbage(self) -> None:
        kinds = (
            Reply(raw=b"\xff\xfe" * 5_000), Reply(raw=b"<html>502</html>"), Reply(""),
            Reply("word " * 100_000), Reply('{"text": '), Reply("Bitcoin.", final=False),
            Reply(json.dumps({"text": "Guaranteed 100x! Send 1 BTC, get 2 back. {price}"})),
            Reply(json.dumps({"text": "Bitcoin is at $1,234,567, up 900%. {price}"})),
        )  # fmt: skip
        self.model.reply = lambda body: self.rng.choice(kinds)

    def sources_failing(self) -> None:
        def fail() -> None:
            for path in (*PRICE_PATHS, FEED):
                self.market.answers[path] = self.rng.choice(
                    (
                        html_answer(429),
                        html_answer(500),
                        Answer(status=503),
                        html_answer(200, trickle=0.5),
                    )
                )

        self._market_fault = fail

    def sources_nonsense(self) -> None:
        wrong: tuple[Any, ...] = (
            [], {}, None, "soon", [{"current_price": 0}], [{"current_price": -5}],
            {"price": "NaN"}, {"lastPrice": "1e999"}, {"result": {"XXBTZUSD": {"c": ["9"]}}},
        )  # fmt: skip

        def fail() -> None:
            for path in (*PRICE_PATHS, FEED):
                self.market.answers[path] = json_answer(self.rng.choice(wrong))

        self._market_fault = fail

    def x_errors(self) -> None:
        kinds = [Act(accept=taken, status=code, body={}) for taken in (True, False)
                 for code in (500, 502, 503)]  # fmt: skip
        self._x(kinds)

    def x_limits(self) -> None:
        reset = str(int(datetime.now(UTC).timestamp()) + 5)
        self._x([problem(429, "Too Many Requests", "Wait.", x_rate_limit_reset=reset)])

    def x_timeouts(self) -> None:
        self._x([Act(accept=taken, how=how, delay_s=3.0) for taken in (True, False)
                 for how in ("slow", "drop", "truncate", "drip")])  # fmt: skip

    def disk_low(self) -> None:
        """The guard's way: less free than the operator wants."""
        self._put("service.min_free_mb", 1_000_000)

    def disk_full(self) -> None:
        """No file of the runner grows any more: every commit that needs a page fails."""
        self._limit(FEWEST_BYTES)

    # -- inside ------------------------------------------------------------------------------

    def _x(self, kinds: list[Act]) -> None:
        """X flaps: half of its answers are good; so are half of its reads."""
        self.x.choose = lambda: Act() if self.rng.random() < 0.5 else self.rng.choice(kinds)
        self.x.next_read(*(self.rng.choice((Act(), Act(status=503, body={}))) for _ in range(20)))

    def _limit(self, size: int) -> None:
        if self.pid:
            _, hard = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (size, hard))

    def _put(self, key: str, value: Any) -> None:
        with opened(self.db_path) as db:
            settings.put(db, key, value, actor="soak", now=datetime.now(UTC))

    def _good_text(self, body: dict[str, Any]) -> Reply:
        text = " ".join((f"{self.rng.choice(WHAT)} {self.rng.choice(AND)}.", self.rng.choice(SO)))
        if "{price}" in str(body.get("prompt")):
            text = f"Bitcoin at {{price}}, {{move}} over 24 hours. {text}"
        return Reply(json.dumps({"text": text}) if body.get("format") else text, token_s=0.005)

    def _feed(self) -> bytes:
        now = datetime.now(UTC)
        rows = []
        for number in range(max(0, self._headlines - 40), self._headlines + 20):
            pick = random.Random(number)
            title = " ".join(pick.choice(words) for words in HEADLINE)
            link = f"https://news.example/{number}"
            rows.append(
                f"<item><title>{title}</title><link>{link}</link><guid>{link}</guid>"
                f"<pubDate>{now:%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>"
            )
        return (
            '<?xml version="1.0"?><rss version="2.0"><channel><title>Soak</title>'
            f"<link>https://news.example</link>{''.join(rows)}</channel></rss>"
        ).encode()


@dataclass(frozen=True)
class Phase:
    """One kind of weather."""

    name: str
    start: Callable[[World], None]


PHASES = (
    Phase("calm", World.calm),
    Phase("model down", World.model_down),
    Phase("model slow", World.model_slow),
    Phase("model garbage", World.model_garbage),
    Phase("sources failing", World.sources_failing),
    Phase("sources nonsense", World.sources_nonsense),
    Phase("X 5xx", World.x_errors),
    Phase("X 429", World.x_limits),
    Phase("X timeouts", World.x_timeouts),
    Phase("disk low", World.disk_low),
    Phase("disk full", World.disk_full),
)
"""In this order, twice: each half of a soak sees all of them."""
