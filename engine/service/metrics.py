"""Figures for Prometheus, read from the database, so that a restart loses none.

Only what callers of the API do is counted in memory. ``METRICS`` is the list that docs/api.md
prints.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sqlite_utils import Database

from engine.clock import Clock
from engine.posting import killswitch, spend
from engine.service import heartbeat
from engine.store import alerts, approvals, breakers, figures, settings, slots

if TYPE_CHECKING:
    from prometheus_client.core import Metric

METRICS: dict[str, str] = {
    "btcbuzz_generation_seconds": "wall time of model calls, by model and outcome",
    "btcbuzz_generations_total": "model calls, by model, outcome and verdict",
    "btcbuzz_findings_total": "findings on candidates, by rule and severity",
    "btcbuzz_posts": "posts, by state",
    "btcbuzz_slots": "slots, by state",
    "btcbuzz_attempts": "attempts to publish, by outcome",
    "btcbuzz_breaker_state": "1 for the state a model's circuit breaker is in",
    "btcbuzz_spend_usd": "charged this calendar month (UTC), by publisher",
    "btcbuzz_budget_usd": "the month's budget",
    "btcbuzz_heartbeat_age_seconds": "time since the runner's last pulse",
    "btcbuzz_kill_switch": "1 while posting is stopped",
    "btcbuzz_alerts_open": "1 for each alert that holds now, by kind",
    "btcbuzz_api_requests_total": "requests to the API, by method, route and status",
    "btcbuzz_api_seconds": "time to answer requests, by route",
}
_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_BREAKER_STATES = ("closed", "half_open", "open")


class _Times:
    """A histogram: counts by upper bound in seconds, and their sum."""

    def __init__(self) -> None:
        self.counts, self.beyond, self.sum = [0] * len(_BUCKETS), 0, 0.0

    def add(self, seconds: float) -> None:
        self.sum += seconds
        for index, bound in enumerate(_BUCKETS):
            if seconds <= bound:
                self.counts[index] += 1
                return
        self.beyond += 1

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulative, as Prometheus wants them."""
        rows, total = [], 0
        for bound, count in zip(_BUCKETS, self.counts, strict=True):
            total += count
            rows.append((str(bound), float(total)))
        return [*rows, ("+Inf", float(total + self.beyond))]


class Metrics:
    """All figures; used from one thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_call = 0
        self._calls: Counter[tuple[str, str, str]] = Counter()
        self._times: dict[tuple[str, ...], _Times] = {}
        self._findings: Counter[tuple[str, str]] = Counter()
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._answers: dict[tuple[str, ...], _Times] = {}

    def saw(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request to the API."""
        known = method if method in ("GET", "POST", "PUT", "DELETE") else "other"
        self._requests[known, route, str(status)] += 1
        self._answers.setdefault((route,), _Times()).add(seconds)

    def text(self, db: Database, path: Path) -> bytes:
        """The exposition of now. Raises: StoreError, sqlite3.Error."""
        from prometheus_client import CollectorRegistry, generate_latest

        self._read_calls(db)
        families = [*self._of_calls(), *self._of_states(db), *self._of_service(db, path)]
        families += self._of_api()
        registry = CollectorRegistry()
        registry.register(_Ready(families))
        return bytes(generate_latest(registry))

    def _read_calls(self, db: Database) -> None:
        while fresh := figures.calls_after(db, self._last_call):
            for call in fresh:
                self._calls[call.model, call.outcome, call.verdict] += 1
                self._times.setdefault((call.model, call.outcome), _Times()).add(call.seconds)
                self._findings.update(call.rules)
            self._last_call = fresh[-1].id

    def _of_calls(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily

        yield _histogram("btcbuzz_generation_seconds", ["model", "outcome"], self._times)
        counters = (
            ("btcbuzz_generations_total", ["model", "outcome", "verdict"], self._calls),
            ("btcbuzz_findings_total", ["rule", "severity"], self._findings),
        )
        for name, labels, counts in counters:
            family = CounterMetricFamily(name, METRICS[name], labels=labels)
            for values, count in sorted(counts.items()):
                family.add_metric(list(values), count)
            yield family

    def _of_states(self, db: Database) -> Iterator[Metric]:
        month, _ = spend.month_of(self._clock.now())
        yield _gauge("btcbuzz_posts", "state", approvals.counts(db))
        yield _gauge("btcbuzz_slots", "state", slots.counts(db))
        yield _gauge("btcbuzz_attempts", "outcome", figures.attempts_by_outcome(db))
        yield _gauge("btcbuzz_spend_usd", "publisher", figures.spend_by_publisher(db, month))

    def _of_service(self, db: Database, path: Path) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        name = "btcbuzz_breaker_state"
        states = GaugeMetricFamily(name, METRICS[name], labels=["model", "state"])
        for breaker in breakers.get_all(db):
            for state in _BREAKER_STATES:
                states.add_metric([breaker.name, state], float(breaker.state == state))
        yield states
        age = heartbeat.age_s(db, self._clock)
        single = {
            "btcbuzz_budget_usd": settings.get(db, "posting.monthly_budget_usd"),
            "btcbuzz_heartbeat_age_seconds": float("nan") if age is None else age,
            "btcbuzz_kill_switch": float(killswitch.is_on(db, path)),
        }
        for name, value in single.items():
            yield GaugeMetricFamily(name, METRICS[name], value=value)
        kinds = Counter(alert.kind for alert in alerts.open_alerts(db))
        yield _gauge("btcbuzz_alerts_open", "kind", kinds)

    def _of_api(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily

        name = "btcbuzz_api_requests_total"
        family = CounterMetricFamily(name, METRICS[name], labels=["method", "route", "status"])
        for values, count in sorted(self._requests.items()):
            family.add_metric(list(values), count)
        yield family
        yield _histogram("btcbuzz_api_seconds", ["route"], self._answers)


class _Ready:
    """Families that are computed already, as a registry wants to collect them."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def _gauge(name: str, label: str, values: dict[str, int] | dict[str, float]) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(name, METRICS[name], labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family


def _histogram(name: str, labels: list[str], times: dict[tuple[str, ...], _Times]) -> Metric:
    from prometheus_client.core import HistogramMetricFamily

    family = HistogramMetricFamily(name, METRICS[name], labels=labels)
    for values, held in sorted(times.items()):
        family.add_metric(list(values), held.buckets(), held.sum)
    return family
