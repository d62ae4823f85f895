"""What the log of treatments can teach of an offer: who was contacted by lot, what was known of him, what he did.

A row of an experiment is one customer, once: his first contact with the offer, or the first time he was held out from
it, in a campaign that did both, whose horizon has closed. A later one may have come of what the first did, and would
tell of its effect. His features are those of midnight before the contact; his outcomes are those of the labels. Wrong
where a campaign dates its held-out otherwise than its treated: their features would be of other days.
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
from features.snapshots.snapshot import chunks, columns_of
from models.uplift.experiment import Experiment
from pipelines.training.training_set import mask_unknown_year, training_features

MIN_OUTCOMES_PER_ARM = 50
"""Customers who stayed, and who did not, among the treated and among the held out: with fewer nothing is learnt."""


@dataclass(frozen=True)
class OfferTrial:
    """The experiment with one offer."""

    rows: pd.DataFrame
    """A customer a row: customer_id, as_of, the features and labels, campaign, treated and propensity."""
    features: list[str]
    campaigns: list[dict[str, Any]]
    """Those it is made of: campaign, customers, propensity, and where that is from."""
    left_out: dict[str, int]
    """Rows of the treatments that are not in it, by the reason."""

    def experiment(self, outcome: str, *, where: str) -> Experiment:
        """What came of it: "stayed" (1 or 0), or one of the labels."""
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
    rows of that campaign and offer. Raises Refusal where there are too few customers, with how many more it takes.
    """
    listed = treatments[treatments["offer"] == offer].sort_values("at", kind="stable")
    midnight = listed["at"].dt.tz_convert("UTC").dt.tz_localize(None).dt.floor("D").astype("datetime64[ms]")
    listed = listed.assign(as_of=midnight)
    share = listed.groupby("campaign")["treated"].transform("mean")
    designed = listed["campaign"].map({one: by for (one, of), by in planned.items() if of == offer}).astype(float)
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
    rows, features = _known(histories, listed, horizon_days=horizon_days)
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


def _known(histories: Histories, listed: pd.DataFrame, *, horizon_days: int) -> tuple[pd.DataFrame, list[str]]:
    """The listed with features and labels, in the order of the ids; and the names of the features."""
    days = sorted({day.date() for day in listed["as_of"]})
    features = training_features(columns_of(histories, as_of=days))
    ids, found = pa.array(listed["customer_id"].astype("str"), pa.string()), []
    asked = listed[["customer_id", "as_of"]]
    for table in chunks(histories, as_of=days, features=features):
        table = table.set_column(0, "customer_id", table["customer_id"].cast(pa.string()))
        some = table.filter(pc.is_in(table["customer_id"], value_set=ids))
        pairs = some.select(["customer_id", "as_of"]).to_pandas(date_as_object=False)
        places = pairs.assign(place=np.arange(len(pairs))).merge(asked, on=["customer_id", "as_of"])["place"]
        found.append(some.take(pa.array(np.sort(places.to_numpy(np.int64)))))
    rows = with_labels(histories, pa.concat_tables(found), horizon_days=horizon_days)
    frame = mask_unknown_year(rows.to_pandas(date_as_object=False), first_day=histories.first_day)
    lots = listed[["customer_id", "campaign", "treated", "propensity"]]
    return frame.merge(lots, on="customer_id", validate="one_to_one").reset_index(drop=True), features


def _refuse_too_few(rows: pd.DataFrame, where: str, left_out: Mapping[str, int]) -> None:
    treated, churned = rows["treated"].to_numpy(bool), rows["churned"].to_numpy(bool)
    fewest = min(int((arm & did).sum()) for arm in (treated, ~treated) for did in (churned, ~churned))
    if fewest < MIN_OUTCOMES_PER_ARM:
        _refuse(where, left_out, more=ceil(max(len(rows), 4) * (MIN_OUTCOMES_PER_ARM / max(fewest, 1) - 1)), rows=rows)


def _refuse(where: str, left_out: Mapping[str, int], *, more: int, rows: pd.DataFrame | None = None) -> None:
    have = "0 customers are usable"
    if rows is not None:
        treated, stayed = rows["treated"].to_numpy(bool), ~rows["churned"].to_numpy(bool)
        have = (
            f"{len(rows):,} customers are usable, of {int(treated.sum()):,} treated {int((treated & stayed).sum()):,} "
            f"stayed, of {int((~treated).sum()):,} held out {int((~treated & stayed).sum()):,}"
        )
    lost = "; ".join(f"{count:,} {reason}" for reason, count in left_out.items() if count)
    raise Refusal(
        f"{have}; {MIN_OUTCOMES_PER_ARM} who stayed and {MIN_OUTCOMES_PER_ARM} who left are needed of each"
        f"{f' (left out: {lost})' if lost else ''}",
        where=where,
        next=f"About {more:,} more customers, treated or held out at random, are needed, and their horizon over.",
    )
