"""Maximum likelihood in a box of logarithms: the search BG/NBD and Gamma-Gamma share."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from features.errors import Refusal

Floats = NDArray[np.float64]


def maximise(
    mean_loss: Callable[..., tuple[float, Floats]],
    *data: NDArray[Any],
    bounds: Sequence[tuple[float, float]],
    where: str,
) -> tuple[list[float], float]:
    """The positive parameters with the least `mean_loss`, and that loss.

    `mean_loss(logs, *data)` gives minus the mean log-likelihood of unit-free data at the parameters' logs, and its
    gradient there; the search (L-BFGS-B) starts at parameters of 1 and stays within the `bounds` of the logs.
    Refuses where it ends on a slope steeper than 1e-4 for another reason than that no step down is left.
    """
    best = minimize(
        mean_loss,
        np.zeros(len(bounds)),
        args=data,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 1000, "ftol": 1e-14, "gtol": 1e-8},
    )
    slope = np.abs(best.x - np.clip(best.x - best.jac, *np.transpose(bounds))).max()
    if not (best.success or slope < 1e-4):
        raise Refusal(
            f"the likelihood has no maximum that can be found (slope {slope:.1g}: {best.message})",
            where=where,
            next="look for customers with impossible histories",
        )
    return np.exp(best.x).tolist(), float(best.fun)
