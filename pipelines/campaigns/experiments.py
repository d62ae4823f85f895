"""Experiments with an offer, from the treatments: customers contacted at random, with their features and outcomes.

Each customer is one row: their first contact with the offer, or the first time they were held out from it, in a
campaign that did both and whose horizon has closed. A later contact may be a consequence of the first one, and would
carry its effect. The features are those of midnight before the contact; the outcomes are those of the labels. Wrong
where a campaign dates its held-out customers differently from its treated ones: their features would be of other days.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import Refusal
from features.histories.columns import Histories
from features.snapshots.labels import with_labels
from features.snapshots.snapshot import feature_columns, snapshot_chunks
from models.uplift.experiment import Experiment
from pipelines.training.training_set import mask_unknown_year, training_features

MIN_OUTCOMES_PER_ARM = 50
"""Customers who stayed, and who left, needed in each arm (treated, held out): with fewer nothing is learned."""


@dataclass(frozen=True)
class OfferTrial:
    """The experiment with one offer."""

    rows: pd.DataFrame
    """A customer a row: customer_id, as_of, the features and labels, campaign, treated and propensity."""
    features: list[str]
    campaigns: list[dict[str, Any]]
    """Campaigns in the experiment: campaign, customers, propensity, and where that is from."""
    left_out: dict[str, int]
    """Rows of the treatments that are not in the experiment, by reason."""

    def experiment(self, outcome: str, *, where: str) -> Experiment:
        """The experiment with one outcome: "stayed" (1 or 0), or one of the labels."""
        values = 1 - self.rows["churned"].astype(float) if outcome == "stayed" else self.rows[outcome].astype(float)
        treated, propensity = self.rows["treated"].to_numpy(bool), self.rows["propensity"].to_numpy(float)
        return Experiment(treated, values.to_numpy(float), propensity, where)


def offer_trial(
    treatments: pd.DataFrame,
    histories: Histories,
    *,
    offer: str,
    horizon_days: int,
    planned: Mapping[tuple[str, str], float],
) -> OfferTrial:
    """The experiment with an offer; treatments as `pipelines.campaigns.treatments.read_treatments` has them.

    planned: the share treated by design, by campaign and offer, where the plan says it; else it is the share of the
    rows of that campaign and offer. Raises Refusal where there are too few customers, with how many more are needed.
    """
    listed = treatments[treatments["offer"] == offer].sort_values("at", kind="stable")
    midnight = listed["at"].dt.tz_convert("UTC").dt.tz_localize(None).dt.floor("D").astype("datetime64[ms]")
    listed = listed.assign(as_of=midnight)
    share = listed.groupby("campaign")["treated"].transform("mean")
    designs = {campaign: design for (campaign, name), design in planned.items() if name == offer}
    designed = listed["campaign"].map(designs).astype(float)
    listed = listed.assign(propensity=designed.fillna(share))
    closed = pd.Timestamp(histories.end) - timedelta(days=horizon_days)
    is_fair, is_closed = (share > 0) & (share < 1), listed["as_of"] <= closed
    usable = listed[is_fair & is_closed]
    is_first = ~usable["customer_id"].duplicated()
    left_out = {
        "in a campaign that treated everybody, or nobody": int((~is_fair).sum()),
        "whose horizon is not over": int((is_fair & ~is_closed).sum()),
        "after an earlier one of the same customer": int((~is_first).sum()),
    }
    listed = usable[is_first]
    where = f"treatments with the offer '{offer}'"
    if listed.empty:
        _refuse(where, left_out, more=4 * MIN_OUTCOMES_PER_ARM)
    rows, features = _with_features_and_labels(histories, listed, horizon_days=horizon_days)
    left_out["of a customer without an order before"] = len(listed) - len(rows)
    _refuse_too_few(rows, where, left_out)
    campaigns = [
        {
            "campaign": str(name),
            "customers": len(group),
            "share_treated": float(group["propensity"].iloc[0]),
            "known_from": "the plan" if (str(name), offer) in planned else "the treatments",
        }
        for name, group in rows.groupby("campaign", sort=True)
    ]
    return OfferTrial(rows, features, campaigns, {reason: count for reason, count in left_out.items() if count})


def _with_features_and_labels(
    histories: Histories, listed: pd.DataFrame, *, horizon_days: int
) -> tuple[pd.DataFrame, list[str]]:
    """The listed customers with features and labels, in the order of the ids; and the names of the features."""
    days = sorted({day.date() for day in listed["as_of"]})
    features = training_features(feature_columns(histories, as_of=days))
    ids, matches = pa.array(listed["customer_id"].astype("str"), pa.string()), []
    wanted = listed[["customer_id", "as_of"]]
    for table in snapshot_chunks(histories, as_of=days, features=features):
        table = table.set_column(0, "customer_id", table["customer_id"].cast(pa.string()))
        candidates = table.filter(pc.is_in(table["customer_id"], value_set=ids))
        pairs = candidates.select(["customer_id", "as_of"]).to_pandas(date_as_object=False)
        places = pairs.assign(place=np.arange(len(pairs))).merge(wanted, on=["customer_id", "as_of"])["place"]
        matches.append(candidates.take(pa.array(np.sort(places.to_numpy(np.int64)))))
    rows = with_labels(histories, pa.concat_tables(matches), horizon_days=horizon_days)
    frame = mask_unknown_year(rows.to_pandas(date_as_object=False), first_day=histories.first_day)
    assignment = listed[["customer_id", "campaign", "treated", "propensity"]]
    return frame.merge(assignment, on="customer_id", validate="one_to_one").reset_index(drop=True), features


def _refuse_too_few(rows: pd.DataFrame, where: str, left_out: Mapping[str, int]) -> None:
    treated, churned = rows["treated"].to_numpy(bool), rows["churned"].to_numpy(bool)
    fewest = min(int((arm & outcome).sum()) for arm in (treated, ~treated) for outcome in (churned, ~churned))
    if fewest < MIN_OUTCOMES_PER_ARM:
        _refuse(where, left_out, more=ceil(max(len(rows), 4) * (MIN_OUTCOMES_PER_ARM / max(fewest, 1) - 1)), rows=rows)


def _refuse(where: str, left_out: Mapping[str, int], *, more: int, rows: pd.DataFrame | None = None) -> None:
    usable = "0 customers are usable"
    if rows is not None:
        treated, stayed = rows["treated"].to_numpy(bool), ~rows["churned"].to_numpy(bool)
        usable = (
            f"{len(rows):,} customers are usable: {int((treated & stayed).sum()):,} of {int(treated.sum()):,} treated "
            f"stayed, and {int((~treated & stayed).sum()):,} of {int((~treated).sum()):,} held out"
        )
    lost = "; ".join(f"{count:,} {reason}" for reason, count in left_out.items() if count)
    raise Refusal(
        f"{usable}; {MIN_OUTCOMES_PER_ARM} who stayed and {MIN_OUTCOMES_PER_ARM} who left are needed in each arm"
        f"{f' (left out: {lost})' if lost else ''}",
        where=where,
        next=f"Wait until about {more:,} more customers have been treated or held out at random and their horizon is "
        "over.",
    )
