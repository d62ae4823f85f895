"""Checks of what BG/NBD and Pareto/NBD read: three numbers per customer, and a span of time to look ahead.

`frequency` (repeat orders x), `recency` (age at the last order t_x; 0 without a repeat order) and `T` (age now), both
ages counted from the first order, in one unit of time.
"""

import numpy as np
from numpy.typing import ArrayLike

from features.arrays import Floats
from features.errors import InputError

History = tuple[Floats, Floats, Floats]
"""Frequency, recency and T of customers, shape (rows,) each."""


def checked(frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, *, where: str) -> tuple[Floats, Floats, Floats]:
    """Return the three columns as float arrays of one length; raises InputError with the number of wrong values."""
    x, t_x, age = (np.atleast_1d(np.asarray(column, dtype=float)) for column in (frequency, recency, T))
    if not x.shape == t_x.shape == age.shape:
        raise InputError(
            f"frequency, recency and T have {x.size}, {t_x.size} and {age.size} values",
            where=where,
            next="give one of each per customer",
        )
    if not x.size:
        raise InputError("no customers", where=where, next="give at least one")
    wrong = {
        "values are not finite": ~np.isfinite(x + t_x + age),
        "values are negative": (x < 0) | (t_x < 0) | (age < 0),
        "frequencies are not whole numbers": x != np.rint(x),
        "recencies are later than T": t_x > age,
        "customers without a repeat order have a recency above 0": (x == 0) & (t_x > 0),
    }
    for problem, rows in wrong.items():
        if rows.any():
            first = np.flatnonzero(rows)[0]
            raise InputError(
                f"{rows.sum()} of {x.size} {problem}; the first is "
                f"frequency {x[first]:g}, recency {t_x[first]:g}, T {age[first]:g}",
                where=where,
                next="count frequency in repeat orders, recency and T from the first order",
            )
    return x, t_x, age


def check_learnable(x: Floats, t_x: Floats, *, where: str) -> None:
    """Raise InputError if no customer came back: their rates of ordering and leaving are unknown."""
    if not (x * t_x).any():
        raise InputError(
            f"none of the {x.size} customers came back after the first order: rates cannot be learned",
            where=where,
            next="give it a longer history",
        )


def positive(t: ArrayLike, *, where: str) -> Floats:
    """Return `t` as floats; raises InputError unless all are finite and above 0."""
    spans = np.asarray(t, dtype=float)
    if not ((spans > 0) & np.isfinite(spans)).all():
        raise InputError(f"t is {t!r}, expected a span of time above 0", where=where, next="give the horizon")
    return spans
