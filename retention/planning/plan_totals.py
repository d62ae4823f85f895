"""Totals of a plan: cost and profit with an interval, break-even, and the value at risk it saves."""

from collections.abc import Sequence
from math import hypot, isfinite
from typing import Any

import numpy as np
import pandas as pd

from models.evaluation.estimate import Z90
from retention.economics import profit
from retention.economics.contact import incentive_costs
from retention.economics.individual_effects import effects_on_staying, has_individual_effects, relative_effect_sd
from retention.economics.offers import Offer
from retention.measurement.power import detectable_save_rate


def plan_totals(everyone: pd.DataFrame, chosen: pd.DataFrame, offers: Sequence[Offer]) -> dict[str, Any]:
    """The sums of a plan, ready for JSON (undefined is None); `offers` in it has those of each offer.

    everyone: as `economics.contact.contact_inputs` returns; chosen: rows of it with offer (its place), treated, cost
    and profit.

    save_rate is the mean of τ / p over the treated, each weighted by what keeping them would bring, p (v - d), and
    break_even_save_rate the rate at which the plan would earn nothing if it were the same with every offer. The
    offers' save rates are taken to err independently of each other. detectable_save_rate: the smallest that the
    readout will detect.
    """
    parts = [_offer_totals(chosen[chosen["offer"] == place], offer) for place, offer in enumerate(offers)]
    treated = chosen[chosen["treated"]]
    cost, earned = float(treated["cost"].sum()), float(treated["profit"].sum())
    spread = Z90 * hypot(*(part["sd"] for part in parts))
    at_risk = float(profit.value_at_risk(everyone).sum())
    won, kept = sum(part["won"] for part in parts), sum(part["kept"] for part in parts)
    one_rate = (
        offers[0].save_rate_mean if len(offers) == 1 and not has_individual_effects(everyone, offers[0]) else None
    )
    return {
        "expected_cost": cost,
        "expected_profit": earned,
        "profit_p10": earned - spread,
        "profit_p90": earned + spread,
        "return_on_cost": earned / cost if cost else None,
        "save_rate": _ratio(kept, won) if one_rate is None else one_rate,
        "break_even_save_rate": _ratio(kept - earned, won),
        "detectable_save_rate": _detectable(chosen),
        "value_at_risk": at_risk,
        "value_at_risk_after": at_risk - sum(part["saved"] for part in parts),
        "offers": [
            {"offer": offer.name, "channel": offer.channel, **{name: part[name] for name in OFFER_TOTALS}}
            for offer, part in zip(offers, parts, strict=True)
        ],
    }


OFFER_TOTALS = (
    *("chosen", "treated", "holdout", "expected_cost", "expected_profit", "profit_p10", "profit_p90"),
    *("save_rate", "break_even_save_rate", "detectable_save_rate"),
)
"""The totals reported for each offer."""


def _offer_totals(chosen: pd.DataFrame, offer: Offer) -> dict[str, Any]:
    """The totals of one offer, and the terms of the plan's totals: sd, won (Σ p (v - d), what keeping everyone would
    bring), kept (Σ τ (v - d), what is) and saved (value at risk).
    """
    treated = chosen[chosen["treated"]]
    p, v, d = treated["churn_probability"].to_numpy(), treated["clv"].to_numpy(), incentive_costs(treated, offer)
    added = effects_on_staying(treated, offer)
    earned, won, kept = float(treated["profit"].sum()), float(np.sum(p * (v - d))), float(np.sum(added * (v - d)))
    sd = profit.total_profit_sd(
        effect=added,
        effect_doubt=relative_effect_sd(offer),
        clv=v,
        clv_sd=treated["clv_sd"].to_numpy(),
        incentive_cost=d,
    )
    break_even = profit.break_even_save_rate(
        churn_probability=p,
        clv=v,
        redeem_rate=offer.redeem_rate,
        incentive_cost=d,
        contact_cost=offer.contact_cost,
    )
    return {
        "chosen": len(chosen),
        "treated": len(treated),
        "holdout": len(chosen) - len(treated),
        "expected_cost": float(treated["cost"].sum()),
        "expected_profit": earned,
        "profit_p10": earned - Z90 * sd,
        "profit_p90": earned + Z90 * sd,
        "save_rate": _ratio(kept, won) if has_individual_effects(chosen, offer) else offer.save_rate_mean,
        "break_even_save_rate": break_even if isfinite(break_even) else None,
        "detectable_save_rate": _detectable(chosen),
        "sd": sd,
        "won": won,
        "kept": kept,
        "saved": float(np.sum(added * v)),
    }


def _detectable(chosen: pd.DataFrame) -> float | None:
    """The smallest save rate the holdout can detect; None without a holdout, or where it would be above 1."""
    treated = int(chosen["treated"].sum())
    holdout = len(chosen) - treated
    if not (treated and holdout):
        return None
    rate = detectable_save_rate(chosen["churn_probability"].to_numpy(), treated=treated, holdout=holdout)
    return rate if rate <= 1 else None


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None
