"""Outcomes of a campaign's customers in its window, and what was known of each customer before it."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from features.errors import InputError, Refusal
from features.histories.columns import Histories
from features.snapshots.labels import has_left, orders_and_margin
from pipelines import run_folder
from pipelines.batches.latest_scores import over_main_horizon
from pipelines.campaigns.campaign import Campaign
from retention.planning.contact_list import GAIN, KNOWN_BEFORE, SAVABLE

PAST_WINDOW = ("past_orders", "past_margin")
"""Covariates where the scores of the plan are gone: the customer's own outcomes in the window before."""


def closed_window(histories: Histories, *, day: date, until: date) -> int:
    """The window's length in days; raises where the data do not cover it, so that no half campaign is read out."""
    if until <= day:
        raise InputError(
            f"the window ends on {until}, before it begins on {day}", where="--until", next="Name a later day."
        )
    missing_days = (until - histories.end).days
    if missing_days > 0:
        raise Refusal(
            f"the campaign's window ends on {until}, the orders end before {histories.end}",
            where="readout",
            next=f"Wait for {missing_days} more day{'s' * (missing_days != 1)} of orders, or take an early look with "
            f"--until {histories.end}: but decide on the full window, since whoever looks often will find something.",
        )
    return (until - day).days


def outcomes(histories: Histories, customer_ids: pd.Series, *, day: date, window_days: int) -> pd.DataFrame:
    """Outcomes by customer_id: stayed (1 or 0), orders and margin in `[day, day + window_days)`, and past_orders and
    past_margin in as many days before.

    A customer who is not in the log has no row. Under a contract those stay who do not leave; else those who order.
    """
    known = customer_ids[customer_ids.isin(histories.customer_ids.to_pandas())].astype("str")
    rows = pa.table({"customer_id": pa.array(known, pa.string()), "as_of": pa.array([day] * len(known), pa.date32())})
    orders, margin = orders_and_margin(histories, rows, from_days=0, to_days=window_days)
    past_orders, past_margin = orders_and_margin(histories, rows, from_days=-window_days, to_days=0)
    stayed = ~has_left(histories, rows, horizon_days=window_days) if histories.contractual else orders > 0
    return pd.DataFrame(
        {
            "customer_id": known.to_numpy(),
            "stayed": stayed.astype(float),
            "orders": orders.astype(float),
            "margin": margin,
            "past_orders": past_orders.astype(float),
            "past_margin": past_margin,
        }
    ).set_index("customer_id")


def with_scores(campaign: Campaign, scores_file: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The chosen customers with the scores they were chosen by, and the names of those to adjust for.

    From the plan's own file where it has them, else from the scores of the campaign's day; where those are gone,
    nothing is added and the names are those of `PAST_WINDOW`.
    """
    chosen = campaign.chosen
    if set(KNOWN_BEFORE) <= set(chosen):
        return chosen, KNOWN_BEFORE
    if not scores_file.exists():
        return chosen, PAST_WINDOW
    scores = over_main_horizon(
        run_folder.read_table(scores_file, next="Name the scores of the campaign's day: --scores.")
    )
    days = pd.to_datetime(scores["as_of"]).dt.date.unique()
    columns = [name for name in ("customer_id", *KNOWN_BEFORE, SAVABLE, GAIN, "segment") if name in scores]
    joined = chosen.merge(scores[columns], on="customer_id", how="left", suffixes=("", "_scored"))
    if list(days) != [campaign.day] or not np.isfinite(joined[list(KNOWN_BEFORE)]).all(axis=None):
        return chosen, PAST_WINDOW
    return joined, KNOWN_BEFORE
