"""The fact lock: every number, direction, relation and time of a text is proved, or it is rejected.

``check`` judges, ``prove`` shows what proves what. A text is read into tokens (:mod:`reading`),
items and segments (:mod:`items`); judges then claim every item they can prove from the snapshot
(:mod:`levels`, :mod:`pairs`, :mod:`changes`, :mod:`places`, :mod:`network`, :mod:`times`); whatever
claims something and nobody proved is rejected at the end. Unknown is never true.
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
