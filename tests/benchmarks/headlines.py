"""Made-up headlines for benchmarks: every subject of a theme with every predicate of it.

Some say what no snapshot proves (a first, a record, sums of money), as headlines do; none of it
ever happened.
"""

from __future__ import annotations

import random

SOURCES = ("CoinDesk", "Cointelegraph", "Bitcoin Magazine", "Decrypt")

_THEMES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        ("Mining company", "Bitcoin mining pool", "Hosting provider", "Chip maker", "Solar farm"),
        (
            "moves bitcoin machines to hydro power",
            "reports a quarterly loss after the bitcoin halving",
            "signs a long power contract for bitcoin mining",
            "posts record hashrate at its newest site",
            "delays its next bitcoin processor",
            "opens a training center for miners",
            "sells heat from bitcoin mining to greenhouses",
            "raises $40 million for a bitcoin mining expansion",
        ),
    ),
    (
        (
            "Securities regulator",
            "Senate committee",
            "Court in Delaware",
            "Treasury",
            "City council",
        ),
        (
            "asks for comments on bitcoin custody rules",
            "postpones a hearing on bitcoin taxes",
            "publishes plain guidance for bitcoin holders",
            "rejects an appeal in a bitcoin fraud case",
            "considers a bitcoin reserve study",
            "drops its lawsuit against a bitcoin exchange",
            "bans bitcoin kiosks near schools",
            "names a first-time task force on bitcoin policy",
        ),
    ),
    (
        ("Payment processor", "Coffee chain", "Regional bank", "University", "Football club"),
        (
            "accepts bitcoin over the Lightning Network",
            "pauses its bitcoin pilot",
            "expands bitcoin payments to more countries",
            "adds bitcoin to its treasury",
            "offers staff a bitcoin course",
            "reports weak demand for bitcoin checkout",
            "partners with a bitcoin wallet maker",
            "celebrates a year of bitcoin sales",
        ),
    ),
    (
        (
            "Bitcoin developers",
            "Wallet makers",
            "Research groups",
            "Lightning engineers",
            "Auditors",
        ),
        (
            "publish a draft proposal for simpler bitcoin fees",
            "describe a faster way to verify old blocks",
            "release a bitcoin client update",
            "find a bug in a popular bitcoin library",
            "debate quantum risks for bitcoin keys",
            "open-source a tool for bitcoin backups",
            "test new covenant code on a bitcoin test network",
            "warn of slow reviews in bitcoin software",
        ),
    ),
    (
        ("Traders", "Analysts", "Options desks", "ETF issuers", "Hedge funds"),
        (
            "disagree on what drives bitcoin prices",
            "watch bitcoin volatility fade",
            "see calm in bitcoin futures",
            "brace for a volatile bitcoin week",
            "report inflows into bitcoin ETFs for the third week",
            "cut bitcoin exposure after a plunge",
            "question bitcoin's four-year cycle",
            "cheer a bullish bitcoin quarter",
        ),
    ),
    (
        ("Exchange", "Police unit", "Security firm", "Wallet vendor", "Bitcoin bridge"),
        (
            "warns of phishing mails that target bitcoin users",
            "recovers stolen bitcoin after a hack",
            "publishes proof of bitcoin reserves",
            "reports an outage and says bitcoin is safe",
            "fixes a flaw in a bitcoin signing device",
            "describes a scam against bitcoin savers",
            "loses 120 bitcoin in an exploit",
            "praises multisig for bitcoin families",
        ),
    ),
    (
        ("Economists", "Central bankers", "Pension advisers", "Fed officials", "Dollar watchers"),
        (
            "debate the role of bitcoin in savings",
            "shrug at bitcoin in a new inflation paper",
            "compare bitcoin with gold once more",
            "see recession fears weigh on bitcoin",
            "leave rates unchanged as bitcoin holders wait",
            "publish a cautious note on bitcoin allocations",
            "expect calmer bitcoin markets",
            "count bitcoin in a survey of household wealth",
        ),
    ),
)


def titles(rng: random.Random) -> list[tuple[str, str]]:
    """Every headline with a source, in random order."""
    drawn = [
        (f"{subject} {predicate}", rng.choice(SOURCES))
        for subjects, predicates in _THEMES
        for subject in subjects
        for predicate in predicates
    ]
    rng.shuffle(drawn)
    return drawn
