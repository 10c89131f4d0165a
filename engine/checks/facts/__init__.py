"""The fact lock: every number, direction, relation and time of a text is proved, or it is rejected.

``check`` judges, ``prove`` shows what proves what. A text is read into tokens, items, segments and
sentences; judges then claim every item they can prove from the snapshot; whatever claims something
and nobody proved is rejected at the end. Unknown is never true.

=========================  =====================================================================
module                     what it does
=========================  =====================================================================
reading, numbers, worded,  tokens with offsets; numbers in digits and words, fractions, dates
dates, words, constants    the word list, reviewed idioms, the headline's own words
items, spans, senses       items, segments and sentences; which horizon a claim speaks of; words of
                           several senses
known, meanings            what a snapshot proves, and every meaning a number of one kind may have
judge, case                the order of judging; what the judges of one text share
values, apart, moves       value first: what a number equals, unless the words contradict it:
                           distances and named levels; moves and earlier prices; counts, shares
derivations                widths, ages and the like, by the words they need
levels, roles, pairs       dollar amounts from their words: which level, over, under, from A to B
changes, distances,        percentages and directions; how far from a level; near, at, mid-range
places, remarks            emoji, multiples, superlatives, sizes
network, fees, mood        blocks, halving, supply, hash rate; fee rates; Fear & Greed
times                      dates, weekdays, clock times, parts of the day
guards, denials            forecasts, conditions, negations, horizons and relations left over
closed                     the closed world of price posts: words, people, reasons and deals
=========================  =====================================================================
"""

from __future__ import annotations

from engine.checks.facts.case import Case, Proof
from engine.checks.facts.judge import judge
from engine.checks.facts.known import Known
from engine.records import Facts, Finding

__all__ = ["MAX_CHARACTERS", "Proof", "check", "prove"]

MAX_CHARACTERS = 2_000
"""Nothing longer is read: no post is, and an unread text is not proved."""


def check(text: str, facts: Facts | None, content_type: str = "price") -> list[Finding]:
    """What cannot be proved of ``text``, in the order of the text; empty where all is proved.

    ``facts`` None proves nothing but constants. Rules: ``facts.number``, ``.unit``,
    ``.direction``, ``.relation``, ``.time``, ``.negation``, ``.prediction``, ``.claim``,
    ``.subject``, ``.unreadable``; severity ``reject``.
    """
    if len(text) > MAX_CHARACTERS:
        message = f"{len(text):,} characters are too many to be proved. Shorten the text."
        return [Finding("facts.unreadable", "reject", 0, len(text), message)]
    case = _judged(text, facts, content_type)
    return sorted(case.findings, key=lambda finding: (finding.start, finding.end, finding.rule))


def prove(text: str, facts: Facts | None, content_type: str = "price") -> list[Proof]:
    """The claims of ``text`` that hold, each with the fact behind it, in the order of the text."""
    if len(text) > MAX_CHARACTERS:
        return []
    case = _judged(text, facts, content_type)
    return sorted(case.proofs, key=lambda proof: (proof.start, proof.end))


def _judged(text: str, facts: Facts | None, content_type: str) -> Case:
    case = Case(text, Known(facts or Facts()), content_type)
    judge(case)
    return case
