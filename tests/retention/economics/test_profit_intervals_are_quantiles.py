"""The interval of a plan's profit holds 80 % of what may be: save rates and the worth of the kept, drawn by hand."""

import numpy as np
import pytest

from models.keeping.worth_factor import SPREAD
from retention.economics.offers import Offer
from retention.economics.profit_interval import interval, interval_each

TERMS = {"contact_cost": 0.5, "incentive_cost": 5, "redeem_rate": 0.3}
UNSURE = Offer(name="voucher", save_rate={"alpha": 4, "beta": 16}, **TERMS)
PLAIN = Offer(name="mail", save_rate=0.1, **TERMS)
SURE = Offer(name="all", save_rate=1.0, **TERMS)
DRAWS = 200_000


def worth(draw):
    return draw.lognormal(-(SPREAD**2) / 2, SPREAD, DRAWS)


def test_two_offers_have_their_own_save_rates_and_share_the_worth():
    draw = np.random.default_rng(1)
    gross, incentives, fixed = np.array([[200.0, 90.0]]), np.array([[30.0, 4.0]]), np.array([[40.0, 10.0]])
    factor = worth(draw)
    first, second = draw.beta(4, 16, DRAWS) / 0.2, draw.beta(2, 18, DRAWS) / 0.1
    total = first * (factor * 200 - 30) + second * (factor * 90 - 4) - 50
    low, high = interval(gross, incentives, fixed, [UNSURE, PLAIN])
    assert (low[0], high[0]) == pytest.approx(tuple(np.quantile(total, [0.1, 0.9])), rel=0.02, abs=1)


@pytest.mark.parametrize("offer", [UNSURE, PLAIN, SURE])
def test_each_customer_has_the_quantiles_of_their_own(offer):
    draw = np.random.default_rng(2)
    factor = worth(draw)
    belief = offer.save_rate_belief
    rate = draw.beta(belief.alpha, belief.beta, DRAWS) / offer.save_rate_mean if belief else np.ones(DRAWS)
    gross, incentives, fixed = np.array([9.0, 0.0, 2.0]), np.array([1.0, 3.0, 2.0]), np.array([2.0, 1.0, 0.0])
    low, high = interval_each(gross, incentives, fixed, offer)
    for row in range(3):
        ends = np.quantile(rate * (factor * gross[row] - incentives[row]) - fixed[row], [0.1, 0.9])
        assert (low[row], high[row]) == pytest.approx(tuple(ends), rel=0.03, abs=0.03)


def test_where_something_can_be_gained_both_ends_are_never_one():
    low, high = interval(np.array([[5.0]]), np.array([[0.0]]), np.array([[1.0]]), [SURE])
    assert high[0] - low[0] == pytest.approx(5 * 2 * 1.2816 * SPREAD, rel=0.1)


def test_the_same_plan_has_the_same_interval():
    parts = (np.array([[5.0]]), np.array([[1.0]]), np.array([[1.0]]))
    assert interval(*parts, [PLAIN]) == interval(*parts, [PLAIN])
