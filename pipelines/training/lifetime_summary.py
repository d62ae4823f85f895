"""What `train`, metrics.json and the report say of lifetime values: how they are made, and what is in doubt."""

from dataclasses import replace
from typing import Any

import pandas as pd

from models.lifetime.clv import before_costs, has_costs, typical_miss
from models.scoring import scorer
from models.scoring.scorer import Scorer


def lifetime_summary(model: Scorer, current_rows: pd.DataFrame) -> dict[str, Any]:
    """How lifetime values are made, what is in doubt about them, and how far their total usually misses.

    cost_share: what costs to serve take of the lifetime values of these customers, as a share; 0 where none are booked.
    """
    cost_share = 0.0
    if has_costs(model.lifetime):
        gross = scorer.predict(replace(model, lifetime=before_costs(model.lifetime)), current_rows)["clv"].sum()
        cost_share = float(1 - scorer.predict(model, current_rows)["clv"].sum() / gross) if gross > 0 else 0.0
    return {
        "derivation": model.lifetime.derivation + (", after costs to serve" if has_costs(model.lifetime) else ""),
        "doubts": list(model.lifetime.doubts),
        "typical_miss": typical_miss(model.lifetime),
        "cost_share": cost_share,
    }
