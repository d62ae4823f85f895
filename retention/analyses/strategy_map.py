"""Customer-equity strategy map: knowledge leads to contact, contact to satisfaction, satisfaction to value."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from features.clock import YEAR_DAYS
from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.loyalty_index import wallet_per_year
from retention.customer_base.survey_answers import (
    SATISFACTION,
    answers,
    interaction_kinds,
    interactions_of_kind,
    satisfied_from,
)
from retention.presentation.analysis import Analysis, Form, TableColumn
from retention.presentation.formatting import counted, listed

TITLE = "From knowledge to value"
DEFINITION = (
    "Four layers, each resting on the one before: what the shop knows about its customers, how it is in touch with "
    "them, how satisfied they are, and what they are worth. Each indicator covers the last 365 days, beside the 365 "
    "days before; its target comes from the config. That one layer leads to the next is a hypothesis to be tested, "
    "not a finding."
)
SOURCE = "Kaplan & Norton (2004), Strategy Maps; Rust, Lemon & Zeithaml (2004), Return on marketing."

Window = tuple[int, int]
"""Length in days, and how many days before the base's day it ends."""


class StrategyIndicator(NamedTuple):
    """An indicator of the map."""

    layer: str
    name: str
    form: Form
    higher_is_better: bool
    measure: Callable[[CustomerBase, Window], float]
    """NaN where it is not known, or not of that window."""


def _rate(kind: str, base: CustomerBase, window: Window) -> float:
    """Events of a kind per customer who had ordered by the window's end; NaN where the log has none of them."""
    rows = interactions_of_kind(base, kind)
    if rows.empty:
        return np.nan
    end = base.as_of_time - pd.Timedelta(days=window[1])
    customers = int((base.customers["first_order"] < end).sum())
    return len(base.within(rows, window[0], before_days=window[1])) / customers if customers else np.nan


def _covers(base: CustomerBase, days: int) -> bool:
    """Check that the orders reach back so many days; the first day counts as a whole one."""
    return bool(base.orders["at"].min().normalize() <= base.as_of_time - pd.Timedelta(days=days))


def _known(base: CustomerBase, window: Window) -> float:
    """Share of customers about whom more than orders is known: an interaction or an answer."""
    if base.interactions is None:
        return np.nan
    end = base.as_of_time - pd.Timedelta(days=window[1])
    customers = base.customers.index[base.customers["first_order"] < end]
    rows = base.within(base.interactions, window[0], before_days=window[1])
    return float(customers.isin(rows["customer"].unique()).mean()) if len(customers) else np.nan


def _complaints(base: CustomerBase, window: Window) -> float:
    """Complaints per 100 orders."""
    if "complaint" not in interaction_kinds(base):
        return np.nan
    orders = base.within(base.orders[base.orders["stands"]], window[0], before_days=window[1])
    rows = base.within(interactions_of_kind(base, "complaint"), window[0], before_days=window[1])
    return 100 * len(rows) / len(orders) if len(orders) else np.nan


def _satisfaction(base: CustomerBase, window: Window) -> float:
    """Mean answer to survey_score."""
    return float(_answers(base, window)["value"].mean())


def _satisfied(base: CustomerBase, window: Window) -> float:
    """Share of answers in the upper quarter of the scale."""
    rows = _answers(base, window)
    if base.survey_range is None or rows.empty:
        return np.nan
    return float((rows["value"] >= satisfied_from(base.survey_range)).mean())


def _answers(base: CustomerBase, window: Window) -> pd.DataFrame:
    return base.within(answers(base, SATISFACTION), window[0], before_days=window[1])


def _again(base: CustomerBase, window: Window) -> float:
    """Share of those with an order in the year before the window who ordered in it."""
    days, ago = window
    if not _covers(base, ago + 2 * days):
        return np.nan
    orders = base.orders[base.orders["stands"]]
    before = base.within(orders, days, before_days=ago + days)["customer"].unique()
    again = base.within(orders, days, before_days=ago)["customer"].unique()
    return float(np.isin(before, again).mean()) if len(before) else np.nan


def _margin(base: CustomerBase, window: Window) -> float:
    """Margin per customer with an order in the window, currency units."""
    rows = base.within(base.orders, window[0], before_days=window[1])
    active = rows.loc[rows["stands"], "customer"].nunique()
    return float(rows["margin"].sum() / active) if active else np.nan


def _clv(base: CustomerBase, window: Window) -> float:
    """Mean CLV as scored; not known for an earlier window."""
    return float(base.customers["clv"].mean()) if window[1] == 0 else np.nan


def _wallet(base: CustomerBase, window: Window) -> float:
    """Share of wallet of the customers whose wallet is known; not known for an earlier window."""
    wallet = wallet_per_year(base)
    known = wallet > 0
    if window[1] or not known.any():
        return np.nan
    spent_here = np.minimum(base.customers["sales_year"][known].clip(lower=0), wallet[known])
    return float(spent_here.sum() / wallet[known].sum())


