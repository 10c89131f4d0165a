"""Charts as pure functions: data in, a figure and the finding in words out.

Colours come from the theme (series follow ``chartCategoricalColors``); every hover text is
escaped, because Plotly reads some markup (facts: reliability-and-security §5.4).
"""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import streamlit as st

from console import words
from engine.checks.repetition import Sameness
from engine.clock import parse_iso
from engine.learning.analyse import Look
from engine.learning.overview import Matured

HEIGHT = 260
BAND = "rgba(128,138,150,0.25)"
EDGE = {"width": 1, "color": "rgba(128,138,150,0.9)"}
RATIOS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Marked on the axis of a ratio; early intervals are wider and run out of it."""


@dataclass(frozen=True)
class Chart:
    """A figure, its finding in a sentence, and its numbers as a table."""

    figure: go.Figure
    alt: str
    table: list[dict[str, Any]]


def draw(chart: Chart, *, key: str) -> None:
    """The figure with its text alternative; the numbers are one click away."""
    st.plotly_chart(
        chart.figure, key=key, alt=chart.alt, config={"displayModeBar": False}, width="stretch"
    )
    numbers = st.expander("Numbers", key=f"{key}.numbers", on_change="rerun")
    if numbers.open:
        with numbers:
            st.dataframe(chart.table, hide_index=True, alt=chart.alt)


def price(
    points: Sequence[tuple[str, float]],
    posts: Sequence[tuple[str, float, str]],
    missed: Sequence[str],
    zone: ZoneInfo,
) -> Chart:
    """Price over a day with posts (time, price, text) as dots and missed slots hollow."""
    times = [_there(at, zone) for at, _ in points]
    values = [value for _, value in points]
    figure = _figure("US dollars")
    figure.add_scatter(
        x=times, y=values, mode="lines", name="BTC price", line={"width": 2},
        hovertemplate="%{x|%H:%M} · $%{y:,.2f}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=[_there(at, zone) for at, _, _ in posts],
        y=[value for _, value, _ in posts],
        mode="markers", name="post", marker={"size": 11, "line": {"width": 2}},
        text=[_hover(text) for _, _, text in posts],
        hovertemplate="%{x|%H:%M}<br>%{text}<extra></extra>",
    )  # fmt: skip
    if missed and values:
        figure.add_scatter(
            x=[_there(at, zone) for at in missed], y=[min(values)] * len(missed),
            mode="markers", name="missed slot", marker={"size": 10, "symbol": "circle-open"},
            hovertemplate="%{x|%H:%M} missed<extra></extra>",
        )  # fmt: skip
    if values:
        for name, pick, shift in (("high", max, 14), ("low", min, -14)):
            at = values.index(pick(values))
            figure.add_annotation(
                x=times[at], y=values[at], text=f"{name} {words.usd(values[at])}",
                showarrow=False, yshift=shift, font={"size": 11},
            )  # fmt: skip
    return Chart(figure, _price_finding(values, len(posts), len(missed)), _rows(times, values))


def _price_finding(values: Sequence[float], posts: int, missed: int) -> str:
    if not values:
        return "No price is stored for the last 24 hours."
    change = 100 * (values[-1] / values[0] - 1)
    return (
        f"Bitcoin over the last 24 hours: {words.usd(values[0])} to {words.usd(values[-1])} "
        f"({words.pct(change, signed=True)}), high {words.usd(max(values))}, "
        f"low {words.usd(min(values))}; {words.count(posts, 'post')}, "
        f"{words.count(missed, 'missed slot')}."
    )


def maturing(rows: Sequence[Matured]) -> Chart:
    """Share of a post's final impressions that it has at each age, with its 5th to 95th band."""
    known = [row for row in rows if row.median is not None]
    ages = [row.age_h for row in known]
    figure = _figure("% of impressions at 7 days")
    figure.update_yaxes(range=[0, 105])
    figure.update_xaxes(
        title={"text": "age of the post"}, type="log",
        tickvals=ages, ticktext=[_age(age) for age in ages],
    )  # fmt: skip
    figure.add_scatter(
        x=ages, y=[100 * (row.median or 0) for row in known], mode="lines+markers", name="median",
        hovertemplate="%{x} h: %{y:.0f} %<extra></extra>",
    )  # fmt: skip
    _band(
        figure, ages, [100 * (row.low or 0) for row in known],
        [100 * (row.high or 0) for row in known], "%{x} h: %{y:.0f} %<extra></extra>",
    )  # fmt: skip
    table = [
        {"hours": r.age_h, "posts": r.posts, "median": r.median, "5th": r.low, "95th": r.high}
        for r in rows
    ]
    at_48 = next((row for row in known if row.age_h == 48), None)
    said = (
        f"At 48 hours posts have {100 * (at_48.median or 0):.0f} % of their impressions at 7 days "
        f"({words.count(at_48.posts, 'post')})."
        if at_48
        else "Too few posts are 7 days old to say how they mature."
    )
    return Chart(figure, said, table)


