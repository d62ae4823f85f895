"""The customer-equity strategy map: what is known leads to contact, contact to satisfaction, satisfaction to value."""

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
    "Four layers, each resting on the one before: what the shop knows of its customers, how it is in touch with them, "
    "how satisfied they are, and what they are worth. Each indicator is of the last 365 days; its trend is the change "
    "from the 365 days before, its target stands in the config. An arrow of the map is a belief to be tested, not a "
    "finding."
)
SOURCE = "Kaplan & Norton (2004), Strategy Maps; Rust, Lemon & Zeithaml (2004), Return on marketing."

Window = tuple[int, int]
"""Length in days, and how many days before the base's day it ends."""


class StrategyIndicator(NamedTuple):
    """A measure of the map."""

    layer: str
    name: str
    form: Form
    higher_is_better: bool
    of: Callable[[CustomerBase, Window], float]
    """NaN where it is not known, or not of that window."""


def _rate(kind: str, base: CustomerBase, window: Window) -> float:
    """Events of a kind per customer who had ordered by the window's end; NaN where the log has none of them."""
    rows = interactions_of_kind(base, kind)
    if rows.empty:
        return np.nan
    end = base.as_of_time - pd.Timedelta(days=window[1])
    there = int((base.customers["first_order"] < end).sum())
    return len(base.within(rows, window[0], before_days=window[1])) / there if there else np.nan


def _covers(base: CustomerBase, days: int) -> bool:
    """Whether the orders reach back so many days; the first day counts as a whole one."""
    return bool(base.orders["at"].min().normalize() <= base.as_of_time - pd.Timedelta(days=days))


def _known(base: CustomerBase, window: Window) -> float:
    """Share of customers of whom anything beside orders is known: an interaction or an answer."""
    if base.interactions is None:
        return np.nan
    end = base.as_of_time - pd.Timedelta(days=window[1])
    there = base.customers.index[base.customers["first_order"] < end]
    rows = base.within(base.interactions, window[0], before_days=window[1])
    return float(there.isin(rows["customer"].unique()).mean()) if len(there) else np.nan


def _complaints(base: CustomerBase, window: Window) -> float:
    """Complaints per 100 orders."""
    if "complaint" not in interaction_kinds(base):
        return np.nan
    orders = base.within(base.orders[base.orders["stands"]], window[0], before_days=window[1])
    rows = base.within(interactions_of_kind(base, "complaint"), window[0], before_days=window[1])
    return 100 * len(rows) / len(orders) if len(orders) else np.nan


def _satisfaction(base: CustomerBase, window: Window) -> float:
    """Mean answer to survey_score."""
    return float(_asked(base, window)["value"].mean())


def _satisfied(base: CustomerBase, window: Window) -> float:
    """Share of answers in the upper quarter of the scale."""
    rows = _asked(base, window)
    if base.survey_range is None or rows.empty:
        return np.nan
    return float((rows["value"] >= satisfied_from(base.survey_range)).mean())


def _asked(base: CustomerBase, window: Window) -> pd.DataFrame:
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
    """Mean CLV, as scored; not known of an earlier day."""
    return float(base.customers["clv"].mean()) if window[1] == 0 else np.nan


def _wallet(base: CustomerBase, window: Window) -> float:
    """What the customers whose wallet is known spend here, of all they spend; not known of an earlier day."""
    wallet = wallet_per_year(base)
    known = wallet > 0
    if window[1] or not known.any():
        return np.nan
    ours = np.minimum(base.customers["sales_year"][known].clip(lower=0), wallet[known])
    return float(ours.sum() / wallet[known].sum())


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
"""By these names `[report] targets` gives targets, shares as 0 to 1."""


def strategy_map(base: CustomerBase) -> pd.DataFrame:
    """A row per indicator: layer, indicator, value, before (the same a year earlier), target and met (True, False; None
    without a target or a value). NaN where it is not known."""
    rows, is_old = [], _covers(base, 2 * YEAR_DAYS)
    for one in INDICATORS:
        value = one.of(base, (YEAR_DAYS, 0))
        before = one.of(base, (YEAR_DAYS, YEAR_DAYS)) if is_old else np.nan
        target = base.targets.get(one.name, np.nan)
        known = value == value and target == target
        met = (value >= target if one.higher_is_better else value <= target) if known else None
        rows.append((one.layer, one.name, value, before, target, met))
    return pd.DataFrame(rows, columns=["layer", "indicator", "value", "before", "target", "met"])


def analyse(base: CustomerBase) -> Analysis:
    """The map as a table: it has no picture, since its indicators have units of their own."""
    found = strategy_map(base)
    known = found[found["value"].notna()]
    shown = pd.DataFrame(
        {
            "layer": known["layer"],
            "indicator": known["indicator"].str.replace("_", " "),
            **{name: [_said(one, row) for one, row in _pairs(known, name)] for name in ("value", "before", "target")},
            "met": known["met"].map({True: "met", False: "not met"}).fillna("no target"),
        }
    )
    unknown = found.loc[found["value"].isna(), "indicator"].tolist()
    strange = sorted(set(base.targets) - {one.name for one in INDICATORS})
    names = ", ".join(one.name for one in INDICATORS)
    missing = [f"Not known for want of data: {listed(unknown)}."] if unknown else []
    if strange:
        missing.append(f"[report] targets names {listed(strange)}, which no indicator is: {names}.")
    if not base.targets:
        missing.append(f"No targets are set: under [report.targets] give any of {names}; shares as 0 to 1.")
    better = [_is_better(row) for row in known.itertuples()]
    compared = [one for one in better if one is not None]
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
    """compared: of each indicator with a year before, whether it got better; met: of each target, whether it is met."""
    against = (
        f"Of {counted(len(compared), 'indicator')} that can be held against the year before, {sum(compared)} got better"
        if compared
        else "No indicator can be held against the year before yet"
    )
    return against + (f"; {int(met.sum())} of {counted(len(met), 'target')} are met." if len(met) else ".")


def _pairs(rows: pd.DataFrame, name: str) -> list[tuple[str, float]]:
    return list(zip(rows["indicator"], rows[name].astype(float), strict=True))


def _said(indicator: str, value: float) -> str:
    form = next(one.form for one in INDICATORS if one.name == indicator)
    if value != value:
        return "–"
    return {"percent": f"{value:.1%}", "money": f"{value:,.2f}"}.get(form, f"{value:,.2f}")


def _is_better(row: Any) -> bool | None:
    """Whether an indicator moved the right way; None where there is nothing to compare, or it has not moved."""
    one = next(each for each in INDICATORS if each.name == row.indicator)
    if row.before != row.before or row.value == row.before:
        return None
    return bool((row.value > row.before) == one.higher_is_better)
