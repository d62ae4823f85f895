"""Charts of one customer: the reasons behind the scores, and the spending over time."""

from collections.abc import Mapping, Sequence
from datetime import date
from html import escape
from typing import Any

from markupsafe import Markup

from retention.presentation.theme import BLUE, MUTED, PALE, VERMILION, Figure, blank_figure
from serving.console.customer_events import CustomerEvent
from serving.console.pages import chart

BARS_SHOWN = 6
"""Reasons in a chart."""
LABEL_CHARACTERS = 44
"""Longest label of a bar, in characters."""


def reason_charts(explanation: Mapping[str, Any], *, currency: str) -> dict[str, Markup]:
    """Draw a bar for each reason: its effect on the churn probability and on the expected value."""
    churn = _bars(
        explanation["effects"], "churn_probability", scale=100, title="Effect on the churn probability, points"
    )
    value = _bars(explanation["effects"], "expected_value", scale=1, title=f"Effect on the expected value, {currency}")
    return {
        "churn_probability": chart(
            "adds-churn", churn, says="Effects on the churn probability; the numbers are in the table below."
        ),
        "expected_value": chart(
            "adds-value", value, says="Effects on the expected value; the numbers are in the table below."
        ),
    }


def _bars(effects: Sequence[Mapping[str, Any]], measure: str, *, scale: float, title: str) -> Figure:
    largest = sorted(effects, key=lambda effect: -abs(effect[measure]))[:BARS_SHOWN]
    amounts = [effect[measure] * scale for effect in largest]
    bad = [amount > 0 for amount in amounts] if measure == "churn_probability" else [amount < 0 for amount in amounts]
    names = [escape(_short(effect["label"])) for effect in largest]
    figure = blank_figure(height=70 + 38 * len(largest))
    figure.add_bar(
        x=amounts,
        y=list(range(len(names))),
        orientation="h",
        marker_color=[VERMILION if is_bad else BLUE for is_bad in bad],
        hoverinfo="skip",
    )
    figure.update_layout(showlegend=False, bargap=0.55)
    for place, name in enumerate(names):
        figure.add_annotation(
            x=0, xref="paper", y=place - 0.42, text=name, xanchor="left", showarrow=False, font_size=12
        )
    figure.update_xaxes(title_text=escape(title), tickformat="~r", nticks=6, zeroline=True, zerolinewidth=1)
    figure.update_yaxes(showticklabels=False, showgrid=False, zeroline=False, range=[len(names) - 0.4, -0.8])
    return figure


def history_charts(events: Sequence[CustomerEvent], *, as_of: date, currency: str) -> dict[str, Markup]:
    """Draw each order and refund, and the running total."""
    payments = [event for event in events if event.amount is not None]
    days = [payment.at.isoformat() for payment in payments]
    amounts = [payment.amount for payment in payments]
    each, total = blank_figure(height=260), blank_figure(height=260)
    each.add_scatter(
        x=[day for day in days for _ in range(3)],
        y=[height for amount in amounts for height in (0, amount, None)],
        mode="lines",
        line={"color": BLUE, "width": 2},
        hoverinfo="skip",
    )
    each.add_scatter(
        x=days,
        y=amounts,
        mode="markers",
        marker={"size": 7, "color": [VERMILION if (amount or 0) < 0 else BLUE for amount in amounts]},
        hovertemplate="%{x|%d %b %Y}: %{y:,.2f} " + escape(currency) + "<extra></extra>",
    )
    end = max([as_of.isoformat(), *days])  # the total stays level after the last order
    total.add_scatter(
        x=[*days, end],
        y=[*(payment.total for payment in payments), *(payment.total for payment in payments[-1:])],
        mode="lines+markers",
        line={"shape": "hv", "color": BLUE, "width": 2},
        marker_size=4,
        fill="tozeroy",
        fillcolor=PALE,
        hovertemplate="%{x|%d %b %Y}: %{y:,.2f} " + escape(currency) + "<extra></extra>",
    )
    for figure, title in ((each, f"Each order and refund, {currency}"), (total, f"Running total, {currency}")):
        figure.update_layout(showlegend=False)
        figure.add_vline(x=as_of.isoformat(), line={"color": MUTED, "dash": "dot", "width": 1.5})
        figure.update_yaxes(title_text=escape(title), tickformat=",~r", rangemode="tozero", nticks=5)
        figure.update_xaxes(type="date", nticks=6)
    return {
        "each": chart("each-order", each, says="Amount of each order over time; the latest are in the table below."),
        "total": chart("in-all", total, says="Running total of the orders over time; see the table below."),
    }


def _short(text: str) -> str:
    return text if len(text) <= LABEL_CHARACTERS else text[: LABEL_CHARACTERS - 1] + "…"
