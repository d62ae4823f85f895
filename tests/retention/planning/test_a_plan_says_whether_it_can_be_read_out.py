"""A plan says before it is kept whether its readout will show what it assumes, and what it would take."""

import re

import numpy as np
import pytest

from retention.economics.offers import Offer
from retention.measurement.power import POWER
from retention.planning.holdout_choice import choose_holdout
from retention.planning.retention_plan import plan
from tests.retention.bases import base

NAMED = {"campaign": "spring", "salt": "pepper"}


def offer(save_rate):
    return Offer(name="voucher", contact_cost=0.1, incentive_cost=1, save_rate=save_rate, redeem_rate=0.1)


def made(customers, *, save_rate=0.1, share=0.1):
    return plan(base(customers), [offer(save_rate)], budget=1e9, holdout_share=share, **NAMED).summary


def shown(summary, *, draws=4_000):
    """Share of simulated readouts that show the assumed effect on customers of whom as many are likely to leave."""
    leave, rng = base(summary["customers"])["churn_probability"].mean(), np.random.default_rng(7)
    counts = np.array([summary["treated"], summary["holdout"]])
    stay = np.array([1 - leave * (1 - summary["save_rate"]), 1 - leave])
    means = rng.binomial(counts, stay, (draws, 2)) / counts
    error = np.sqrt((means * (1 - means) / counts).sum(axis=1))
    return float(np.mean((means[:, 0] - means[:, 1]) > 2.24 * error))


def test_a_large_plan_with_a_good_offer_can_be_read_out():
    summary = made(20_000, save_rate=0.5, share=0.3)
    assert summary["can_be_read_out"]
    assert summary["readout_warning"] == ""
    assert summary["detectable_save_rate"] <= summary["save_rate"]
    assert shown(summary) > POWER


@pytest.mark.parametrize("customers", [40, 400, 4_000])
def test_a_plan_too_small_for_its_offer_says_so_whatever_its_size(customers):
    summary = made(customers)
    assert not summary["can_be_read_out"]
    assert summary["readout_warning"].startswith("This plan cannot be read out: with ")
    assert shown(summary) < POWER
    needed = int(re.search(r"About ([\d,]+) chosen", summary["readout_warning"])[1].replace(",", ""))
    assert needed > summary["chosen"]


def test_with_as_many_customers_as_it_names_it_can():
    few = made(100, save_rate=0.4)
    needed = int(re.search(r"About ([\d,]+) chosen", few["readout_warning"])[1].replace(",", ""))
    assert made(round(1.15 * needed * few["customers"] / few["chosen"]), save_rate=0.4)["can_be_read_out"]


def test_nobody_held_out_and_nobody_kept_are_said():
    assert "nobody is held out" in made(500, share=0.0)["readout_warning"]
    assert made(0)["readout_warning"] == ""


@pytest.mark.parametrize(
    ("save_rate", "more"), [({"alpha": 0.3, "beta": 2.7}, True), ({"alpha": 300, "beta": 2700}, False)]
)
def test_a_holdout_is_chosen_where_the_save_rate_is_in_doubt(save_rate, more):
    scores = base(4_000)
    dear = Offer(name="voucher", contact_cost=1, incentive_cost=5, save_rate=save_rate, redeem_rate=0.3)
    chosen = choose_holdout(scores, [dear], later_campaigns=4, budget=1e9, **NAMED)
    assert (chosen.share > 0) == more
    assert (chosen.earned_later > chosen.forgone) == more


def test_an_offer_without_doubt_or_a_plan_of_nobody_holds_nobody_out():
    scores = base(400)
    for rate, people in ((1.0, scores), (0.1, scores.head(0))):
        assert choose_holdout(people, [offer(rate)], later_campaigns=4, budget=1e9, **NAMED).share == 0
