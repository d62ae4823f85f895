"""Expected cost and profit of a contact with an offer, for every scored customer."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from features.arrays import Floats
from features.errors import InputError
from models.keeping.worth_factor import PRIOR, WorthFactor
from retention.economics import profit
from retention.economics.individual_effects import effects_on_staying, with_effects
from retention.economics.offers import Offer

ROUNDING = 1e-9
SCORE_COLUMNS = ["churn_probability", "savable_probability", "gain", "expected_value", "clv"]
ORDERS = "expected_orders"
"""The further column that is read where an offer pays a share of an order."""


def contact_inputs(
    scores: pd.DataFrame,
    offers: Sequence[Offer],
    effects: pd.DataFrame | None = None,
    *,
    worth: WorthFactor = PRIOR,
) -> pd.DataFrame:
    """A row per customer, in the order of the ids: customer_id, churn_probability, savable, scored_gain, gain, which is
    the scored one as readouts correct it, clv, kept_worth, what one saved customer adds (gain ÷ savable), order_margin,
    the margin of one expected order where an offer pays a share of it (money in currency units), and the individual
    effect of each offer that has one (retention/economics/individual_effects.py).

    worth: what readouts so far say of gains.
    """
    numbers = [*SCORE_COLUMNS, *([ORDERS] if any(offer.incentive_share is not None for offer in offers) else [])]
    _check(scores, numbers)
    scores = scores[["customer_id", *numbers]].astype({"customer_id": "str"} | dict.fromkeys(numbers, float))
    scores = scores.sort_values("customer_id", ignore_index=True)
    savable = scores["savable_probability"].to_numpy()
    gain = scores["gain"].to_numpy() * worth.times_scored
    columns = {
        "customer_id": scores["customer_id"],
        "churn_probability": scores["churn_probability"],
        "savable": savable,
        "scored_gain": scores["gain"],
        "gain": gain,
        "kept_worth": np.divide(gain, savable, out=np.zeros(len(scores)), where=savable > 0),
        "clv": scores["clv"],
    }
    if ORDERS in numbers:
        columns["order_margin"] = order_margins(scores)
    everyone = pd.DataFrame(columns)
    return everyone if effects is None else with_effects(everyone, effects, offers)


def order_margins(scores: pd.DataFrame) -> Floats:
    """The margin of one expected order of each row of scores, currency units; 0 where none is expected."""
    orders, margin = scores[ORDERS].to_numpy(float), np.maximum(scores["expected_value"].to_numpy(float), 0)
    return np.divide(margin, orders, out=np.zeros(len(scores)), where=orders > 0)


def incentive_costs(customers: pd.DataFrame, offer: Offer) -> Floats:
    """The incentive that the offer pays each customer who redeems it, in currency units."""
    if offer.incentive_share is not None:
        return offer.incentive_share * customers["order_margin"].to_numpy()
    return np.full(len(customers), float(offer.incentive_cost or 0))


def expected_costs(customers: pd.DataFrame, offer: Offer) -> Floats:
    """Expected cost of contacting each customer with the offer, currency units."""
    return profit.expected_cost(
        churn_probability=customers["churn_probability"].to_numpy(),
        effect=effects_on_staying(customers, offer),
        redeem_rate=offer.redeem_rate,
        incentive_cost=incentive_costs(customers, offer),
        contact_cost=offer.contact_cost,
    )


def expected_profits(customers: pd.DataFrame, offer: Offer) -> Floats:
    """Expected profit of contacting each customer with the offer, net of cost, currency units."""
    return profit.expected_profit(
        churn_probability=customers["churn_probability"].to_numpy(),
        kept_worth=customers["kept_worth"].to_numpy(),
        clv=customers["clv"].to_numpy(),
        effect=effects_on_staying(customers, offer),
        redeem_rate=offer.redeem_rate,
        incentive_cost=incentive_costs(customers, offer),
        contact_cost=offer.contact_cost,
    )


def profit_parts(customers: pd.DataFrame, offer: Offer) -> tuple[Floats, Floats, Floats]:
    """What each customer's expected profit consists of: what the kept add, their incentives, and what is spent in any
    case (retention/economics/profit_interval.py); the first less the others is `expected_profits`."""
    kept = np.maximum(effects_on_staying(customers, offer), 0)
    gross, incentives = kept * customers["kept_worth"].to_numpy(), kept * incentive_costs(customers, offer)
    return gross, incentives, gross - incentives - expected_profits(customers, offer)


def _check(scores: pd.DataFrame, numbers: list[str]) -> None:
    """Raise InputError for scores that would make a total wrong, with the number of rows of each defect."""
    if missing := [name for name in ["customer_id", *numbers] if name not in scores.columns]:
        raise InputError(
            f"missing {', '.join(missing)}; found {', '.join(map(str, scores.columns)) or 'no columns'}",
            where="scores",
            next="Score again: use what `stayworth score` writes.",
        )
    ids, p, q = (scores[name] for name in ("customer_id", "churn_probability", "savable_probability"))
    defects = {
        "without a customer_id": ids.isna(),
        "with the customer_id of an earlier row": ids.duplicated() & ids.notna(),
        "with a missing or infinite number": ~np.isfinite(scores[numbers].astype(float)).all(axis=1),
        "with a churn_probability outside 0 to 1": (p < 0) | (p > 1),
        "with a savable_probability outside 0 to churn_probability": (q < 0) | (q > p * (1 + ROUNDING)),
    }
    if counts := [f"{int(rows.sum()):,} {defect}" for defect, rows in defects.items() if rows.any()]:
        raise InputError(
            f"of {len(scores):,} rows {', '.join(counts)}",
            where="scores",
            next="Score again: a plan needs one complete row per customer.",
        )
