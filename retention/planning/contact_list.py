"""The plan as people read it: whom to contact, how, and why in words."""

from collections.abc import Mapping

import pandas as pd

from models.prediction import REASONS

KNOWN_BEFORE = ("churn_probability", "expected_orders", "expected_value", "clv")
"""What the readout is adjusted for, of the scores that a campaign was planned with."""


def with_scores(frame: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """The plan with what was known of each customer when it was made."""
    return frame.merge(
        scores[["customer_id", *KNOWN_BEFORE, "segment"]], on="customer_id", how="left", validate="one_to_one"
    )


def contact_list(
    frame: pd.DataFrame, scores: pd.DataFrame | None, channels: Mapping[str, str | None], *, currency: str
) -> pd.DataFrame:
    """The plan's columns, then do (contact, or leave alone), channel, segment and why, in words.

    channels: of each offer. scores: those the plan was made with; None: they are gone, and so are segment and why.
    """
    named = frame["offer"].map({offer: channel or "" for offer, channel in channels.items()})
    made = frame.assign(
        do=frame["treated"].map({True: "contact", False: "leave alone: held out to measure the effect"}).astype("str"),
        channel=named.astype("str"),
    )
    if scores is None:
        return made
    known = ["customer_id", "segment", "churn_probability", "clv", "horizon_days", *REASONS]
    told = frame[["customer_id"]].merge(scores[known], on="customer_id", how="left", validate="one_to_one")
    reasons = told[list(REASONS)].fillna("").astype("str")
    why = [
        "; ".join([f"{p:.0%} likely to leave within {days} days", f"worth {clv:,.0f} {currency}", *filter(None, said)])
        for p, clv, days, said in zip(
            told["churn_probability"], told["clv"], told["horizon_days"], reasons.to_numpy(), strict=True
        )
    ]
    return made.assign(segment=told["segment"].to_numpy(), why=pd.Series(why, index=frame.index, dtype="str"))
