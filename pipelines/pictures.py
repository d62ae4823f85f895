"""The pictures of the report: plain dicts and frames in, figures out. The only file that knows plotly.

One theme: white ground, Okabe and Ito's colours (told apart by the colour-blind, and by dashes in print), values
written where the eye is, axes that name their unit and bars that begin at zero.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.io import to_html as figure_to_html
from plotly.offline import get_plotlyjs

from models import STAYWORTH
from pipelines.verdict import MODELS

INK, MUTED, GRID, PALE = "#1b1f24", "#57606a", "#e6e8eb", "#c9d9e6"
BLUE, VERMILION, GREEN, PURPLE, ORANGE = "#0072b2", "#d55e00", "#009e73", "#a6527f", "#b87a00"
STYLES = {
    "stayworth": {"color": BLUE, "dash": "solid", "width": 3},
    "bgnbd_gamma_gamma": {"color": VERMILION, "dash": "dash", "width": 2},
    "rfm_logistic": {"color": GREEN, "dash": "dashdot", "width": 2},
    "last_period": {"color": PURPLE, "dash": "dot", "width": 2},
    "hiatus": {"color": ORANGE, "dash": "longdash", "width": 1.5},
}
OTHER = {"color": MUTED, "dash": "dot", "width": 1.5}


def value_at_risk(groups: pd.DataFrame, *, currency: str) -> go.Figure:
    """Who carries the value at risk: a bar per group, as long as the group's CLV, its part at risk filled.

    `groups` has columns group (text), clv and at_risk (currency units), customers; the first row is drawn on top.
    """
    names = [escape(str(name)) for name in groups["group"]]
    share = groups["at_risk"] / (groups["at_risk"].sum() or 1)
    notes = [f"{_short(risk)} ({part:.0%})" for risk, part in zip(groups["at_risk"], share, strict=True)]
    figure = _figure(height=90 + 34 * len(groups))
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


def profit_curve(curve: pd.DataFrame, summary: Mapping[str, Any], *, currency: str) -> go.Figure:
    """What each budget would earn, with its 80 % interval, and where this plan stands.

    `curve` as `retention.plan.profit_curve` returns it, `summary` that of the plan; currency units on both axes.
    """
    figure = _figure(height=380)
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
        line=STYLES["stayworth"],
        name="best plan for the money",
        customdata=curve["customers"],
        hovertemplate=f"%{{x:,.0f}} {currency} on %{{customdata:,}} customers: "
        f"%{{y:,.0f}} {currency} profit<extra></extra>",
    )
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
    if summary["budget"] <= 1.1 * curve["budget"].max():
        figure.add_vline(x=summary["budget"], line={"color": MUTED, "dash": "dash", "width": 1.5})
        left = summary["budget"] > 0.5 * curve["budget"].max()
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
    figure.update_xaxes(
        title_text=f"spent on contacts and incentives ({currency})", tickformat="~s", rangemode="tozero"
    )
    figure.update_yaxes(title_text=f"expected profit ({currency})", tickformat="~s", zeroline=True, rangemode="tozero")
    return figure


def calibration(models: Mapping[str, Sequence[Mapping[str, float]]]) -> go.Figure:
    """Predicted against observed churn rate, a line per model; on the diagonal a probability means what it says."""
    figure = _figure(height=480)
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": MUTED, "width": 1}, name="as predicted")
    for model in _ordered(models):
        bins = pd.DataFrame(models[model], columns=["predicted", "observed", "customers"])
        figure.add_scatter(
            x=bins["predicted"],
            y=bins["observed"],
            mode="lines+markers",
            line=_style(model),
            marker_size=8 if model == "stayworth" else 5,
            name=_name(model),
            customdata=bins["customers"],
            hovertemplate="predicted %{x:.0%}, observed %{y:.0%} of %{customdata:,}<extra>" + _name(model) + "</extra>",
        )
    figure.update_xaxes(title_text="predicted churn probability", tickformat=".0%", dtick=0.25, range=[0, 1])
    figure.update_yaxes(title_text="observed churn rate", tickformat=".0%", range=[0, 1.02])
    return figure


def gains(models: Mapping[str, Sequence[float]]) -> go.Figure:
    """Share of realised value that the top k % of customers hold in each model's ranking; k evenly from 0 to 100."""
    figure = _figure(height=480)
    for model in sorted(models, key=lambda name: -_at_a_fifth(models[name])):
        held = models[model]
        figure.add_scatter(
            x=[k / (len(held) - 1) for k in range(len(held))],
            y=list(held),
            mode="lines",
            line=_style(model),
            name=f"{_name(model)} {_at_a_fifth(held):.0%}",
            hovertemplate="top %{x:.0%} hold %{y:.0%}<extra>" + _name(model) + "</extra>",
        )
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": MUTED, "width": 1}, name="by chance 20%")
    figure.add_vline(x=0.2, line={"color": MUTED, "dash": "dot", "width": 1})
    figure.update_xaxes(title_text="customers, best predicted value first", tickformat=".0%", dtick=0.25, range=[0, 1])
    figure.update_yaxes(title_text="share of realised value", tickformat=".0%", range=[0, 1.02])
    figure.update_layout(legend_title={"text": "held by the top 20%", "side": "top", "font": {"size": 13}})
    return figure


