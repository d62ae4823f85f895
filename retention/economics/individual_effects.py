"""Individual effects: what an offer adds to each customer's probability of staying, learned from an experiment."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from features.arrays import Floats
from features.errors import InputError
from retention.economics.offers import Offer

EFFECT_COLUMN_PREFIX = "effect of "
"""The column of an offer's effects among the customers is this and the offer's name."""


def has_individual_effects(customers: pd.DataFrame, offer: Offer) -> bool:
    """True if the offer's effect is known customer by customer."""
    return EFFECT_COLUMN_PREFIX + offer.name in customers


def effects_on_staying(customers: pd.DataFrame, offer: Offer) -> Floats:
    """Effect of a contact on each customer's probability of staying: the individual effect, else q s."""
    if has_individual_effects(customers, offer):
        return customers[EFFECT_COLUMN_PREFIX + offer.name].to_numpy()
    return customers["savable"].to_numpy() * offer.save_rate_mean


def with_effects(everyone: pd.DataFrame, effects: pd.DataFrame, offers: Sequence[Offer]) -> pd.DataFrame:
    """The customers with a column for each offer that has one among the effects, in -(1 - p) … q.

    effects: customer_id, and per offer -1 … 1. An effect cannot keep more than can be saved, nor drive away more than
    would stay: it is clipped to that. Raises InputError for customers without an effect, unknown offers and values
    that are no effects.
    """
    names = [str(name) for name in effects.columns if name != "customer_id"]
    _check(everyone, effects, names, offers)
    known = effects.astype({"customer_id": "str"}).set_index("customer_id")[names].reindex(everyone["customer_id"])
    p, savable = everyone["churn_probability"].to_numpy(), everyone["savable"].to_numpy()
    columns = {EFFECT_COLUMN_PREFIX + name: np.clip(known[name].to_numpy(float), p - 1, savable) for name in names}
    return everyone.assign(**columns)


def _check(everyone: pd.DataFrame, effects: pd.DataFrame, names: list[str], offers: Sequence[Offer]) -> None:
    known = [offer.name for offer in offers]
    if unknown := [name for name in names if name not in known]:
        raise InputError(
            f"effects of {', '.join(map(repr, unknown))}; the offers are {', '.join(known)}",
            where="effects",
            next="Give a column for each offer of the plan, by its name.",
        )
    if "customer_id" not in effects:
        raise InputError("there is no customer_id", where="effects", next="Give a row per customer, with customer_id.")
    ids, numbers = effects["customer_id"].astype("str"), effects[names].astype(float)
    defects = {
        "with the customer_id of an earlier row": ids.duplicated(),
        "with a missing effect, or one outside -1 to 1": ~((numbers >= -1) & (numbers <= 1)).all(axis=1),
    }
    problems = [
        f"{int(rows.sum()):,} of {len(effects):,} rows {defect}" for defect, rows in defects.items() if rows.any()
    ]
    if without := int((~everyone["customer_id"].isin(ids)).sum()):
        problems.append(f"{without:,} of {len(everyone):,} scored customers without a row")
    if problems:
        raise InputError(
            ", ".join(problems),
            where="effects",
            next="Give one row of effects for every scored customer; if the log changed since, score again.",
        )
