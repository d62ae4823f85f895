"""Charts of the value at risk by group, and of the plan on its profit curve: frames in, figures out."""

from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd

from retention.presentation.theme import BLUE, MUTED, PALE, VERMILION, Figure, blank_figure


def value_at_risk_chart(groups: pd.DataFrame, *, currency: str) -> Figure:
    """Chart of the value at risk: a bar per group, as long as the group's CLV, its part at risk filled.

    `groups` has columns group (text), clv and at_risk (currency units), customers; the first row is drawn on top.
    """
    names = [escape(str(name)) for name in groups["group"]]
    share = groups["at_risk"] / (groups["at_risk"].sum() or 1)
    notes = [f"{_short(risk)} ({part:.0%})" for risk, part in zip(groups["at_risk"], share, strict=True)]
    figure = blank_figure(height=90 + 34 * len(groups))
    figure.add_bar(
        y=names,
        x=groups["clv"],
        name="CLV",
        orientation="h",
        marker_color=PALE,
        customdata=groups["customers"],
        hovertemplate="%{y}: CLV %{x:,.0f} " + currency + ", %{customdata:,} customers<extra></extra>",
    )
    figure.add_bar(
        y=names,
        x=groups["at_risk"],
        name="of it at risk, with its share of all value at risk",
        orientation="h",
        marker_color=VERMILION,
        hovertemplate="%{y}: %{x:,.0f} " + currency + " at risk<extra></extra>",
    )
    for name, end, note in zip(names, groups[["clv", "at_risk"]].max(axis=1), notes, strict=True):
        figure.add_annotation(x=max(end, 0), y=name, text=note, xanchor="left", xshift=4, showarrow=False)
    figure.update_layout(barmode="overlay", bargap=0.3, margin_r=78)
    figure.update_xaxes(title_text=f"CLV ({currency})", tickformat="~s", rangemode="tozero", nticks=5)
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    return figure


def profit_curve_chart(curve: pd.DataFrame, summary: Mapping[str, Any] | None, *, currency: str) -> Figure:
    """Chart of the expected profit of each budget, with its 80 % interval, and of this plan, if there is one.

    `curve` as `retention.economics.profit_curve` returns it, `summary` that of the plan; currency units on both axes.
    """
    figure = blank_figure(height=380)
    figure.add_scatter(
        x=[*curve["budget"], *curve["budget"][::-1]],
        y=[*curve["profit_p90"], *curve["profit_p10"][::-1]],
        fill="toself",
        fillcolor="rgba(0, 114, 178, 0.16)",
        line_width=0,
        hoverinfo="skip",
        name="80% interval",
    )
    figure.add_scatter(
        x=curve["budget"],
        y=curve["expected_profit"],
        mode="lines",
        line={"color": BLUE, "width": 3},
        name="best plan for the money",
        customdata=curve["customers"],
        hovertemplate=f"%{{x:,.0f}} {currency} on %{{customdata:,}} customers: "
        f"%{{y:,.0f}} {currency} profit<extra></extra>",
    )
    if summary is not None:
        _mark(figure, summary, most=float(curve["budget"].max()), currency=currency)
    figure.update_xaxes(
        title_text=f"spent on contacts and incentives ({currency})", tickformat="~s", rangemode="tozero"
    )
    figure.update_yaxes(title_text=f"expected profit ({currency})", tickformat="~s", zeroline=True, rangemode="tozero")
    return figure


def _mark(figure: Figure, summary: Mapping[str, Any], *, most: float, currency: str) -> None:
    """Mark the plan and its budget."""
    figure.add_scatter(
        x=[summary["expected_cost"]],
        y=[summary["expected_profit"]],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [summary["profit_p90"] - summary["expected_profit"]],
            "arrayminus": [summary["expected_profit"] - summary["profit_p10"]],
            "color": VERMILION,
        },
        mode="markers",
        marker={"color": VERMILION, "size": 11, "symbol": "diamond"},
        name="this plan, holdout included",
        hovertemplate=f"%{{x:,.0f}} {currency} spent, %{{y:,.0f}} {currency} profit<extra></extra>",
    )
    if summary["budget"] <= 1.1 * most:
        figure.add_vline(x=summary["budget"], line={"color": MUTED, "dash": "dash", "width": 1.5})
        left = summary["budget"] > 0.5 * most
        figure.add_annotation(
            x=summary["budget"],
            y=0,
            yref="paper",
            text=f"budget {summary['budget']:,.0f}",
            showarrow=False,
            xanchor="right" if left else "left",
            yanchor="bottom",
            xshift=-5 if left else 5,
            font_color=MUTED,
        )


def _short(money: float) -> str:
    """1,234,567 as 1.2M, 41,250 as 41k, 12.3 as 12: as on the axes."""
    for size, suffix in ((1e6, "M"), (1e3, "k")):
        if abs(money) >= size:
            return f"{money / size:.{1 if abs(money) < 10 * size else 0}f}{suffix}"
    return f"{money:.0f}"