def deciles(tenths: Sequence[Mapping[str, float]], *, currency: str) -> go.Figure:
    """Mean predicted against mean realised value per tenth of customers, best predicted first."""
    frame = pd.DataFrame(tenths, columns=["predicted", "realised", "customers"])
    places = [str(place) for place in range(1, len(frame) + 1)]
    figure = _figure(height=360)
    figure.add_bar(
        x=places,
        y=frame["realised"],
        marker_color=PALE,
        marker_line={"color": BLUE, "width": 1},
        name="realised",
        customdata=frame["customers"],
        hovertemplate="tenth %{x}: realised %{y:,.2f} " + currency + ", %{customdata:,} customers<extra></extra>",
    )
    figure.add_scatter(
        x=places,
        y=frame["predicted"],
        mode="markers",
        marker={"color": VERMILION, "size": 10, "symbol": "diamond"},
        name="predicted",
        hovertemplate="tenth %{x}: predicted %{y:,.2f} " + currency + "<extra></extra>",
    )
    figure.update_layout(bargap=0.35)
    figure.update_xaxes(title_text="tenth of customers, best predicted value first", type="category", showgrid=False)
    figure.update_yaxes(title_text=f"mean value per customer ({currency})", rangemode="tozero", nticks=6)
    return figure


def evaluation(metrics: Mapping[str, Any]) -> dict[str, go.Figure]:
    """The pictures of an evaluation (`metrics.json`), by name; deciles of our own model where it is in it."""
    figures = {"calibration": calibration(metrics["calibration"]), "gains": gains(metrics["gains"])}
    if STAYWORTH in metrics["deciles"]:
        figures["deciles"] = deciles(metrics["deciles"][STAYWORTH], currency=metrics["currency"])
    return figures


def to_html(figures: Mapping[str, go.Figure]) -> dict[str, str]:
    """Each figure as an HTML fragment whose id is its name; the page has to hold `script()` once before them."""
    config = {"displayModeBar": False, "responsive": True, "plotlyServerURL": ""}
    return {
        name: figure_to_html(figure, config=config, include_plotlyjs=False, full_html=False, div_id=name)
        for name, figure in figures.items()
    }


def script() -> str:
    """plotly.js as it ships in the wheel: inlined, a page needs no network."""
    return str(get_plotlyjs())


def _figure(*, height: int) -> go.Figure:
    axis = {"gridcolor": GRID, "linecolor": MUTED, "zerolinecolor": MUTED, "automargin": True}
    axis |= {"title": {"standoff": 8, "font": {"size": 13, "color": MUTED}}}
    figure = go.Figure()
    figure.update_layout(
        template="none",
        height=height,
        font={"family": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", "size": 13, "color": INK},
        paper_bgcolor="white",
        plot_bgcolor="white",
        margin={"l": 10, "r": 24, "t": 10, "b": 10},
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        xaxis=axis,
        yaxis=axis,
        dragmode=False,
    )
    return figure


def _ordered(models: Mapping[str, Any]) -> list[str]:
    """The opponents first, so that Stayworth is drawn on top."""
    return sorted(models, key=lambda model: model == "stayworth")


def _style(model: str) -> dict[str, Any]:
    return STYLES.get(model, OTHER)


def _name(model: str) -> str:
    return escape(MODELS.get(model, model))


def _at_a_fifth(held: Sequence[float]) -> float:
    return held[round((len(held) - 1) / 5)]


def _short(money: float) -> str:
    """1,234,567 as 1.2M, 41,250 as 41k, 12.3 as 12: as on the axes."""
    for size, suffix in ((1e6, "M"), (1e3, "k")):
        if abs(money) >= size:
            return f"{money / size:.{1 if abs(money) < 10 * size else 0}f}{suffix}"
    return f"{money:.0f}"
