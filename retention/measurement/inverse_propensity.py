"""Inverse-propensity weights: the customer base as it would be without our campaigns, which the held-out represent.

Contacted customers are left out, and each held-out customer counts for all whom the campaign chose, 1 / share held out:
inverse-probability weights (Horvitz & Thompson 1952, JASA 47), of several campaigns their product (Robins, Hernán &
Brumback 2000, Marginal Structural Models, Epidemiology 11). Merely leaving the contacted out would not do: they were
chosen because they looked like leaving, and the rest looks better than all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.arrays import Floats


@dataclass(frozen=True)
class InversePropensityWeights:
    """Weights by which some customers represent all of them, as they would be without our campaigns."""

    weights: Floats
    """How many customers each represents: 0 if contacted, above 1 if held out; they sum to the customers chosen or not,
    but for campaigns without holdout."""
    treated: NDArray[np.bool_]
    held_out: NDArray[np.bool_]
    """And not contacted by another campaign."""
    alone: dict[str, int]
    """Campaigns without a holdout among these customers, and how many they contacted: nobody represents those."""

    @property
    def is_whole(self) -> bool:
        """True if every contacted customer is represented by held-out ones."""
        return not self.alone

    @property
    def kept(self) -> NDArray[np.bool_]:
        """True for customers with a weight above 0."""
        return self.weights > 0


def inverse_propensity_weights(
    customer_ids: pd.Series, campaigns: Mapping[str, pd.DataFrame]
) -> InversePropensityWeights:
    """The weights that undo what these campaigns did; each customer occurs once.

    campaigns: by name, the customers that were chosen: customer_id, and treated (false: held out at random).

    >>> chosen = pd.DataFrame({"customer_id": ["ann", "bob", "eve"], "treated": [True, True, False]})
    >>> inverse_propensity_weights(pd.Series(["ann", "bob", "cleo", "eve"]), {"spring": chosen}).weights.tolist()
    [0.0, 0.0, 1.0, 3.0]
    """
    weights = np.ones(len(customer_ids))
    treated, held_out = np.zeros(len(weights), bool), np.zeros(len(weights), bool)
    alone = {}
    for name, chosen in campaigns.items():
        arm = {
            is_treated: customer_ids.isin(chosen["customer_id"][chosen["treated"] == is_treated]).to_numpy()
            for is_treated in (True, False)
        }
        contacted, spared = arm[True], arm[False] & ~arm[True]
        treated |= contacted
        held_out |= spared
        if spared.any():
            weights[spared] *= (contacted.sum() + spared.sum()) / spared.sum()
        elif contacted.any():
            alone[name] = int(contacted.sum())
        weights[contacted] = 0
    return InversePropensityWeights(weights, treated, held_out & ~treated, alone)
