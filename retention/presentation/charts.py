"""The kinds of chart that analyses draw: frames in, figures out, every label safe in HTML."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd

from retention.presentation.theme import BLUE, GREEN, MUTED, ORANGE, PALE, PURPLE, VERMILION, Figure, blank_figure

PALETTE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, MUTED)
PERCENT, MONEY, COUNT = ".0%", "~s", ",~r"
"""d3's forms of an axis: shares, money and large counts as 12k, small counts."""
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def bars(
    labels: Sequence[str],
    series: Mapping[str, Sequence[float]],
    *,
    title: str,
    form: str,
    stacked: bool = False,
    horizontal: bool = True,
) -> Figure:
    """A bar per label and series, from zero, the first label on top (or left). title: of the axis of values, with its
    unit; form: of its ticks."""
    names = [escape(str(label)) for label in labels]
    figure = blank_figure(
        height=110 + 30 * len(names) * (1 if stacked else max(1, len(series) * 2 // 3)) if horizontal else 400
    )
    for (name, values), color in zip(series.items(), _colors(len(series)), strict=True):
        along, across = ("x", "y") if horizontal else ("y", "x")
        figure.add_bar(
            **{along: list(values), across: names},
            orientation="h" if horizontal else "v",
            name=escape(name),
            marker_color=color,
            hovertemplate=f"%{{{across}}}: %{{{along}:{_hover(form)}}}<extra>{escape(name)}</extra>",
        )
    figure.update_layout(barmode="relative" if stacked else "group", bargap=0.3, showlegend=len(series) > 1)
    values_axis, names_axis = (
        (figure.update_xaxes, figure.update_yaxes) if horizontal else (figure.update_yaxes, figure.update_xaxes)
    )
    values_axis(title_text=escape(title), tickformat=form, rangemode="tozero", nticks=7)
    names_axis(type="category", showgrid=False, **({"autorange": "reversed"} if horizontal else {}))
    return figure


def lines(
    x: Iterable[Any],
    series: Mapping[str, Sequence[float]],
    *,
    x_title: str,
    y_title: str,
    form: str,
    x_form: str | None = None,
) -> Figure:
    """A line per series over the same x; gaps where a value is None or NaN. form, x_form: of the ticks."""
    figure, places = blank_figure(height=400), list(x)
    for number, ((name, values), color) in enumerate(zip(series.items(), _colors(len(series)), strict=True)):
        figure.add_scatter(
            x=places,
            y=list(values),
            mode="lines+markers" if len(places) <= 24 else "lines",
            line={"color": color, "width": 2.5, "dash": DASHES[number % len(DASHES)]},
            name=escape(name),
            hovertemplate=f"%{{x}}: %{{y:{_hover(form)}}}<extra>{escape(name)}</extra>",
        )
    figure.update_layout(showlegend=len(series) > 1)
    ticks = {"dtick": 1} if x_form == "d" else {}
    figure.update_xaxes(title_text=escape(x_title), **ticks, **({"tickformat": x_form} if x_form else {}))
    figure.update_yaxes(title_text=escape(y_title), tickformat=form, rangemode="tozero", nticks=7)
    return figure


def heatmap(matrix: pd.DataFrame, *, x_title: str, y_title: str, form: str) -> Figure:
    """A coloured cell per row (on top the first) and column, its value written in it; empty where it is NaN."""
    figure = blank_figure(height=120 + 36 * len(matrix))
    figure.add_heatmap(
        z=matrix.to_numpy(float),
        x=[escape(str(label)) for label in matrix.columns],
        y=[escape(str(label)) for label in matrix.index],
        colorscale=[[0, "#ffffff"], [1, PALE]],
        showscale=False,
        texttemplate=f"%{{z:{form}}}",
        hovertemplate=f"%{{y}}, %{{x}}: %{{z:{_hover(form)}}}<extra></extra>",
        hoverongaps=False,
        xgap=2,
        ygap=2,
    )
    figure.update_xaxes(title_text=escape(x_title), type="category", showgrid=False, side="top")
    figure.update_yaxes(title_text=escape(y_title), type="category", showgrid=False, autorange="reversed")
    return figure


def waterfall(
    labels: Sequence[str], steps: Sequence[float], totals: Sequence[bool], *, title: str, form: str
) -> Figure:
    """A waterfall from the first total through additions and subtractions to the last; where `totals` is
    True a bar stands on zero and its step is not read. title: of the axis of values, with its unit."""
    figure = blank_figure(height=420)
    figure.add_waterfall(
        x=[escape(label) for label in labels],
        y=[None if total and place else step for place, (step, total) in enumerate(zip(steps, totals, strict=True))],
        measure=[
            "absolute" if total and not place else "total" if total else "relative"
            for place, total in enumerate(totals)
        ],
        increasing_marker_color=GREEN,
        decreasing_marker_color=VERMILION,
        totals_marker_color=BLUE,
        connector_line_color=MUTED,
        hovertemplate=f"%{{x}}: %{{y:{_hover(form)}}}<extra></extra>",
    )
    figure.update_layout(showlegend=False)
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(title_text=escape(title), tickformat=form, nticks=7, zeroline=True)
    return figure


def bubbles(
    table: pd.DataFrame,
    *,
    x: str,
    y: str,
    label: str,
    size: str | None,
    x_title: str,
    y_title: str,
    x_form: str,
    y_form: str,
) -> Figure:
    """A named point per row of a table, as large as `size` says (columns by name; None: all alike)."""
    figure = blank_figure(height=460)
    sizes = table[size].clip(lower=0) / (table[size].max() or 1) if size else pd.Series(0.15, index=table.index)
    figure.add_scatter(
        x=table[x],
        y=table[y],
        mode="markers+text",
        text=[escape(str(name)) for name in table[label]],
        textposition="top center",
        marker={"color": BLUE, "opacity": 0.75, "size": 10 + 40 * sizes**0.5},
        hovertemplate=f"%{{text}}: %{{x:{_hover(x_form)}}}, %{{y:{_hover(y_form)}}}<extra></extra>",
    )
    figure.update_xaxes(title_text=escape(x_title), tickformat=x_form)
    figure.update_yaxes(title_text=escape(y_title), tickformat=y_form)
    return figure


def _colors(count: int) -> list[str]:
    return [PALETTE[number % len(PALETTE)] for number in range(count)]


def _hover(form: str) -> str:
    """The format of a value where there is room for more digits."""
    return ".1%" if form.endswith("%") else ",.2~f"
