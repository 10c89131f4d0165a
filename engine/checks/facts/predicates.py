"""The verb after the market: a word nobody knows may claim anything, so it is not let through."""

from __future__ import annotations

from engine.checks.facts.case import Case
from engine.checks.facts.items import Segment

_LIGHT = {
    "is", "was", "has", "have", "had", "just", "now", "also", "currently", "been", "being", "got", "gets", "getting",
    "its", "are", "were", "really", "clearly", "still", "already", "quietly", "looks", "looking", "seems", "feels",
}  # fmt: skip
_HARMLESS = set(
    """
    sits sitting stands standing trades trading traded changes changing costs costing goes hovers hovering hovered priced
    quoted quoting valued printing prints printed showing shows reads reading holds holding held updates update watchers stackers
    traders investors enthusiasts believers fans users miners nodes blocks wallets transactions news numbers maxis plebs
    checks check report stats statistics fees prices charts markets moves moving moved was is has does its this thus less
    always perhaps always plus versus as us yes buys comes coming came starts starting started ends ending ended marks marking
    marked seeing sees needs needed makes making puts putting spends spending spent works working worked sleeps rests resting
    rested settles settling settled finds finding leaves leaving left lives living stays staying stayed remains remaining
    keeps continues carries carrying runs running says saying said asks asking answers answering owners people folks
    hodlers holders bitcoiners coins sats pauses pausing paused lands landing landed arrives walks walking opening
    compared listed measured used based indeed bed unchanged need feed speed red wed finished wanted called named known
    thing things morning evening king nothing something everything anything ping ring string during mining evening
    hodling stacking zooming breathing sleeping waiting waits awaits watching watches ticking ticks tick ing sticks sticking
    hugging hugs circling circles dancing dances strolling strolls wandering wanders meandering meanders drifts drifting drifted
    levels hours minutes days weeks signals dollars cents percents basics facts worries vibes minds pays paying paid
    """.split()
)


def unknown_predicates(case: Case, segment: Segment) -> None:
    """Reject ``Bitcoin nosedoves``: an inflected word right after the market that nobody knows."""
    if case.content_type != "price":
        return
    items = segment.items
    for i, item in enumerate(items):
        if item.kind != "topic" or item.value != "btc":
            continue
        for other in items[i + 1 : i + 4]:
            if other.kind == "word" and other.value in _LIGHT:
                continue
            if (
                other.kind == "word"
                and len(other.value) > 3
                and other.value.endswith(("s", "ed", "ing"))
                and other.value not in _HARMLESS
                and not other.value.endswith(("ss", "'s", "us"))
            ):
                case.reject("claim", other, "no rule knows what it says of the market")
            break
