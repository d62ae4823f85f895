"""The interval of what a base is worth holds eight times of ten, however few days were judged."""

import numpy as np
import pandas as pd
import pytest

from models.evaluation.estimate import Z90
from retention.economics.customer_equity import USUAL_DAYS, customer_equity


def scored(clv, sd):
    clv, sd = np.broadcast_arrays(np.asarray(clv, float), sd)
    return pd.DataFrame({"clv": clv, "clv_p10": clv - Z90 * sd, "clv_p90": clv + Z90 * sd})


@pytest.mark.parametrize("days", [0, 1, 4, 8])
def test_past_misses_tell_how_far_the_next_total_may_be_off(days):
    """Of shops whose misses are of unlike size, the usual one among them."""
    draw, held, rounds = np.random.default_rng(days), 0, 4000
    base = scored([50.0] * 10, 0.0)
    for _ in range(rounds):
        size = 0.12 * np.sqrt(USUAL_DAYS / draw.chisquare(USUAL_DAYS))
        *past, next_one = np.exp(draw.normal(0, size, days + 1))
        found = customer_equity(base, [miss - 1 for miss in past], typical_miss=0.12)
        held += found.p10 <= found.clv / next_one <= found.p90
    assert held / rounds == pytest.approx(0.8, abs=0.025)


def test_chance_of_customers_alone_is_that_of_a_sum_of_independent_ones():
    draw, clv, sd = np.random.default_rng(3), np.array([200.0, 100.0, 50.0, 150.0]), np.array([30.0, 10.0, 20.0, 5.0])
    found = customer_equity(scored(clv, sd), [], typical_miss=0.0)
    sums = draw.normal(clv, sd, (200_000, 4)).sum(axis=1)
    assert (found.p10, found.p90) == pytest.approx(np.quantile(sums, [0.1, 0.9]), rel=0.02)
    assert found.days == 0


def test_a_base_worth_nothing_has_no_width():
    assert customer_equity(scored([0.0, 0.0], 0.0), [0.1], typical_miss=0.1)[:3] == (0, 0, 0)


def test_days_whose_years_overlap_count_as_little_as_they_tell():
    base, misses = scored([50.0] * 10, 0.0), [0.5] * 4
    one = customer_equity(base, misses[:1], typical_miss=0.1)
    assert customer_equity(base, misses, 0.25, typical_miss=0.1)[:3] == pytest.approx(one[:3])
    assert customer_equity(base, misses, typical_miss=0.1).p90 > one.p90
