"""Pictures of an evaluation: plain dicts in, figures out. `chart_captions` writes their captions."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from models import STAYWORTH
from pipelines.reporting.model_styles import display_name, line_style
from retention.presentation.theme import (
    BLUE,
    CHANCE,
    MUTED,
    PALE,
    PERFECT,
    VERMILION,
    Figure,
    blank_figure,
    panels,
    whiskers,
)


def evaluation_figures(metrics: Mapping[str, Any]) -> dict[str, Figure]:
    """Figures of an evaluation (`metrics.json`) by name: of Stayworth's tenths where it is among the models, of its
    intervals where it gives any, of profit where an offer was given.
    """
    rate = churn_rate(metrics) or None
    customers = {"leavers": "most likely to leave first", "value": "best predicted value first"}
    figures = {
        "calibration": calibration(metrics["calibration"]),
        "churn-gains": gains(
            metrics["churn_gains"], quantity="leavers", order=customers["leavers"], perfect_share=rate
        ),
        "churn-lift": lift(metrics["churn_gains"], order=customers["leavers"], perfect_share=rate),
        "gains": gains(metrics["gains"], quantity="realised value", order=customers["value"]),
        "lift": lift(metrics["gains"], order=customers["value"]),
    }
    if STAYWORTH in metrics["deciles"]:
        figures["deciles"] = deciles(metrics["deciles"][STAYWORTH], currency=metrics["currency"])
    if STAYWORTH in metrics["coverage"]:
        figures["coverage"] = coverage(metrics["coverage"][STAYWORTH])
    if "profit" in metrics:
        figures["campaign-profit"] = campaign_profit(metrics["profit"]["models"], currency=metrics["currency"])
    return figures


def churn_rate(metrics: Mapping[str, Any]) -> float:
    """Share of the evaluated customers who left."""
    bins = pd.DataFrame(next(iter(metrics["calibration"].values())))
    return float((bins["observed"] * bins["customers"]).sum() / bins["customers"].sum())


def calibration(models: Mapping[str, Sequence[Mapping[str, float]]]) -> Figure:
    """Predicted against observed churn rate with its interval, a panel per model, a point per tenth of the customers;
    on the diagonal a probability means what it says.
    """
    names = _ours_first(models)
    columns = min(3, len(names))
    figure = panels(
        [display_name(model) for model in names],
        columns=columns,
        x_title="predicted churn probability",
        y_title="observed churn rate",
    )
    ends = pd.concat([pd.DataFrame(models[model])[["predicted", "low", "high"]] for model in names]).stack()
    low, high = max(0, ends.min() - 0.03), min(1, ends.max() + 0.03)
    for place, model in enumerate(names):
        at = {"row": place // columns + 1, "col": place % columns + 1}
        bins = pd.DataFrame(models[model])
        figure.add_scatter(x=[low, high], y=[low, high], mode="lines", line={"color": MUTED, "width": 1}, **at)
        figure.add_scatter(
            x=bins["predicted"],
            y=bins["observed"],
            error_y=whiskers(bins["observed"], bins, color=line_style(model)["color"]),
            mode="markers",
            marker={"color": line_style(model)["color"], "size": 7},
            customdata=bins[["low", "high", "customers"]],
            hovertemplate="predicted %{x:.1%}, observed %{y:.1%} (%{customdata[0]:.1%} to %{customdata[1]:.1%}) of "
            "%{customdata[2]:,}<extra></extra>",
            **at,
        )
    figure.update_xaxes(tickformat=".0%", range=[low, high], nticks=5)
    figure.update_yaxes(tickformat=".0%", range=[low, high], nticks=6)
    return figure


def gains(
    models: Mapping[str, Sequence[float]], *, quantity: str, order: str, perfect_share: float | None = None
) -> Figure:
    """Share of a quantity that the top k % of customers hold in each model's ranking; k evenly from 0 to 100.

    perfect_share: the share of customers who hold all of it; with it the perfect ranking is drawn too.
    """
    figure = blank_figure(height=500)
    _by_share(figure, models, at=0.2, form=".1%", hover="hold %{y:.1%}")
    if perfect_share is not None:
        figure.add_scatter(
            x=[0, perfect_share, 1],
            y=[0, 1, 1],
            mode="lines",
            line=PERFECT,
            name=f"perfect {min(0.2 / perfect_share, 1):.1%}",
        )
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=CHANCE, name="by chance 20.0%")
    figure.add_vline(x=0.2, line={"color": MUTED, "dash": "dot", "width": 1})
    figure.update_xaxes(title_text=f"customers, {order}", tickformat=".0%", dtick=0.25, range=[0, 1])
    figure.update_yaxes(title_text=f"share of {quantity}", tickformat=".0%", range=[0, 1.02])
    figure.update_layout(legend_title={"text": "held by the top 20%", "side": "top", "font": {"size": 13}})
    return figure


def lift(models: Mapping[str, Sequence[float]], *, order: str, perfect_share: float | None = None) -> Figure:
    """Gain of the top k % per head, as a multiple of the average customer's; arguments as in `gains`."""
    figure = blank_figure(height=500)
    shares = [k / 20 for k in range(1, 21)]
    times = {
        model: [None, *(None if part is None else part / k for part, k in zip(gain[1:], shares, strict=True))]
        for model, gain in models.items()
    }
    _by_share(figure, times, at=0.1, form=".2f", hover="hold %{y:.2f} times the average")
    if perfect_share is not None:
        best = [min(1 / perfect_share, 1 / k) for k in shares]
        figure.add_scatter(
            x=shares, y=best, mode="lines", line=PERFECT, name=f"perfect {min(1 / perfect_share, 10):.2f}"
        )
    figure.add_scatter(x=[0, 1], y=[1, 1], mode="lines", line=CHANCE, name="by chance 1.00")
    figure.add_vline(x=0.1, line={"color": MUTED, "dash": "dot", "width": 1})
    figure.update_xaxes(title_text=f"customers, {order}", tickformat=".0%", dtick=0.25, range=[0, 1])
    figure.update_yaxes(title_text="times the average customer", nticks=7, tickformat=".2~f")
    figure.update_layout(legend_title={"text": "lift of the top 10%", "side": "top", "font": {"size": 13}})
    return figure


