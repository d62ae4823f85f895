"""What gains are made of, each learned apart: K of those who only just stayed, and what the silent bring later.

A gain itself is one joint expectation (models/keeping/keeping.py) and is not made of these; they are for hindsight,
where each is compared with what came (retention/measurement/gain_bracket.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.arrays import Floats
from models.lifetime.lifetime_trees import raw
from models.trees import boosting


@dataclass(frozen=True)
class GainParts:
    """Trees of the log of each, in margins of one order."""

    once: boosting.Booster
    """Value of a customer who orders exactly once within the horizon, that order included."""
    later: boosting.Booster
    """Value after the horizon of a customer who is silent within it."""

    def predict(self, data: boosting.Matrix, *, order_margin: Floats) -> tuple[Floats, Floats]:
        """Both, currency units, (rows,) each; order_margin: of one expected order."""
        margin = np.maximum(order_margin, 0)
        return np.exp(raw(self.once, data)) * margin, np.exp(raw(self.later, data)) * margin
