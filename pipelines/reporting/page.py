"""The report: one self-contained HTML page for whoever decides on retention. It opens offline and names no customer."""

from collections.abc import Mapping, Sequence
from datetime import date
from math import isclose
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Template
from markupsafe import Markup

from features.errors import InputError
from models.evaluation.metric_labels import HEADLINE, METRICS
from pipelines.reporting import evaluation_charts
from pipelines.reporting.chart_captions import captions
from pipelines.reporting.check_page import weekly_figures
from pipelines.reporting.model_card import model_card
from pipelines.training.baseline_comparison import (
    CHURN_METRICS,
    DECISIVE,
    MODELS,
    PROFIT_METRICS,
    VALUE_ERROR_METRICS,
    VALUE_METRICS,
    compare_with_baselines,
    count_outcomes,
)
from pipelines.training.judgement import horizon_doubt
from retention.analyses.chapters import Chapter
from retention.economics.customer_equity import CustomerEquity
from retention.economics.profit import value_at_risk
from retention.planning import plan_charts
from retention.presentation import formatting, theme
from retention.presentation.analysis import as_html
from retention.presentation.templates import templates

DAILY = ("roc_auc", "log_loss", "ece", "value_deviance", "total_bias")
"""Metrics shown for each day of the backtest."""


def page(
    *,
    metrics: Mapping[str, Any],
    scores: pd.DataFrame,
    plan: pd.DataFrame | None,
    plan_summary: Mapping[str, Any] | None,
    profit_curve: pd.DataFrame | None,
    title: str,
    currency: str,
    assumptions: Sequence[tuple[str, str]],
    reconciliation: Sequence[Mapping[str, Any]],
    written_on: date | str,
    worth: CustomerEquity,
    worth_by_segment: Mapping[str, CustomerEquity],
    chapters: Sequence[Chapter],
    backtest: Sequence[Mapping[str, Any]] = (),
    lifetimes: Sequence[Mapping[str, Any]] = (),
    weeks: Sequence[Mapping[str, Any]] = (),
    customers_named: int = 0,
    early_warnings: pd.DataFrame | None = None,
) -> str:
    """Render the page; where there is no plan, it names the command that makes one.

    `metrics` as in metrics.json; `scores`, `plan`, `plan_summary` and `profit_curve` as scored and planned;
    `assumptions` are (name, value as text), `reconciliation` has {what, rows, amount}; `written_on` is a day or its
    ISO text; `worth`, `worth_by_segment` and `chapters` are of the customer base behind the scores; `backtest` as in
    backtest.json, empty where `evaluate` has not run, `lifetimes` as in backtest_lifetime.json; `customers_named`: the
    number of customers shown by their ids; `early_warnings`: the early-warning list, where it is to be shown. `weeks`
    as in weeks.json, empty where `check` has not run. All text is escaped.
    """
    if scores.empty:
        raise InputError("no customer is scored", where="report", next="Score first: stayworth score --as-of DAY.")
    by_segment = risk_by_group(scores, scores["segment"].fillna("(none)")).sort_values("at_risk", ascending=False)
    by_risk = risk_by_group(scores, risk_tenths(scores["churn_probability"]))
    base = _base(scores)
    return _template(currency).render(
        title=title,
        currency=currency,
        written_on=written_on,
        assumptions=assumptions,
        reconciliation=reconciliation,
        base=base,
        worth=worth,
        worth_by_segment=worth_by_segment,
        by_segment=by_segment.to_dict("records"),
        by_risk=by_risk.to_dict("records"),
        figures=_figures(by_segment, by_risk, metrics, plan_summary, profit_curve, weeks, currency=currency),
        chapters=[_chapter(number, chapter, currency=currency) for number, chapter in enumerate(chapters, 1)],
        lifetime=metrics.get("lifetime"),
        judged=lifetimes[-1] if lifetimes else None,
        card=model_card(metrics, backtest),
        people=_most_at_risk(scores, customers_named),
        early_warnings=[] if early_warnings is None else early_warnings.to_dict("records"),
        plotly=Markup(theme.script()),
        draws=Markup(theme.DRAW_SCRIPT),
        **_plan_part(scores, plan, plan_summary, at_risk=base["at_risk"]),
        **_evaluation_part(metrics, backtest),
    )


def _figures(
    by_segment: pd.DataFrame,
    by_risk: pd.DataFrame,
    metrics: Mapping[str, Any],
    plan_summary: Mapping[str, Any] | None,
    profit_curve: pd.DataFrame | None,
    weeks: Sequence[Mapping[str, Any]],
    *,
    currency: str,
) -> dict[str, Markup]:
    """HTML of the figures outside the chapters, by name."""
    figures = {
        "by-segment": plan_charts.value_at_risk_chart(by_segment, currency=currency),
        "by-risk": plan_charts.value_at_risk_chart(by_risk, currency=currency),
        **evaluation_charts.evaluation_figures(metrics),
    }
    if plan_summary is not None and profit_curve is not None and plan_summary["treated"]:
        figures["profit-curve"] = plan_charts.profit_curve_chart(profit_curve, plan_summary, currency=currency)
    if weeks:
        figures |= weekly_figures(weeks, currency=currency)
    return {name: Markup(fragment) for name, fragment in theme.to_html(figures).items()}


def _plan_part(
    scores: pd.DataFrame, plan: pd.DataFrame | None, plan_summary: Mapping[str, Any] | None, *, at_risk: float
) -> dict[str, Any]:
    """Values of the template about the plan; it is stale where it was made from another value at risk."""
    summary = plan_summary or {}
    planned = summary.get("value_at_risk", 0) / summary.get("worth_factor", {}).get("times_scored", 1)
    return {
        "plan": plan_summary,
        "is_stale": plan_summary is not None and not isclose(planned, at_risk, rel_tol=1e-6),
        "contacted": [] if plan is None else _contacted(scores, plan).to_dict("records"),
    }


