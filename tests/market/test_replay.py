"""A recording claims only what its own rows cover; the sample market is sound for ever."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import UsageError
from engine.market import sample
from engine.market.replay import (
    SAMPLE_NOTE,
    MarketRow,
    read_market_csv,
    sample_snapshot,
    snapshots,
)
from engine.records import Facts
from engine.resources import data_path

HEADER = "time_utc,price_usd,volume_24h_usd,market_cap_usd\n"
START = datetime(2026, 1, 1, tzinfo=UTC)


def hourly(prices: list[float]) -> list[MarketRow]:
    return [MarketRow(START + timedelta(hours=hour), p) for hour, p in enumerate(prices)]


def test_the_recorded_hours_replay_and_agree_with_themselves(market_csv: Path) -> None:
    """766 real hours: changes are null until covered and then equal the rows a horizon before."""
    rows = read_market_csv(market_csv)
    played = [snapshot.facts for snapshot in snapshots(rows)]
    assert len(played) == 766
    assert played[0].change_1h_pct is None
    assert sum(facts.change_24h_pct is not None for facts in played) >= 735
    assert sum(facts.change_7d_pct is not None for facts in played) >= 590
    for row, facts in zip(rows, played, strict=True):
        assert facts.price_usd == row.price_usd
        assert facts.ath_usd is None
        if facts.change_24h_pct is not None:
            before = row.price_usd / (1 + facts.change_24h_pct / 100)
            near = [
                other.price_usd
                for other in rows
                if abs(row.at - other.at - timedelta(hours=24)) <= timedelta(minutes=30)
            ]
            assert any(before == pytest.approx(price) for price in near)
        if facts.high_24h is not None and facts.low_24h is not None:
            assert facts.low_24h <= row.price_usd <= facts.high_24h


def test_horizons_are_null_until_the_rows_cover_them() -> None:
    played = [s.facts for s in snapshots(hourly([100.0 + hour for hour in range(200)]))]
    assert [facts.change_1h_pct is None for facts in played[:2]] == [True, False]
    assert [facts.change_24h_pct is None for facts in played[23:25]] == [True, False]
    assert [facts.high_24h is None for facts in played[23:25]] == [True, False]
    assert [facts.change_7d_pct is None for facts in played[167:169]] == [True, False]
    assert played[24].change_24h_pct == pytest.approx(24.0)
    assert (played[24].high_24h, played[24].low_24h) == (124.0, 100.0)


def test_a_hole_in_the_rows_makes_the_range_unknown_and_leaves_exact_changes() -> None:
    rows = [
        row for row in hourly([100.0] * 60) if not 30 <= row.at.hour + row.at.day * 24 - 24 < 35
    ]
    facts = list(snapshots(rows))[-1].facts
    assert facts.change_24h_pct == 0
    holed = next(s.facts for s in snapshots(rows) if s.facts.as_of == START + timedelta(hours=40))
    assert (holed.high_24h, holed.low_24h) == (None, None)
    assert holed.change_24h_pct == 0


def test_an_all_time_high_is_claimed_only_if_known_and_then_follows_the_rows() -> None:
    rows = hourly([100.0, 130.0, 120.0])
    assert all(s.facts.ath_usd is None for s in snapshots(rows))
    known = [s.facts for s in snapshots(rows, ath=(125.0, date(2025, 1, 1)))]
    assert [(f.ath_usd, f.ath_date) for f in known] == [
        (125.0, date(2025, 1, 1)),
        (130.0, date(2026, 1, 1)),
        (130.0, date(2026, 1, 1)),
    ]


@given(st.lists(st.floats(1_000, 200_000), min_size=1, max_size=60))
def test_price_range_and_change_never_contradict_each_other(prices: list[float]) -> None:
    for snapshot in snapshots(hourly(prices)):
        check_consistent(snapshot.facts)


def check_consistent(facts: Facts) -> None:
    assert facts.price_usd is not None
    if facts.high_24h is None or facts.low_24h is None:
        return
    assert facts.low_24h <= facts.price_usd <= facts.high_24h
    if facts.change_24h_pct is not None:
        before = facts.price_usd / (1 + facts.change_24h_pct / 100)
        assert facts.low_24h * 0.999999 <= before <= facts.high_24h * 1.000001


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "lacks the columns time_utc"),
        ("time_utc,price_usd\n", "lacks the columns volume_24h_usd, market_cap_usd"),
        (HEADER, "has no rows"),
        (HEADER + "2026-01-01T00:00:00Z,0,1,1\n", "line 2: 0 is not an amount above zero"),
        (HEADER + "2026-01-01T00:00:00Z,nan,1,1\n", "line 2: nan is not"),
        (HEADER + "2026-01-01T00:00:00Z,abc,1,1\n", "line 2"),
        (HEADER + "2026-01-01T00:00:00,1,1,1\n", "line 2.*no time zone"),
        (HEADER + "yesterday,1,1,1\n", "line 2"),
        (HEADER + "2026-01-01T00:00:00Z,1\n", "line 2"),
        (
            HEADER + "2026-01-01T01:00:00Z,1,1,1\n2026-01-01T00:00:00Z,1,1,1\n",
            "line 3: its time is not after",
        ),
        ("\x00\x01", "lacks|not a CSV"),
    ],
)
def test_a_bad_recording_is_one_clear_sentence(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "market.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=reason):
        read_market_csv(path)


def test_a_missing_or_binary_recording_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_market_csv(tmp_path / "absent.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01" * 100)
    with pytest.raises(UsageError, match="UTF-8"):
        read_market_csv(tmp_path / "binary.csv")


def test_empty_volume_and_cap_are_unknown(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(HEADER + "2026-01-01T00:00:00+01:00,5.5,,\n")
    assert read_market_csv(tmp_path / "m.csv") == [
        MarketRow(datetime(2025, 12, 31, 23, tzinfo=UTC), 5.5)
    ]


def test_the_shipped_sample_is_what_its_script_makes(tmp_path: Path) -> None:
    sample.write(tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == data_path("sample_market.csv").read_bytes()


def test_the_sample_has_an_up_week_a_crash_day_and_flat_days() -> None:
    played = [sample_snapshot(START + timedelta(hours=hour)).facts for hour in range(0, 720, 6)]
    days = [facts.change_24h_pct or 0.0 for facts in played]
    assert max(facts.change_7d_pct or 0.0 for facts in played) > 7
    assert min(days) < -7
    assert sum(abs(change) < 0.5 for change in days) > 20


moments = st.timedeltas(timedelta(days=-365), timedelta(days=3650)).map(START.__add__)


@given(moments)
def test_the_sample_is_whole_and_consistent_at_any_time(now: datetime) -> None:
    snapshot = sample_snapshot(now)
    facts = snapshot.facts
    assert snapshot.world == "sample"
    assert snapshot.notes == (SAMPLE_NOTE,)
    assert facts.as_of is not None and timedelta(0) <= now - facts.as_of < timedelta(hours=1)
    missing = [key for key, value in facts.to_dict().items() if value is None]
    assert missing == ["headline"]
    check_consistent(facts)
    assert facts.ath_usd is not None and facts.price_usd is not None
    assert facts.price_usd < facts.ath_usd
    assert facts.ath_date is not None and facts.ath_date < facts.as_of.date()
    assert facts.fees is not None and 0 < facts.fees.hour <= facts.fees.half_hour <= facts.fees.fast
    assert facts.retarget_blocks is not None and 1 <= facts.retarget_blocks <= 2016


@given(moments)
def test_the_sample_hours_follow_on_each_other(now: datetime) -> None:
    """What an hour says of the hour before is what that hour said of itself, over the seam too."""
    before = sample_snapshot(now - timedelta(hours=1)).facts
    after = sample_snapshot(now).facts
    assert before.price_usd is not None and after.change_1h_pct is not None
    assert after.price_usd == pytest.approx(before.price_usd * (1 + after.change_1h_pct / 100))
    assert abs(after.change_1h_pct) < 5
    assert (after.block_height or 0) - (before.block_height or 0) == 6
