"""Scores of a day as `score` tells them, of made-up customers."""

from datetime import date

import numpy as np
import pandas as pd


def all_savable(scores: pd.DataFrame) -> pd.DataFrame:
    """The scores where all who leave can be saved, and keeping one adds their CLV: the case of the textbooks."""
    p = scores["churn_probability"]
    return scores.assign(savable_probability=p, gain=p * scores["clv"])


def scored(count: int, day: date) -> pd.DataFrame:
    """The same each time: ids 0000, 0001, …; those with most chance of leaving are not those of most value."""
    draw = np.random.default_rng(4)
    value = draw.lognormal(3, 1, count)
    scores = pd.DataFrame(
        {
            "customer_id": np.array([f"{i:04d}" for i in range(count)], dtype=object),
            "as_of": pd.Timestamp(day),
            "horizon_days": 90,
            "churn_probability": draw.beta(4, 2, count),
            "expected_orders": 2.0,
            "expected_value": value,
            "value_p10": value / 4,
            "value_p90": value * 2,
            "clv": value * 3,
            "clv_p10": value * 0.75,
            "clv_p90": value * 6,
            "savable_probability": 0.3,
            "gain": value,
            "next_order_at": pd.Timestamp(day) + pd.Timedelta(days=30),
            "segment": "grow",
            "reason_1": "=no order for 200 days",
            "reason_2": "few visits",
            "reason_3": None,
            "model_version": "abc",
        }
    )
    return all_savable(scores)
