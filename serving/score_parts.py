"""The parts of an explained score, as the service answers them."""

from typing import Any

import numpy as np

from models.scoring.explain import Contributions


def score_parts(parts: Contributions, place: int, score: float | None) -> dict[str, Any]:
    """Contributions to one customer's score, the largest effect first, without zeros.

    score: that of the batch, if the same model made it: it had the features at a higher precision than is stored.
    """
    added = parts.added[place]
    order = np.argsort(-np.abs(added), kind="stable")
    total = float(added.sum())
    total_score = score if score is not None else float(parts.base[place]) + total
    return {
        "score": total_score,
        "base": total_score - total,
        "added": {parts.names[feature]: float(added[feature]) for feature in order if added[feature]},
    }


def days_or_none(days: float) -> float | None:
    """Days for JSON: None in place of NaN."""
    return None if np.isnan(days) else float(days)
