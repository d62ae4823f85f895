"""RFM: each customer's quintile of recency, frequency and monetary value among the whole base of the day.

A quintile compares a customer with all others, so it cannot be a feature of one history: a customer alone would be in
another cell. It is a step of its own, taken once the rows of a day are complete.

Source: Hughes (1994), Strategic Database Marketing, chapter on RFM; independent quintiles rather than nested ones.
"""

import numpy as np
import pyarrow as pa

from features.arrays import Floats

QUINTILES = {
    "recency_quintile": ("recency_days", -1),
    "frequency_quintile": ("orders", 1),
    "monetary_quintile": ("spend_total", 1),
}
"""Each quintile, its feature, and 1 if higher values are better, -1 if they are worse."""

RANKED = [feature for feature, _ in QUINTILES.values()]

QuintileCuts = dict[str, Floats]


def quintile_cuts(base: pa.Table) -> QuintileCuts:
    """The limits of the quintiles of a base: for each, the four values above which 2, 3, 4 and 5 are assigned.

    base: the columns `RANKED` of all customers of one day, at least one.
    """
    cuts = {}
    for name, (feature, sign) in QUINTILES.items():
        worst_first = np.sort(sign * base[feature].to_numpy())
        cuts[name] = worst_first[-(-len(worst_first) * np.arange(1, 5) // 5) - 1]
    return cuts


def quintiles(rows: pa.Table, cuts: QuintileCuts) -> pa.Table:
    """The quintiles of rows of the same day as the cuts, 1 (worst) to 5 (best), as float64 columns.

    1 + the whole fifths of the base that are worse than the customer. Equal customers are in equal cells, so that a
    quintile can be empty: where three of four customers ordered once, they all have `frequency_quintile` 1.

    >>> base = pa.table({"recency_days": [9.0, 1, 5, 3], "orders": [1.0, 1, 1, 8], "spend_total": [2.0, 4, 6, 8]})
    >>> quintiles(base, quintile_cuts(base))["frequency_quintile"].to_pylist()
    [1.0, 1.0, 1.0, 4.0]
    """
    return pa.table(
        {
            name: 1.0 + np.searchsorted(cuts[name], sign * rows[feature].to_numpy())
            for name, (feature, sign) in QUINTILES.items()
        }
    )
