"""What the judges of one text share: the snapshot, the state of reading, findings and proofs."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.checks.facts.items import Item, Segment, Sentence
from engine.checks.facts.known import Known
from engine.checks.facts.words import cues
from engine.records import Finding


@dataclass(frozen=True)
class Proof:
    """What proves one claim. ``start``/``end``: code-point offsets of the claim in the text.

    ``claim``: what was read, in words; ``fact``: the FACTS keys it rests on; ``value_text``: their
    value.
    """

    start: int
    end: int
    claim: str
    fact: str
    value_text: str


@dataclass
class Case:
    """``subject``: whom a direction is about; ``span``: horizon said earlier in this sentence;
    ``last_ref``: the level last spoken of; ``way``: the direction said earlier in this sentence; ``spans``: horizons its
    changes were proved over; ``relation``: of the number before, for lists (``crossed A, B and C``);
    ``against``: the level this sentence compares with; ``spoken``: levels named in this or the
    sentence before; ``asked``: what the question before was about (``Volume?``); ``rates``: a fee rate was said with its unit."""

    text: str
    known: Known
    content_type: str = "price"
    findings: list[Finding] = field(default_factory=list)
    proofs: list[Proof] = field(default_factory=list)
    subject: str = "btc"
    span: str = ""
    last_ref: str = ""
    way: int = 0
    spans: set[str] = field(default_factory=set)
    relation: str = ""
    against: str = ""
    spoken: set[str] = field(default_factory=set)
    before: set[str] = field(default_factory=set)
    ago: Item | None = None
    rounds: list[float] = field(default_factory=list)
    measured: set[float] = field(default_factory=set)
    asked: str = ""
    rates: bool = False
    of_record: bool = False
    sized: set[str] = field(default_factory=set)
    sentence: Sentence = field(default_factory=Sentence)

    def quote(self, item: Item) -> str:
        return " ".join(self.text[item.start : item.end].split())[:60]

    def reject(self, rule: str, item: Item, why: str) -> None:
        """``why``: what the snapshot says, one clause without a full stop."""
        item.done = True
        message = f'"{self.quote(item)}" cannot be proved: {why}.'
        self.findings.append(Finding(f"facts.{rule}", "reject", item.start, item.end, message))

    def prove(self, item: Item, claim: str, fact: str, value_text: str) -> None:
        item.done = True
        self.proofs.append(Proof(item.start, item.end, claim, fact, value_text))

    def judge(self, held: bool, rule: str, item: Item, claim: str, fact: str, said: str) -> bool:
        """Proved by ``fact`` if ``held``, else rejected; ``said`` is what the snapshot says."""
        if held:
            self.prove(item, claim, fact, said)
        else:
            self.reject(rule, item, said)
        return held


def before(segment: Segment, i: int, limit: int) -> list[Item]:
    """Items left of ``i``, nearest first."""
    return segment.items[max(0, i - limit) : i][::-1]


def after(segment: Segment, i: int, limit: int) -> list[Item]:
    return segment.items[i + 1 : i + 1 + limit]


def words_of(case: Case, segment: Segment) -> set[str]:
    """Words and senses of a segment; of the one before it, too, where it is a number alone."""
    said = texts(case, segment.items)
    if all(x.kind in ("num", "sep", "rel") for x in segment.items):
        said |= texts(case, earlier(case, segment))
    return said


def earlier(case: Case, segment: Segment) -> list[Item]:
    """The items of the sentence before a segment."""
    k = next((k for k, x in enumerate(case.sentence.segments) if x is segment), 0)
    return [item for earlier in case.sentence.segments[:k] for item in earlier.items]


def texts(case: Case, items: list[Item]) -> set[str]:
    said = {word.strip(".,;:!?()") for x in items for word in case.quote(x).lower().split()}
    return said | {x.value for x in items if x.kind in ("rel", "dir")}


def told_past(case: Case, segment: Segment) -> bool:
    """Whether the segment tells of the day behind: a verb in the past, or the day itself."""
    words = texts(case, segment.items)
    day = any(x.value == "24h" for x in segment.of("span"))
    return day or any(word in cues("visited") or word.endswith("ed") for word in words)
