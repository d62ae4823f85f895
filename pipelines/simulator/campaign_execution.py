"""Execution of a plan by the simulated shop: the offer of each treated customer, and the treatments table."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import InputError
from pipelines.simulator import parameters
from pipelines.simulator.contact_response import ContactResponse
from pipelines.simulator.customers import Customers
from pipelines.simulator.shop_tables import ID_DIGITS, customer_ids, timestamps

OFFER_NAMES = [offer.name for offer in parameters.OFFERS]


def treated_offers(chosen: pd.DataFrame, *, customers: int, where: str) -> dict[int, int]:
    """Place of the offer by number of the treated customer; raises InputError for unknown offers and customers."""
    strange = chosen[~chosen["offer"].isin(OFFER_NAMES)]
    known = chosen["customer_id"].astype("str").str.fullmatch(rf"\d{{{ID_DIGITS}}}")
    number = pd.to_numeric(chosen["customer_id"].where(known, "-1")).astype(int)
    unknown = chosen[(number < 0) | (number >= customers)]
    for rows, column, noun in ((strange, "offer", "an offer"), (unknown, "customer_id", "a customer")):
        if len(rows):
            raise InputError(
                f"{len(rows):,} of {len(chosen):,} rows name {noun} that the shop does not have, "
                f"first '{rows[column].iloc[0]}'",
                where=where,
                next=f"Its offers are {', '.join(OFFER_NAMES)}; its customers {0:0{ID_DIGITS}d} to "
                f"{customers - 1:0{ID_DIGITS}d}.",
            )
    treated = chosen["treated"].to_numpy(bool)
    places = chosen.loc[treated, "offer"].map(OFFER_NAMES.index)
    return dict(zip(number[treated].tolist(), places.tolist(), strict=True))


def treatment_rows(
    customers: Customers, done: ContactResponse, chosen: pd.DataFrame, *, campaign: str, day: float
) -> pa.Table:
    """The treatments table of these customers: the contacts with their final costs, and the holdout."""
    place = pc.index_in(pa.array(chosen["customer_id"].astype("str"), pa.string()), customer_ids(customers))
    planned = chosen.assign(customer=place.to_pandas().to_numpy()).dropna(subset="customer")
    customer, treated = planned["customer"].to_numpy(np.int64), planned["treated"].to_numpy(bool)
    return pa.table(
        {
            "customer_id": customer_ids(customers).take(pa.array(customer)),
            "at": timestamps(np.full(len(planned), float(day))),
            "campaign": pa.array([campaign] * len(planned), pa.string()),
            "offer": pa.array(planned["offer"].astype("str"), pa.string()),
            "treated": pa.array(treated),
            "cost": pa.array(done.cost[customer].round(2), mask=~treated),
        }
    )
