"""The share of a plan's customers to hold out, by what the readout is worth to later campaigns."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from models.keeping.worth_factor import PRIOR, WorthFactor
from retention.economics.contact import contact_inputs, profit_parts
from retention.economics.individual_effects import effects_on_staying
from retention.economics.offers import Offer
from retention.measurement.holdout_value import HoldoutValue, best_holdout
from retention.measurement.power import stay_spread
from retention.planning.retention_plan import plan


def choose_holdout(
    scores: pd.DataFrame,
    offers: Sequence[Offer],
    *,
    effects: pd.DataFrame | None = None,
    worth: WorthFactor = PRIOR,
    later_campaigns: int,
    **limits: Any,
) -> HoldoutValue:
    """The share whose readout is worth most to so many later campaigns like this one, less what it forgoes.

    scores, offers, effects, worth and limits: as `retention_plan.plan` takes them, but for holdout_share.
    """
    frame = plan(scores, offers, effects=effects, worth=worth, holdout_share=0.0, **limits).frame
    everyone = contact_inputs(scores, offers, effects, worth=worth).set_index("customer_id", drop=False)
    lists = [everyone.loc[frame.loc[frame["offer"] == offer.name, "customer_id"]] for offer in offers]
    gains, doubts, fixed, kept = np.zeros(len(offers)), np.zeros(len(offers)), 0.0, 0.0
    for place, (customers, offer) in enumerate(zip(lists, offers, strict=True)):
        gross, incentives, spent = (float(part.sum()) for part in profit_parts(customers, offer))
        gains[place], doubts[place] = gross - incentives, _doubt(offer)
        fixed += spent
        kept += float(np.maximum(effects_on_staying(customers, offer), 0).sum())
    gain = float(gains.sum())
    return best_holdout(
        gain=gain,
        fixed=fixed,
        effect=kept / max(len(frame), 1),
        spread=stay_spread(pd.concat(lists)["churn_probability"].to_numpy()) if len(frame) else 0.0,
        doubt=float(np.sqrt(((gains * doubts) ** 2).sum()) / gain) if gain > 0 else 0.0,
        customers=len(frame),
        campaigns=later_campaigns,
    )


def _doubt(offer: Offer) -> float:
    """Standard deviation of the save rate ÷ its mean: √(β / (α (α + β + 1))) of a Beta belief."""
    belief = offer.save_rate_belief
    if belief is None:
        return 0.0
    return float(np.sqrt(belief.beta / (belief.alpha * (belief.alpha + belief.beta + 1))))
