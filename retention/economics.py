"""What a contact with one offer would cost and earn, for every scored customer."""

import numpy as np
import pandas as pd

from features.errors import InputError
from retention import profit
from retention.offers import Offer

NUMBERS = ["churn_probability", "expected_value", "value_p10", "value_p90", "clv"]


def economics(scores: pd.DataFrame, offer: Offer) -> pd.DataFrame:
    """A row per customer, in the order of the ids: customer_id, churn_probability, clv, clv_sd, and the expected
    cost and profit of contacting that one, with profit_sd; money in currency units.
    """
    _check(scores)
    scores = scores[["customer_id", *NUMBERS]].astype({"customer_id": "str"} | dict.fromkeys(NUMBERS, float))
    scores = scores.sort_values("customer_id", ignore_index=True)
    p, value, p10, p90, v = (scores[name].to_numpy() for name in NUMBERS)
    sd = profit.clv_sd(clv=v, expected_value=value, value_p10=p10, value_p90=p90)
    rates = {"save_rate": offer.save_rate_mean, "redeem_rate": offer.redeem_rate}
    costs = {"incentive_cost": offer.incentive_cost, "contact_cost": offer.contact_cost}
    return pd.DataFrame(
        {
            "customer_id": scores["customer_id"],
            "churn_probability": p,
            "clv": v,
            "clv_sd": sd,
            "cost": profit.expected_cost(churn_probability=p, **rates, **costs),
            "profit": profit.expected_profit(churn_probability=p, clv=v, **rates, **costs),
            "profit_sd": profit.profit_sd(
                churn_probability=p,
                clv=v,
                clv_sd=sd,
                save_rate=offer.save_rate_mean,
                save_rate_sd=offer.save_rate_sd,
                incentive_cost=offer.incentive_cost,
            ),
        }
    )


def _check(scores: pd.DataFrame) -> None:
    """Refuse scores that would make a total wrong: what is wrong, and in how many rows."""
    if missing := [name for name in ["customer_id", *NUMBERS] if name not in scores.columns]:
        raise InputError(
            f"missing {', '.join(missing)}; found {', '.join(map(str, scores.columns)) or 'no columns'}",
            where="scores",
            next="Hand in what `stayworth score` wrote.",
        )
    ids, p = scores["customer_id"], scores["churn_probability"]
    wrong = {
        "without a customer_id": ids.isna(),
        "with the customer_id of an earlier row": ids.duplicated() & ids.notna(),
        "with a missing or infinite number": ~np.isfinite(scores[NUMBERS].astype(float)).all(axis=1),
        "with a churn_probability outside 0 to 1": (p < 0) | (p > 1),
        "with value_p10 above value_p90": scores["value_p10"] > scores["value_p90"],
    }
    if found := [f"{int(rows.sum()):,} {what}" for what, rows in wrong.items() if rows.any()]:
        raise InputError(
            f"of {len(scores):,} rows {', '.join(found)}",
            where="scores",
            next="Score again: a plan needs one complete row per customer.",
        )
