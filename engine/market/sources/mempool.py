"""mempool.space (facts: market-and-content §5.5): block height, fees, difficulty, hashrate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from engine.errors import SourceError
from engine.market.http import Fetcher
from engine.market.sources import ChainReading
from engine.market.sources.fields import member, number, whole
from engine.records import Fees

_T = TypeVar("_T")

_HIGHEST_BLOCK = 10_000_000
_EPOCH_BLOCKS = 2016
_HASHES_PER_EHS = 1e18


@dataclass(frozen=True)
class Mempool:
    """Four small reads; each may fail alone, and a note then says which.

    ``difficulty_change_pct`` is the change expected at the next retarget, ``retarget_blocks`` the
    blocks left until then. Neither needs the answer's times, whose units vary.
    """

    fetcher: Fetcher
    base_url: str
    name: str = "mempool"

    def read(self, now: datetime) -> ChainReading:
        """Raises: SourceError if none of the parts could be read."""
        failed: list[str] = []

        def part(read: Callable[[], _T]) -> _T | None:
            try:
                return read()
            except SourceError as error:
                failed.append(str(error))
                return None

        height = part(self._height)
        fees = part(self._fees)
        retarget = part(self._retarget)
        hashrate = part(self._hashrate)
        if len(failed) == 4:
            raise SourceError(self.name, failed[0].removeprefix(f"{self.name}: "))
        change, blocks = retarget or (None, None)
        return ChainReading(height, fees, hashrate, change, blocks, tuple(failed))

    def _height(self) -> int:
        reply = self.fetcher.get(
            self.name, f"{self.base_url}/api/blocks/tip/height", accept=("text/plain",)
        )
        height = whole(self.name, "the block height", reply.body[:20].decode("ascii", "replace"))
        if not 0 < height < _HIGHEST_BLOCK:
            raise SourceError(self.name, f"{height} is not a block height")
        return height

    def _fees(self) -> Fees:
        row = self._json("v1/fees/recommended")
        fast, half_hour, hour = (
            number(self.name, key, member(self.name, row, key))
            for key in ("fastestFee", "halfHourFee", "hourFee")
        )
        if not 0 < hour <= half_hour <= fast:
            raise SourceError(self.name, "its fees are not in order")
        return Fees(fast, half_hour, hour)

    def _retarget(self) -> tuple[float, int]:
        row = self._json("v1/difficulty-adjustment")
        change = number(self.name, "difficultyChange", member(self.name, row, "difficultyChange"))
        blocks = whole(self.name, "remainingBlocks", member(self.name, row, "remainingBlocks"))
        if not -75 <= change <= 300 or blocks > _EPOCH_BLOCKS:
            raise SourceError(self.name, "its difficulty change is out of range")
        return change, blocks

    def _hashrate(self) -> float:
        row = self._json("v1/mining/hashrate/3d")
        rate = number(self.name, "currentHashrate", member(self.name, row, "currentHashrate"))
        if rate <= 0:
            raise SourceError(self.name, "its hashrate is not above zero")
        return rate / _HASHES_PER_EHS

    def _json(self, path: str) -> Any:
        return self.fetcher.get_json(self.name, f"{self.base_url}/api/{path}")[0]
