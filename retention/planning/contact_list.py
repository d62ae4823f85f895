"""The contact list: the plan as people read it, with channel, segment and reasons in words."""

from collections.abc import Mapping

import pandas as pd

from models.prediction import REASONS

KNOWN_BEFORE = ("churn_probability", "expected_orders", "expected_value", "clv")
"""The scores of the plan that the readout is adjusted for."""
SAVABLE, GAIN = "savable_probability", "gain"
"""The scores of the plan by which the readout tells the save rate and the lifetime gain."""


def with_scores(frame: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """The plan with the scores and segment of each customer that it was made with."""
    columns = ["customer_id", *KNOWN_BEFORE, SAVABLE, "segment"]
    return frame.merge(scores[columns], on="customer_id", how="left", validate="one_to_one")


def kept_worth(customers: pd.DataFrame) -> pd.Series:
    """What keeping each customer adds if they need it: gain ÷ savable_probability, 0 where nobody can be saved."""
    savable = customers[SAVABLE]
    return (customers[GAIN] / savable.where(savable > 0)).fillna(0.0)


def contact_list(
    frame: pd.DataFrame, scores: pd.DataFrame | None, channels: Mapping[str, str | None], *, currency: str
) -> pd.DataFrame:
    """The plan's columns, then do (contact, or leave alone), channel, segment and why, in words.

    channels: of each offer. scores: those of the plan; None: they are gone, and segment and why are left out.
    """
    channel = frame["offer"].map({offer: name or "" for offer, name in channels.items()})
    listed = frame.assign(
        do=frame["treated"].map({True: "contact", False: "leave alone: held out to measure the effect"}).astype("str"),
        channel=channel.astype("str"),
    )
    if scores is None:
        return listed
    columns = ["customer_id", "segment", "churn_probability", "clv", "horizon_days", *REASONS]
    scored = frame[["customer_id"]].merge(scores[columns], on="customer_id", how="left", validate="one_to_one")
    reasons = scored[list(REASONS)].fillna("").astype("str")
    why = [
        "; ".join(
            [
                f"{p:.0%} likely to leave within {days} days",
                f"worth {clv:,.0f} {currency}",
                *filter(None, sentences),
            ]
        )
        for p, clv, days, sentences in zip(
            scored["churn_probability"], scored["clv"], scored["horizon_days"], reasons.to_numpy(), strict=True
        )
    ]
    return listed.assign(segment=scored["segment"].to_numpy(), why=pd.Series(why, index=frame.index, dtype="str"))
