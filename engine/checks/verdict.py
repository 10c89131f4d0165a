"""All checks of a text, run together into one verdict.

Each check is a pure function of the text and what it is judged against, and answers findings.
A check that fails itself gives a finding of severity ``error``: it never counts as a pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.checks import facts as fact_lock
from engine.checks import format, injection, length, policy, repetition, voice
from engine.records import Facts, Finding, Verdict

__all__ = ["MAX_CHARACTERS", "CheckContext", "run_checks"]

MAX_CHARACTERS = 1_000
"""Longer texts are rejected unread: no post is this long, and hostile ones cost time."""


@dataclass(frozen=True)
class CheckContext:
    """What a text is judged against.

    ``facts`` carries the headline of news posts. ``history`` None leaves repetition out (a text
    judged on its own). ``voice_threshold`` None turns voice findings into warnings.
    """

    content_type: str
    facts: Facts | None
    voice: voice.VoiceProfile
    voice_threshold: float | None = None
    history: repetition.History | None = None


def run_checks(text: str, context: CheckContext) -> Verdict:
    """The verdict of length, format, facts, policy, injection, voice and repetition."""
    if len(text) > MAX_CHARACTERS:
        message = f"{len(text):,} characters are too many to be a post; at most 280 count."
        return Verdict((Finding("length.limit", "reject", 0, len(text), message),))
    facts = context.facts
    checks: dict[str, Callable[[], list[Finding]]] = {
        "length": lambda: length.check(text),
        "format": lambda: format.check(text, context.content_type),
        "facts": lambda: fact_lock.check(text, facts, context.content_type),
        "policy": lambda: policy.check(text, headline=facts.headline if facts else None),
        "injection": lambda: injection.flags(text),
        "voice": lambda: _voice(text, context),
        "repetition": lambda: repetition.check(text, context.history) if context.history else [],
    }
    findings: list[Finding] = []
    for name, check in checks.items():
        try:
            findings += check()
        except Exception as error:  # whatever a check raises is a verdict of error, never a pass
            sentence = f"the {name} check failed ({type(error).__name__}: {error}); see the log."
            findings.append(Finding(f"{name}.error", "error", 0, len(text), sentence))
    return Verdict(tuple(findings))


def _voice(text: str, context: CheckContext) -> list[Finding]:
    threshold = context.voice_threshold
    if threshold is not None:
        return voice.check(text, context.voice, context.content_type, threshold)
    found = voice.check(text, context.voice, context.content_type, 0.6)
    return [replace(finding, severity="warn") for finding in found]
