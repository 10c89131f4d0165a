"""The Fear & Greed index: its value, its class, and what is said of the crowd."""

from __future__ import annotations

from engine.checks.facts.case import Case, before
from engine.checks.facts.changes import relation_to
from engine.checks.facts.items import Item, Segment, Sentence
from engine.checks.facts.network import owner
from engine.checks.facts.words import cues


def mood(case: Case, sentence: Sentence, segment: Segment) -> None:
    """The Fear & Greed value and its class."""
    index = case.known.facts.fear_greed
    said = (
        "the snapshot does not know Fear & Greed"
        if index is None
        else f"Fear & Greed is {index.value} ({index.label})"
    )
    about = sentence.has("topic", "fng") or case.subject == "fng"
    for item in segment.of("num"):
        number = item.number
        if item.done or number is None:
            continue
        nearby = owner(segment, item)
        bare = item.value == "bare" or (item.value == "points" and not segment.of("dir"))
        named = about or (sentence.has("label") and not segment.of("dir"))
        ours = named and bare and nearby in ("", "fng") and number.value <= 100
        if item.value != "index" and not ours:
            continue
        if not about and not sentence.has("label"):
            case.reject("number", item, "nothing says what it measures")
            continue
        relation = relation_to(segment, segment.index(item))
        good = (
            index is not None
            and not number.sign
            and _index_fits(number.value, index.value, relation)
        )
        case.judge(good, "number", item, "Fear & Greed", "fear_greed.value", said)
    label = case.known.mood() or ""
    nearest = next(iter(segment.of("topic")), None)
    if nearest and case.content_type == "price":
        for item in segment.of("word") if nearest.value == "fng" else ():
            want = (
                "fear"
                if item.value in cues("mood.gloomy")
                else "greed"
                if item.value in cues("mood.sunny")
                else ""
            )
            if want:
                case.judge(
                    want in label, "relation", item, f"a mood of {want}", "fear_greed.label", said
                )
    if (
        (about or sentence.has("label"))
        and label
        and "extreme" not in label
        and not segment.of("neg")
    ):
        for item in segment.of("word"):
            if item.value == "extreme":
                case.reject("relation", item, said)
    for item in segment.of("label"):
        if item.done:
            continue
        if _negated_label(segment, item):
            case.judge(
                bool(label) and item.value not in label,
                "relation",
                item,
                f"not {item.value}",
                "fear_greed.label",
                said,
            )
            continue
        text = case.text[item.start : item.end].lower()
        exact = item.value == label
        plain = text in ("fear", "greed", "neutral") and not _says_extreme(case)
        mere = {"mere", "merely", "only", "just", "plain", "simple", "ordinary"}
        plain = plain or any(x.value in mere for x in before(segment, item.place, 2))
        soft = item.value in label and not plain
        case.judge(
            bool(label) and (exact or soft), "relation", item, item.value, "fear_greed.label", said
        )


def _says_extreme(case: Case) -> bool:
    words = case.text.lower().split()
    i = next((k for k, word in enumerate(words) if word.strip(".,!?()") == "extreme"), None)
    return i is not None and not {"not", "nothing", "no", "never", "isn't"} & set(
        words[max(0, i - 6) : i]
    )


def _index_fits(value: float, fact: int, relation: str) -> bool:
    if relation == "above":
        return value < fact <= value + 10
    if relation == "below":
        return value - 10 <= fact < value
    if relation in ("about", "just_above", "just_below"):
        return abs(value - fact) <= 2 and not (
            (relation == "just_above" and fact <= value)
            or (relation == "just_below" and fact >= value)
        )
    return value == fact


def _negated_label(segment: Segment, item: Item) -> bool:
    return any(other.kind == "neg" for other in before(segment, segment.index(item), 4))
