"""Bases of customers for plans: what a plan reads of their scores."""

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from retention.planning.holdout import draw_holdout, random_ranks
from tests.scored import all_savable

one_customer = st.tuples(
    st.sampled_from([0.0, 0.3, 0.8, 1.0]) | st.floats(0, 1), st.sampled_from([90.0, 200.0]) | st.floats(-9, 999)
)
"""Churn probability and CLV, often at the ends and often alike."""


def scores_of(customers):
    """The scores of customers given as pairs of churn probability and CLV."""
    p, clv = np.array(customers, dtype=float).reshape(-1, 2).T
    value = np.abs(clv) / 3
    scores = pd.DataFrame(
        {
            "customer_id": pd.Series([f"c{i:05d}" for i in range(len(p))], dtype="str"),
            "churn_probability": p,
            "expected_orders": 0.5 + p,
            "expected_value": value,
            "clv": clv,
            "clv_p10": value * 0.75,
            "clv_p90": value * 6,
        }
    )
    return all_savable(scores)


def held_out(customer_ids, *, share, campaign, salt):
    """Whom a plan with one offer leaves alone."""
    places = random_ranks(customer_ids, campaign=campaign, salt=salt)
    return draw_holdout(places, np.zeros(len(places), np.int8), np.array([0]), share=share)


def base(count, seed=1):
    """As many customers drawn at random: most are likely to leave, few are worth much."""
    draw = np.random.default_rng(seed)
    return scores_of(np.column_stack([draw.beta(4, 2, count), draw.lognormal(3.5, 1, count)]))
