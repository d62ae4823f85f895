"""The most profitable selection among few options, exactly: a mixed-integer linear program, solved by HiGHS."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from features.arrays import Floats, Integers

MAX_NODES = 100
"""Branches explored before the best solution so far is taken, with its gap: a count, not a clock, so reruns agree."""

WHOLE_OPTION = 1 - 1e-6
"""The share of an option from which HiGHS takes it as whole."""

_PRINTING = Lock()


def select_options(
    profit: Floats, uses: Floats, limits: Floats, customer: Integers, *, whole: bool = True
) -> tuple[NDArray[np.bool_], float]:
    """Select options, at most one of each customer; also returns an upper bound on what any selection could earn.

    `profit` and `customer` have a value per option; `uses` has a row per limit and a column per option. Unless `whole`,
    parts of options may be taken while it is solved, which is much quicker, and are left out afterwards: no more than
    there are limits. HiGHS keeps a limit to a millionth; where its answer uses more than the limit, it is solved again
    with a little less.
    """
    one_each = sparse.csr_array(
        (np.ones(len(profit)), (np.unique(customer, return_inverse=True)[1], np.arange(len(profit))))
    )
    rows = sparse.vstack([sparse.csr_array(uses), one_each])
    bound = np.inf
    for spared in (0.0, 1e-6, 1e-4):
        with _suppressed_output():
            solved = milp(
                -profit,
                constraints=LinearConstraint(
                    rows, ub=np.concatenate([limits * (1 - spared), np.ones(one_each.shape[0])])
                ),
                integrality=np.full(len(profit), int(whole)),
                bounds=Bounds(0, 1),
                options={"mip_rel_gap": 1e-7, "node_limit": MAX_NODES},
            )
        if whole and not spared and solved.mip_dual_bound is not None:
            bound = -float(solved.mip_dual_bound)
        if solved.x is not None:
            selected = solved.x > WHOLE_OPTION
            if (uses[:, selected].sum(axis=1) <= limits).all() and len(set(customer[selected])) == selected.sum():
                return selected, bound
    return np.zeros(len(profit), dtype=bool), bound


@contextmanager
def _suppressed_output() -> Iterator[None]:
    """HiGHS 1.12 prints a line of its own on standard output (ERGO-Code/HiGHS#2783), where our JSON goes: drop it."""
    with _PRINTING:
        sys.stdout.flush()
        kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 1)
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)
            os.close(nowhere)
