"""A campaign without a plan, as the table `treatments` has it: one that ran before Stayworth, or beside it.

Nothing says who was drawn how, so that its arms are those booked. They are comparable only where the held-out were
drawn at random; that the table cannot show.
"""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.errors import InputError, Refusal
from features.histories.columns import Histories
from features.snapshots.labels import orders_and_margin
from pipelines.campaigns.campaign import Campaign
from retention.presentation.formatting import counted

OFFER_PREFIX = "offer: "
"""The column of an offer, 1 for its customers, is this and the offer's name."""
ARMS_NEXT = (
    "A comparison needs customers who were held out at random: book them in the table too, with treated = false and "
    "the offer they would have got."
)
COST_UNKNOWN = "as booked, or else 0"


def is_booked(treatments: pd.DataFrame | None, name: str | None) -> bool:
    """True if the treatments have rows of a campaign with this name."""
    return treatments is not None and "campaign" in treatments and bool((treatments["campaign"] == name).any())


def booked_campaign(
    treatments: pd.DataFrame, name: str, *, day: date | None, until: date | None, horizon_days: int
) -> Campaign:
    """The campaign of this name, from its rows in `[day, until)`.

    treatments: as `pipelines.campaigns.treatments.read_treatments` has them. day: None: that of its first row. until:
    None: `horizon_days` after `day`. A customer with a row that says treated was treated, and has the offer and day of
    the first such row. `chosen` has customer_id, offer, treated and cost (currency units; NaN where not all was
    booked). Raises Refusal where nobody was held out, or nobody treated, and InputError where no row is in the window.
    """
    rows = treatments[treatments["campaign"] == name]
    days = rows["at"].dt.tz_convert("UTC").dt.date
    begin = day or min(days)
    end = until or begin + timedelta(days=horizon_days)
    inside = rows[((days >= begin) & (days < end)).to_numpy()]
    if inside.empty:
        raise InputError(
            f"none of its {len(rows):,} rows in the table of treatments is from {begin} to before {end}; they are from "
            f"{min(days)} to {max(days)}",
            where=f"campaign '{name}'",
            next="Name the day it began: --day.",
        )
    first = inside.sort_values(["treated", "at"], ascending=[False, True], kind="stable")
    chosen = first.drop_duplicates("customer_id")[["customer_id", "offer", "treated"]]
    spent = inside[inside["treated"]].groupby("customer_id")["cost"].sum(skipna=False)
    cost = chosen["customer_id"].map(spent).where(chosen["treated"], 0.0)
    chosen = chosen.assign(treated=chosen["treated"].astype(bool), cost=cost)
    _refuse_empty_arm(chosen, name)
    return Campaign(name, begin, chosen.sort_values("customer_id", ignore_index=True), None, {})


def known_customers(campaign: Campaign, histories: Histories) -> pd.DataFrame:
    """The chosen customers with an order before the campaign, with a column for each offer of several.

    Others cannot be compared: those of them who never ordered are not in the log. Raises InputError where there is
    nobody left.
    """
    listed = campaign.chosen[campaign.chosen["customer_id"].isin(histories.customer_ids.to_pandas())]
    ids = pa.array(listed["customer_id"].astype("str"), pa.string())
    rows = pa.table({"customer_id": ids, "as_of": pa.array([campaign.day] * len(ids), pa.date32())})
    since = (campaign.day - histories.first_day).days
    orders = orders_and_margin(histories, rows, from_days=-max(since, 0), to_days=0)[0] if len(ids) else np.zeros(0)
    known = listed[orders > 0].reset_index(drop=True)
    if known.empty:
        raise InputError(
            f"none of its {len(campaign.chosen):,} customers has an order before {campaign.day}",
            where=f"campaign '{campaign.name}'",
            next="Is the table of treatments that of another shop, or does it write customer_id in another way than "
            "the orders?",
        )
    offers = sorted(known["offer"].unique())
    return known.assign(**{OFFER_PREFIX + name: (known["offer"] == name).astype(float) for name in offers[1:]})


def booked_costs(known: pd.DataFrame, campaign: Campaign) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The customers with a cost for each, 0 where it was not booked, and what a reader should know of the contacts."""
    unbooked, left_out = int(known["cost"].isna().sum()), len(campaign.chosen) - len(known)
    notes = ["no plan was kept, so the arms are those booked; that the held-out were drawn at random is not checked"]
    if unbooked:
        notes.append(f"the cost of {counted(unbooked, 'contact')} was not booked and counts as 0")
    if left_out:
        notes.append(f"{counted(left_out, 'booked customer')} without an order before the campaign left out")
    about = {"cost": COST_UNKNOWN if unbooked else "as booked", "note": "; ".join(notes)}
    return known.assign(cost=known["cost"].fillna(0.0)), about


def no_save_rate(campaign: Campaign) -> str:
    """A sentence about the save rate that is not told, and the scores that it takes."""
    return (
        f"The save rate cannot be told: it is a share of the customers who could be saved on {campaign.day}, and that "
        f"takes scores of that day. Make them in a file of their own (stayworth score --as-of {campaign.day} -o FILE) "
        "and read out again with --scores FILE; then score today again."
    )


def _refuse_empty_arm(chosen: pd.DataFrame, name: str) -> None:
    treated = int(chosen["treated"].sum())
    if treated in (0, len(chosen)):
        arms = "all were contacted and nobody was held out" if treated else "all were held out and nobody was contacted"
        raise Refusal(
            f"of {counted(len(chosen), 'customer')} in the table of treatments {arms}, so there is nothing to compare "
            "with",
            where=f"campaign '{name}'",
            next=ARMS_NEXT,
        )
