"""The constraints of a plan: its budget, its limits on contacts, and the customers it must not contact."""

from collections.abc import Collection, Mapping, Sequence
from math import isfinite

import numpy as np
import pandas as pd

from features.errors import InputError
from retention.economics.offers import Offer
from retention.presentation.formatting import counted


def check_limits(
    offers: Sequence[Offer], *, budget: float, capacity: int | None, holdout_share: float, campaign: str
) -> None:
    """Raise InputError for impossible limits, and for offers without a name of their own."""
    names = [offer.name for offer in offers]
    if not offers or len(set(names)) < len(names):
        raise InputError(
            f"one or more offers of different names are expected, found {', '.join(names) or 'none'}",
            where="plan",
            next="Name each offer of the config once.",
        )
    if not (isfinite(budget) and budget > 0):
        raise InputError(
            f"a budget above 0 is expected, found {budget}",
            where="plan",
            next="Give what the campaign may spend, in currency units: --budget 2000.",
        )
    if capacity is not None and capacity < 1:
        raise InputError(
            f"a capacity of at least 1 is expected, found {capacity}",
            where="plan",
            next="Give the highest number of contacts, or leave --capacity out where there is no limit.",
        )
    if not 0 <= holdout_share <= 0.5:
        raise InputError(
            f"a holdout share from 0 to 0.5 is expected, found {holdout_share}",
            where="plan",
            next="0.1 holds out one chosen customer in ten; with 0 the effect cannot be measured.",
        )
    if not campaign:
        raise InputError(
            "the campaign has no name",
            where="plan",
            next="Name it: the name decides who is held out, and the readout finds the campaign by it.",
        )


def channel_limits(offers: Sequence[Offer], capacities: Mapping[str, int]) -> tuple[list[int], list[int | None]]:
    """The place of each offer's channel, and the most contacts of each channel, None without limit.

    An offer without a channel has one of its own. Raises InputError for a capacity below 1, or of a channel
    that no offer has.
    """
    keys = [(offer.channel, "" if offer.channel else offer.name) for offer in offers]
    distinct = list(dict.fromkeys(keys))
    known = sorted(channel for channel, _ in distinct if channel)
    for channel, limit in capacities.items():
        if channel not in known:
            raise InputError(
                f"the channel '{channel}' has a capacity, but no offer uses it; the offers' channels: "
                f"{', '.join(known) or 'none'}",
                where="plan",
                next="Give an offer that channel, or remove the capacity.",
            )
        if limit < 1:
            raise InputError(
                f"a capacity of at least 1 is expected for the channel '{channel}', found {limit}",
                where="plan",
                next="To leave a channel out, leave its offers out: name the others with --offer.",
            )
    return [distinct.index(key) for key in keys], [capacities.get(channel or "") for channel, _ in distinct]


def contactable_customers(
    everyone: pd.DataFrame, excluded: Mapping[str, Collection[str]]
) -> tuple[pd.DataFrame, dict[str, dict[str, int]]]:
    """The customers who may be contacted; and by reason, how many may not and how many of its ids are unknown."""
    exclusions, remain = {}, np.ones(len(everyone), dtype=bool)
    for reason, ids in excluded.items():
        named = everyone["customer_id"].isin(set(ids)).to_numpy()
        exclusions[reason] = {"customers": int(named.sum()), "unknown": len(set(ids)) - int(named.sum())}
        remain &= ~named
    if len(everyone) and not remain.any():
        counts = ", ".join(f"{exclusion['customers']:,} {reason}" for reason, exclusion in exclusions.items())
        raise InputError(
            f"nobody may be contacted: of {counted(len(everyone), 'customer')}, {counts}",
            where="plan",
            next="Look at [plan] in the config: do_not_contact and quiet_days.",
        )
    return everyone[remain], exclusions