def interval_over_time(looks: Sequence[Look]) -> Chart:
    """The always-valid interval of a ratio after each tested pair; 1 is no difference."""
    known = [look for look in looks if look.low is not None and look.high is not None]
    pairs = [look.pairs for look in known]
    figure = _figure("times the baseline's rate")
    figure.update_yaxes(
        type="log", range=[math.log10(RATIOS[0]), math.log10(RATIOS[-1])], tickvals=RATIOS,
        ticktext=[f"{ratio:g}x" for ratio in RATIOS],
    )  # fmt: skip
    figure.update_xaxes(title={"text": "pairs of mature posts"})
    _band(
        figure, pairs, [look.low for look in known], [look.high for look in known],
        "%{x} pairs: %{y:.2f}x<extra></extra>",
    )  # fmt: skip
    for ratio, dash, name in ((1.0, "solid", "no difference"), (1.4, "dot", "+40 %")):
        figure.add_hline(y=ratio, line={**EDGE, "dash": dash})
        figure.add_annotation(  # Plotly places notes on a logarithmic axis by the exponent
            x=1, xref="paper", y=math.log10(ratio), text=name, showarrow=False, xanchor="right",
            yshift=9, font={"size": 11},
        )  # fmt: skip
    table = [
        {"pairs": look.pairs, "low": look.low, "high": look.high, "e-value": look.e_value}
        for look in looks
    ]
    said = (
        f"After {known[-1].pairs} pairs the ratio lies between {known[-1].low:.2f} and {known[-1].high:.2f}."
        if known
        else f"After {words.count(len(looks), 'look')} nothing is excluded yet."
    )
    return Chart(figure, said, table)


def variety(weeks: Sequence[Sameness]) -> Chart:
    """Share of different word pairs, week by week; lower means more alike."""
    starts = [week.week.replace(tzinfo=None) for week in weeks]
    figure = _figure("% different word pairs")
    figure.update_xaxes(title={"text": "week from"})
    figure.add_scatter(
        x=starts, y=[100 * week.distinct_2 for week in weeks], mode="lines+markers",
        customdata=[week.posts for week in weeks],
        hovertemplate="%{x|%d %b}: %{y:.0f} %, %{customdata} posts<extra></extra>",
    )  # fmt: skip
    table = [
        {
            "week from": f"{week.week:%Y-%m-%d}", "posts": week.posts,
            "different words": round(week.distinct_1, 3), "different pairs": round(week.distinct_2, 3),
            "compression": round(week.compression, 2),
        }
        for week in weeks
    ]  # fmt: skip
    first, last = weeks[0], weeks[-1]
    said = (
        f"{100 * last.distinct_2:.0f} % of word pairs differ in the latest week "
        f"({words.count(last.posts, 'post')}), {100 * first.distinct_2:.0f} % in the first shown "
        f"({words.count(first.posts, 'post')})."
    )
    return Chart(figure, said, table)


def _figure(unit: str) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        height=HEIGHT, margin={"l": 8, "r": 8, "t": 8, "b": 8}, showlegend=False,
        hovermode="closest", yaxis={"title": {"text": unit}, "automargin": True},
        xaxis={"automargin": True}, hoverlabel={"align": "left"},
    )  # fmt: skip
    return figure


def _band(
    figure: go.Figure, x: Sequence[int], low: Sequence[float | None],
    high: Sequence[float | None], hover: str,
) -> None:  # fmt: skip
    """An interval along ``x``: two thin edges and what lies between them."""
    for edge, fill in ((high, None), (low, "tonexty")):
        figure.add_scatter(
            x=x, y=edge, mode="lines", line=EDGE, fill=fill, fillcolor=BAND, hovertemplate=hover
        )


def _age(hours: int) -> str:
    return f"{hours} h" if hours <= 48 else f"{hours // 24} days"


def _rows(times: Sequence[datetime], values: Sequence[float]) -> list[dict[str, Any]]:
    return [{"time": at, "price, USD": value} for at, value in zip(times, values, strict=True)]


def _there(moment: str, zone: ZoneInfo) -> datetime:
    # Plotly draws naive times as they are; an aware one would be moved to UTC
    return parse_iso(moment).astimezone(zone).replace(tzinfo=None)


def _hover(text: str) -> str:
    """Escaped, wrapped to a readable width."""
    lines = textwrap.wrap(text, 46)[:8]
    return "<br>".join(html.escape(line) for line in lines)
