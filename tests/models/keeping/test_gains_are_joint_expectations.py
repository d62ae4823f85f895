"""On a made-up base whose states and futures are known, who can be saved and what it adds are what arithmetic says.

Half of the customers are at risk, half are steady. A customer at risk is silent with probability .6 and was then alive
in half of the cases; alive and silent they are worth 20 at the end of the horizon, dead nothing, after one order 50.
"""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from models.ensemble.business_terms import Terms
from models.keeping import fit_keeping
from models.keeping.keeping import one_order
from models.keeping.stay_outcomes import StayOutcomes
from models.keeping.worth_factor import CENTRE
from models.trees import boosting

INPUTS = {"recency_days": None}
TERMS = Terms(90, "EUR", 0.4, 0.0, 1095)
MARGIN = 10.0
SILENT = {0: 0.1, 1: 0.6}
ALIVE = {0: 1.0, 1: 0.5}
LATER = {"once": 50.0, "silent": 20.0}


def outcomes(count=20_000, seed=1, **changed):
    draw = np.random.default_rng(seed)
    state = draw.integers(0, 2, count)
    silent = draw.random(count) < np.vectorize(SILENT.get)(state)
    alive = np.where(silent, draw.random(count) < np.vectorize(ALIVE.get)(state), True)
    frame = pd.DataFrame({"recency_days": state * 100.0, "as_of": pd.Timestamp(date(2025, 1, 1))})
    frame["customer_id"] = np.arange(count).astype(str)
    made = StayOutcomes(
        frame,
        frame,
        np.where(alive, np.arange(count), -1),
        np.full(count, -1),
        np.where(silent, 0, 1),
        silent,
        alive.astype(float),
        alive.astype(float),
        has_other_signs=True,
        is_contractual=False,
    )
    return replace(made, **changed), np.where(silent, LATER["silent"], LATER["once"]) * alive


def comparables(made, later):
    return fit_keeping.comparables(
        made,
        INPUTS,
        terms=TERMS,
        later_value=later,
        order_margin=np.full(len(made.orders), MARGIN),
        cost_share=0.0,
        seed=7,
        device="cpu",
    )


def fitted(made, later):
    learned_on = comparables(made, later)
    return None if learned_on is None else fit_keeping.fit(learned_on)


def predict(keeping, churn=(0.1, 0.6)):
    data = boosting.matrix(pd.DataFrame({"recency_days": [0.0, 100.0]}), INPUTS)
    return keeping.predict(data, churn_probability=np.array(churn), order_margin=np.array([MARGIN, MARGIN]))


def test_the_savable_are_silent_and_alive_and_the_gain_is_kept_less_what_comes_anyway():
    savable, gain = predict(fitted(*outcomes()))
    assert savable == pytest.approx([0.1, 0.3], abs=0.02)
    once, silent = MARGIN + LATER["once"], MARGIN + LATER["silent"]
    kept = (once + silent) / 2
    expected = [0.1 * (kept - LATER["silent"]), 0.6 * 0.5 * (kept - LATER["silent"])]
    assert gain == pytest.approx(CENTRE * np.array(expected), rel=0.06)


def test_where_orders_are_the_only_signs_those_who_ordered_once_stand_for_the_kept():
    made, later = outcomes(has_other_signs=False)
    _, gain = predict(fitted(made, later))
    expected = np.array([0.1, 0.3]) * (MARGIN + LATER["once"] - LATER["silent"])
    assert gain == pytest.approx(CENTRE * expected, rel=0.06)


def test_the_product_of_risk_and_value_is_another_number():
    """Risk times the mean value of the state counts the dead as lost, and what comes anyway too."""
    _, gain = predict(fitted(*outcomes()))
    value = 0.4 * (MARGIN + LATER["once"]) + 0.6 * 0.5 * LATER["silent"]
    assert 0.6 * value > 2 * gain[1]


def test_nobody_is_savable_beyond_their_risk_and_no_gain_beyond_the_savable():
    keeping = fitted(*outcomes())
    savable, gain = predict(keeping, churn=(0.0, 0.01))
    assert (savable <= [0.0, 0.01]).all()
    assert (gain <= CENTRE * keeping.most * savable * MARGIN + 1e-9).all()
    assert gain[0] == 0


def test_under_a_contract_all_who_end_it_can_be_saved():
    made, _ = outcomes()
    made = replace(made, alive=np.ones(len(made.orders)), orders=np.full(len(made.orders), 3), is_contractual=True)
    _, gain = predict(fitted(made, np.full(len(made.orders), 40.0)))
    expected = np.array([0.1, 0.6]) * (3 * MARGIN + 40 - 3 * MARGIN)
    assert gain == pytest.approx(CENTRE * expected, rel=0.06)


def test_under_a_contract_the_kept_lie_between_those_who_stay_and_those_who_leave_soon_after():
    """A tenth of all stay and leave in the next horizon, after two payments; whoever stays is worth 40 from then on."""
    made, _ = outcomes()
    count = len(made.orders)
    soon = ~made.churned & (np.arange(count) % 10 == 0)
    twice = replace(
        made,
        frame=pd.concat([made.frame, made.frame], ignore_index=True),
        later_row=np.tile(np.arange(count), 2),
        row_after=np.append(np.where(made.churned, -1, np.arange(count) + count), np.full(count, -1)),
        orders=np.append(np.full(count, 3), np.where(soon, 2, 3)),
        churned=np.append(made.churned, soon),
        alive=np.ones(2 * count),
        alive_later=np.ones(2 * count),
        is_contractual=True,
    )
    learned_on = comparables(twice, np.full(count, 40.0))
    assert fit_keeping._value_under_contract(learned_on) * MARGIN == pytest.approx(
        np.full(2 * count, ((3 * MARGIN + 40) + (3 + 2) * MARGIN) / 2), rel=0.02
    )


def test_too_few_silent_teach_nothing():
    made, later = outcomes(count=400)
    assert fitted(made, later) is None


def test_without_a_model_one_order_is_added():
    terms = {"churn_probability": np.array([0.5, 0.9]), "order_margin": np.array([10.0, 10.0])}
    savable, gain = one_order(alive=np.array([0.8, 0.1]), probability_of_order=np.array([0.5, 0.1]), **terms)
    assert savable == pytest.approx([0.3, 0.0])
    assert gain == pytest.approx([3.0, 0.0])
