"""Totals of a plan: cost and profit with an interval, break-even, and the value at risk it saves."""

from collections.abc import Sequence
from dataclasses import asdict
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd

from models.keeping.worth_factor import PRIOR, WorthFactor
from retention.economics import profit
from retention.economics.contact import incentive_costs, profit_parts
from retention.economics.individual_effects import has_individual_effects
from retention.economics.offers import Offer
from retention.economics.profit_interval import interval
from retention.planning.readout_outlook import readout_outlook


def plan_totals(
    everyone: pd.DataFrame, chosen: pd.DataFrame, offers: Sequence[Offer], *, worth: WorthFactor = PRIOR
) -> dict[str, Any]:
    """The sums of a plan, ready for JSON (undefined is None); `offers` in it has those of each offer.

    everyone: as `economics.contact.contact_inputs` returns; chosen: rows of it with offer (its place), treated, cost
    and profit.

    save_rate is the mean of τ / q over the treated, each weighted by what keeping them would bring, g - q d, and
    break_even_save_rate the rate at which the plan would earn nothing if it were the same with every offer. The
    interval is that of retention/economics/profit_interval.py, gain_doubt the 80 % range of its factor of gains, and
    worth_factor what readouts so far say of that. What the readout will show: retention/planning/readout_outlook.py.
    savable: customers among the treated who can be saved, expected. value_at_risk: Σ g of all customers.
    """
    parts = [_offer_totals(chosen[chosen["offer"] == place], offer, worth) for place, offer in enumerate(offers)]
    treated = chosen[chosen["treated"]]
    cost, earned = float(treated["cost"].sum()), float(treated["profit"].sum())
    gross_sums, incentive_sums, fixed_sums = (np.array([[part[name] for part in parts]]) for name in SUMS)
    low, high = interval(gross_sums, incentive_sums, fixed_sums, offers, worth=worth)
    at_risk = float(profit.value_at_risk(everyone).sum())
    won, gross, incentives = (sum(part[name] for part in parts) for name in ("won", "gross", "incentives"))
    one_rate = (
        offers[0].save_rate_mean if len(offers) == 1 and not has_individual_effects(everyone, offers[0]) else None
    )
    save_rate = _ratio(gross - incentives, won) if one_rate is None else one_rate
    return {
        "expected_cost": cost,
        "expected_profit": earned,
        "profit_p10": float(low[0]),
        "profit_p90": float(high[0]),
        "return_on_cost": earned / cost if cost else None,
        "save_rate": save_rate,
        "break_even_save_rate": _ratio(gross - incentives - earned, won),
        **readout_outlook(chosen, save_rate=save_rate),
        "savable": float(treated["savable"].sum()),
        "gain_doubt": list(worth.doubt),
        "worth_factor": asdict(worth) | {"times_scored": worth.times_scored},
        "value_at_risk": at_risk,
        "value_at_risk_after": at_risk - gross,
        "offers": [
            {"offer": offer.name, "channel": offer.channel, **{name: part[name] for name in OFFER_TOTALS}}
            for offer, part in zip(offers, parts, strict=True)
        ],
    }


SUMS = ("gross", "incentives", "fixed")
OFFER_TOTALS = (
    *("chosen", "treated", "holdout", "expected_cost", "expected_profit", "profit_p10", "profit_p90"),
    *("save_rate", "break_even_save_rate", "detectable_save_rate"),
)
"""The totals reported for each offer."""


def _offer_totals(chosen: pd.DataFrame, offer: Offer, worth: WorthFactor) -> dict[str, Any]:
    """The totals of one offer, and the terms of the plan's totals: won (Σ g - q d, what keeping everyone who can be
    saved would bring), and what the kept add, their incentives, and what is spent in any case.
    """
    treated = chosen[chosen["treated"]]
    p, q, g, d = (
        *(treated[name].to_numpy() for name in ("churn_probability", "savable", "gain")),
        incentive_costs(treated, offer),
    )
    gross, incentives, fixed = (float(part.sum()) for part in profit_parts(treated, offer))
    gross_sum, incentive_sum, fixed_sum = (np.array([[part]]) for part in (gross, incentives, fixed))
    low, high = interval(gross_sum, incentive_sum, fixed_sum, [offer], worth=worth)
    won = float(np.sum(g - q * d))
    break_even = profit.break_even_save_rate(
        churn_probability=p,
        savable=q,
        gain=g,
        redeem_rate=offer.redeem_rate,
        incentive_cost=d,
        contact_cost=offer.contact_cost,
    )
    save_rate = _ratio(gross - incentives, won) if has_individual_effects(chosen, offer) else offer.save_rate_mean
    return {
        "chosen": len(chosen),
        "treated": len(treated),
        "holdout": len(chosen) - len(treated),
        "expected_cost": float(treated["cost"].sum()),
        "expected_profit": float(treated["profit"].sum()),
        "profit_p10": float(low[0]),
        "profit_p90": float(high[0]),
        "save_rate": save_rate,
        "break_even_save_rate": break_even if isfinite(break_even) else None,
        **readout_outlook(chosen, save_rate=save_rate),
        "won": won,
        "gross": gross,
        "incentives": incentives,
        "fixed": fixed,
    }


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None