INDICATORS = (
    StrategyIndicator("knowledge", "known_customers", "percent", True, _known),
    StrategyIndicator("interaction", "visits_per_customer", "number", True, partial(_rate, "visit")),
    StrategyIndicator("interaction", "opens_per_customer", "number", True, partial(_rate, "email_open")),
    StrategyIndicator("interaction", "referrals_per_customer", "number", True, partial(_rate, "referral")),
    StrategyIndicator("satisfaction", "satisfaction_mean", "number", True, _satisfaction),
    StrategyIndicator("satisfaction", "satisfied_share", "percent", True, _satisfied),
    StrategyIndicator("satisfaction", "complaints_per_100_orders", "number", False, _complaints),
    StrategyIndicator("value", "ordered_again", "percent", True, _again),
    StrategyIndicator("value", "margin_per_customer", "money", True, _margin),
    StrategyIndicator("value", "clv_mean", "money", True, _clv),
    StrategyIndicator("value", "share_of_wallet", "percent", True, _wallet),
)
"""`[report] targets` gives targets by these names, shares as 0 to 1."""


def strategy_map(base: CustomerBase) -> pd.DataFrame:
    """Table of the indicators: layer, indicator, value, before (the same a year earlier), target and met (True, False;
    None without a target or a value). NaN where it is not known."""
    rows, is_old = [], _covers(base, 2 * YEAR_DAYS)
    for indicator in INDICATORS:
        value = indicator.measure(base, (YEAR_DAYS, 0))
        before = indicator.measure(base, (YEAR_DAYS, YEAR_DAYS)) if is_old else np.nan
        target = base.targets.get(indicator.name, np.nan)
        known = value == value and target == target
        met = (value >= target if indicator.higher_is_better else value <= target) if known else None
        rows.append((indicator.layer, indicator.name, value, before, target, met))
    return pd.DataFrame(rows, columns=["layer", "indicator", "value", "before", "target", "met"])


def analyse(base: CustomerBase) -> Analysis:
    """The map as a table, without a picture, since each indicator has a unit of its own."""
    indicators = strategy_map(base)
    known = indicators[indicators["value"].notna()]
    shown = pd.DataFrame(
        {
            "layer": known["layer"],
            "indicator": known["indicator"].str.replace("_", " ").str.replace("clv", "CLV"),
            **{
                name: [_format(indicator, number) for indicator, number in _pairs(known, name)]
                for name in ("value", "before", "target")
            },
            "met": known["met"].map({True: "met", False: "not met"}).fillna("no target"),
        }
    )
    unknown = indicators.loc[indicators["value"].isna(), "indicator"].tolist()
    unknown_targets = sorted(set(base.targets) - {indicator.name for indicator in INDICATORS})
    names = ", ".join(indicator.name for indicator in INDICATORS)
    missing = [f"Not known for lack of data: {listed(unknown)}."] if unknown else []
    if unknown_targets:
        missing.append(f"[report] targets names {listed(unknown_targets)}, but the indicators are {names}.")
    if not base.targets:
        missing.append(f"No targets are set: under [report.targets], give any of {names}; shares as 0 to 1.")
    better = [_is_better(row) for row in known.itertuples()]
    compared = [is_better for is_better in better if is_better is not None]
    met = known["met"].dropna()
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        shown,
        {
            "layer": TableColumn("Layer", "text"),
            "indicator": TableColumn("Indicator", "text"),
            "value": TableColumn("Last 365 days", "text"),
            "before": TableColumn("The 365 days before", "text"),
            "target": TableColumn("Target", "text"),
            "met": TableColumn("Target met?", "text"),
        },
        _reading(compared, met),
        None,
        " ".join(missing),
    )


def _reading(compared: list[bool], met: pd.Series) -> str:
    """compared: for each indicator with a year before, is it better; met: for each target, is it met."""
    trend = (
        f"{sum(compared)} of {counted(len(compared), 'indicator')} improved on the year before"
        if compared
        else "No indicator can be compared with the year before yet"
    )
    return trend + (
        f"; {int(met.sum())} of {counted(len(met), 'target')} {'is' if met.sum() == 1 else 'are'} met."
        if len(met)
        else "."
    )


def _pairs(rows: pd.DataFrame, name: str) -> list[tuple[str, float]]:
    return list(zip(rows["indicator"], rows[name].astype(float), strict=True))


def _format(indicator: str, value: float) -> str:
    form = next(each.form for each in INDICATORS if each.name == indicator)
    if value != value:
        return "–"
    return {"percent": f"{value:.1%}", "money": f"{value:,.2f}"}.get(form, f"{value:,.2f}")


def _is_better(row: Any) -> bool | None:
    """Check that an indicator moved the right way; None where there is nothing to compare, or it has not moved."""
    indicator = next(each for each in INDICATORS if each.name == row.indicator)
    if row.before != row.before or row.value == row.before:
        return None
    return bool((row.value > row.before) == indicator.higher_is_better)