def deciles(tenths: Sequence[Mapping[str, float]], *, currency: str) -> Figure:
    """Mean predicted against mean realised value, with its interval, per tenth of customers, best predicted first."""
    frame = pd.DataFrame(tenths)
    places = [str(place) for place in range(1, len(frame) + 1)]
    figure = blank_figure(height=360)
    figure.add_bar(
        x=places,
        y=frame["realised"],
        error_y=whiskers(frame["realised"], frame, color=BLUE),
        marker_color=PALE,
        marker_line={"color": BLUE, "width": 1},
        name="realised, with its interval",
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


def coverage(table: Mapping[str, Any]) -> Figure:
    """Share of customers inside their 80 % interval, with its own interval: all, and by tenth."""
    rows = [{"group": "all", **table["overall"]}]
    rows += [{"group": str(place), **tenth} for place, tenth in enumerate(table["deciles"], 1)]
    frame = pd.DataFrame(rows).dropna(subset=["value"])
    figure = blank_figure(height=360)
    figure.add_hline(y=0.8, line={"color": MUTED, "dash": "dash", "width": 1.5})
    figure.add_scatter(
        x=frame["group"],
        y=frame["value"],
        error_y=whiskers(frame["value"], frame, color=BLUE),
        mode="markers+text",
        marker={"color": [VERMILION if name == "all" else BLUE for name in frame["group"]], "size": 9},
        text=[f"{value:.0%}" for value in frame["value"]],
        textposition="middle right",
        cliponaxis=False,
        customdata=frame["customers"],
        hovertemplate="%{x}: %{y:.1%} of %{customdata:,} customers<extra></extra>",
        showlegend=False,
    )
    lowest = min(0.5, frame["low"].min() - 0.03)
    figure.update_xaxes(
        title_text="tenth of customers, best predicted value first", type="category", showgrid=False, tickangle=0
    )
    figure.update_yaxes(title_text="customers inside their interval", tickformat=".0%", range=[lowest, 1.02])
    return figure


def campaign_profit(models: Mapping[str, Mapping[str, Any]], *, currency: str) -> Figure:
    """Profit of contacting the top k % of each model's ranking, best cuts marked; k from 0 to 100.

    Losses deeper than the best profit is high are cut off.
    """
    figure = blank_figure(height=460)
    for model in sorted(models, key=lambda name: -models[name]["best"]["profit"]):
        curve, best = models[model]["curve"], models[model]["best"]
        figure.add_scatter(
            x=[k / (len(curve) - 1) for k in range(len(curve))],
            y=curve,
            mode="lines",
            line=line_style(model),
            name=f"{display_name(model)}: {best['profit']:,.0f} from {best['share']:.0%}",
            legendgroup=model,
            hovertemplate="top %{x:.0%} earn %{y:,.0f} " + currency + "<extra>" + display_name(model) + "</extra>",
        )
        figure.add_scatter(
            x=[best["share"]],
            y=[best["profit"]],
            mode="markers",
            marker={"color": line_style(model)["color"], "size": 10, "symbol": "diamond"},
            legendgroup=model,
            showlegend=False,
            hovertemplate="best cut: %{x:.0%}, %{y:,.0f} " + currency + "<extra>" + display_name(model) + "</extra>",
        )
    top = max(model["best"]["profit"] for model in models.values())
    lowest = min(min(model["curve"]) for model in models.values())
    figure.update_xaxes(title_text="customers contacted, most expected profit first", tickformat=".0%", range=[0, 1])
    figure.update_yaxes(title_text=f"profit ({currency})", tickformat="~s", zeroline=True)
    if top > 0:
        figure.update_yaxes(range=[max(lowest, -top) - 0.05 * top, 1.1 * top])
    figure.update_layout(legend_title={"text": "earned at the best cut", "side": "top", "font": {"size": 13}})
    return figure


def _by_share(
    figure: Figure,
    heights: Mapping[str, Sequence[float | None]],
    *,
    at: float,
    form: str,
    hover: str,
) -> None:
    """Draw a line per model over the share of customers, labelled with its height at one share, the highest there
    first."""
    points = len(next(iter(heights.values()))) - 1
    place = round(at * points)
    for model in sorted(heights, key=lambda name: -(heights[name][place] or 0)):
        height = heights[model][place]
        figure.add_scatter(
            x=[k / points for k in range(points + 1)],
            y=list(heights[model]),
            mode="lines",
            line=line_style(model),
            name=display_name(model) + ("" if height is None else f" {height:{form}}"),
            hovertemplate=f"top %{{x:.0%}} {hover}<extra>{display_name(model)}</extra>",
        )


def _ours_first(models: Mapping[str, Any]) -> list[str]:
    return sorted(models, key=lambda model: model != STAYWORTH)
