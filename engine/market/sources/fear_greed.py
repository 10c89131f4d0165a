"""Fear & Greed index of alternative.me (facts: market-and-content §5.6): one value a day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from engine.errors import SourceError
from engine.market.http import Fetcher
from engine.market.sources.fields import member, number, unix_moment, whole
from engine.records import FearGreed

_CLASSES = ("Extreme Fear", "Fear", "Neutral", "Greed", "Extreme Greed")
_OLDEST = timedelta(hours=48)
_LONGEST_KEEP = timedelta(hours=1)


@dataclass
class FearGreedIndex:
    """``/fng/?limit=1``, kept until its next value is due, an hour at most.

    The class is the one the source gives: published band edges differ.
    """

    fetcher: Fetcher
    base_url: str
    name: str = "fear_greed"
    _kept: FearGreed | None = field(default=None, repr=False)
    _keep_until: datetime | None = field(default=None, repr=False)

    def read(self, now: datetime) -> FearGreed:
        """Raises: SourceError, also for a value older than 48 h."""
        if self._kept and self._keep_until and now < self._keep_until:
            return self._kept
        answer, _ = self.fetcher.get_json(self.name, f"{self.base_url}/fng/", params={"limit": "1"})
        row = member(self.name, answer, "data", 0)
        value = whole(self.name, "value", member(self.name, row, "value"))
        label = member(self.name, row, "value_classification")
        if value > 100 or label not in _CLASSES:
            raise SourceError(self.name, "its value or class is not one the index knows")
        stamp = number(self.name, "timestamp", member(self.name, row, "timestamp"))
        if now - unix_moment(self.name, "timestamp", stamp) > _OLDEST:
            raise SourceError(self.name, "its newest value is older than two days")
        self._kept = FearGreed(value, label)
        self._keep_until = now + self._keep_for(row)
        return self._kept

    def _keep_for(self, row: dict[str, object]) -> timedelta:
        try:
            left = timedelta(seconds=number(self.name, "", row.get("time_until_update")))
        except (SourceError, OverflowError):
            return _LONGEST_KEEP
        return min(max(left, timedelta(0)), _LONGEST_KEEP)