def _evaluation_part(metrics: Mapping[str, Any], backtest: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Values of the template about the evaluation: metrics, comparisons with the baselines, days of the backtest."""
    comparisons = compare_with_baselines(metrics)
    known = [model for model in MODELS if model in metrics["models"]]
    return {
        "metrics": metrics,
        "models": known + [model for model in metrics["models"] if model not in known],
        "names": MODELS,
        "labels": METRICS,
        "headline": HEADLINE,
        "explained": (*DECISIVE, "total_bias"),
        "churn_metrics": CHURN_METRICS,
        "value_metrics": VALUE_METRICS,
        "value_error_metrics": VALUE_ERROR_METRICS,
        "profit_metrics": PROFIT_METRICS,
        "captions": captions(metrics),
        "horizon_doubt": horizon_doubt(metrics),
        "comparisons": comparisons,
        "tally": count_outcomes(comparisons),
        "days": [{"metrics": day, "tally": count_outcomes(compare_with_baselines(day))} for day in backtest],
        "daily": DAILY,
    }


def risk_by_group(scores: pd.DataFrame, group: pd.Series) -> pd.DataFrame:
    """Customers, CLV and value at risk (currency units) per group: columns group, customers, clv, at_risk."""
    sums = pd.DataFrame({"group": group, "customers": 1, "clv": scores["clv"], "at_risk": value_at_risk(scores)})
    return sums.groupby("group", observed=True).sum().reset_index()


def risk_tenths(churn_probability: pd.Series) -> pd.Series:
    """Each customer's tenth of the base by churn probability, as an ordered label of its range, riskiest first."""
    place = churn_probability.rank(method="first", ascending=False).to_numpy() - 1
    tenth = (place * 10 // len(churn_probability)).astype(int)
    ranges = churn_probability.groupby(tenth).agg(["min", "max"])
    labels = {tenth: f"{tenth + 1} · {_range(row['min'], row['max'])}" for tenth, row in ranges.iterrows()}
    named = pd.Categorical(tenth, ordered=True).rename_categories(labels)
    return pd.Series(named, index=churn_probability.index)


def _chapter(number: int, chapter: Chapter, *, currency: str) -> dict[str, Any]:
    """Render a chapter: its analyses as HTML, by the names that the contents link to."""
    figures = {name: analysis.figure for name, analysis in chapter.analyses.items() if analysis.figure is not None}
    drawn = theme.to_html({f"picture-{name}": figure for name, figure in figures.items()})
    return {
        "id": f"chapter-{number}",
        "title": chapter.title,
        "titles": {name: analysis.title for name, analysis in chapter.analyses.items()},
        "analyses": [
            as_html(analysis, name=name, figure=drawn.get(f"picture-{name}", ""), currency=currency)
            for name, analysis in chapter.analyses.items()
        ],
    }


def _most_at_risk(scores: pd.DataFrame, count: int) -> list[dict[str, Any]]:
    """The customers with the most value at risk, with their reasons."""
    first = scores.assign(at_risk=value_at_risk(scores)).nlargest(count, "at_risk")
    reasons = first.reindex(columns=["reason_1", "reason_2", "reason_3"]).to_numpy(object)
    rows = first[["customer_id", "segment", "churn_probability", "clv", "at_risk"]].to_dict("records")
    return [
        row | {"reasons": [text for text in texts if isinstance(text, str)]}
        for row, texts in zip(rows, reasons, strict=True)
    ]


def _base(scores: pd.DataFrame) -> dict[str, Any]:
    """Totals of the customer base, and the fewest customers who carry half of its value at risk."""
    at_risk = np.sort(value_at_risk(scores).to_numpy())[::-1]
    return {
        "as_of": pd.Timestamp(scores["as_of"].iloc[0]).date(),
        "horizon_days": int(scores["horizon_days"].iloc[0]),
        "model_version": scores["model_version"].iloc[0],
        "customers": len(scores),
        "leavers": scores["churn_probability"].sum(),
        "clv": scores["clv"].sum(),
        "at_risk": at_risk.sum(),
        "half": int(np.searchsorted(np.cumsum(at_risk), at_risk.sum() / 2)) + 1,
    }


def _contacted(scores: pd.DataFrame, plan: pd.DataFrame) -> pd.DataFrame:
    """Customers whom the plan contacts, by segment: customers, value at risk, cost and profit."""
    chosen = plan[plan["treated"]]
    treated = chosen.merge(scores, on="customer_id", validate="one_to_one", suffixes=("_planned", ""))
    if len(treated) < len(chosen):
        raise InputError(
            f"{len(chosen) - len(treated):,} of {len(chosen):,} contacted customers are not among the scores",
            where="report",
            next="The plan is from other scores: plan again.",
        )
    groups = risk_by_group(treated, treated["segment"].fillna("(none)")).set_index("group")
    money = treated.groupby(treated["segment"].fillna("(none)"))[["expected_cost", "expected_profit"]].sum()
    return groups.join(money).sort_values("expected_profit", ascending=False).reset_index()


def _template(currency: str) -> Template:
    environment = templates(Path(__file__).parent)
    environment.filters |= {
        "money": lambda amount: formatting.money(amount, currency),
        "interval": lambda ends: formatting.interval(ends, currency),
        "counted": formatting.counted,
    }
    return environment.get_template("page.html.j2")


def _range(low: float, high: float) -> str:
    """Range as text: 91–95%, or 98% where both ends read the same."""
    ends = [f"{low:.0%}", f"{high:.0%}"]
    return ends[0] if ends[0] == ends[1] else f"{ends[0][:-1]}–{ends[1]}"
