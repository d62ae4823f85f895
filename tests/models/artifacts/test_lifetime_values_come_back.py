"""Lifetime values come back from a bundle's JSON as they were; those of earlier formats have no spread of their own."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models.artifacts import lifetime_parts
from models.ensemble.intervals import Intervals
from models.lifetime.contract_value import NO_RATIOS, ContractValue
from models.lifetime.lifetime_spread import LifetimeSpread
from models.lifetime.lifetime_trees import raw
from models.lifetime.margin_per_order import MarginPerOrder, ShrunkMean
from models.lifetime.state_value import StateValue
from models.lifetime.tenure_fade import LEVEL, TenureFade, TenureHazard
from models.lifetime.window_season import Season
from models.trees import boosting

INPUTS = {"orders": None}


@pytest.fixture(scope="module")
def margin():
    frame = pd.DataFrame({"orders": np.arange(40.0)})
    data = boosting.matrix(frame, INPUTS, np.ones(40))
    booster = boosting.grow_trees(
        data,
        objective="reg:squarederror",
        params={"rounds": 1, "max_depth": 2, "base_score": 1.0},
        seed=1,
        device="cpu",
    )
    return MarginPerOrder(ShrunkMean(8.0, 0.4, 2.0, "spend_total"), booster)


def state(margin):
    spread = LifetimeSpread((0.1, 0.2, 0.3, 0.4, 0.5), ((-1.0, 2.0), (0.0, 3.0)), Intervals([0.5], [[0.5], [1.5]]))
    fade = TenureFade(TenureHazard(-2.0, -0.3), 91.25, (500.0, 400.0, 300.0, 200.0, 200.0))
    return StateValue(
        3, Season((0.1, 0.2), (0.3, 0.4)), [margin.correction] * 4, [], margin, spread, fade, ("a doubt",)
    )


def contract(margin):
    booster, hazard = margin.correction, TenureHazard(-1.0, -0.4)
    return ContractValue(booster, booster, hazard, [0.9, 0.8], margin, (0.9, 1.0, 1.1))


def through_json(model, without=None):
    content = json.loads(json.dumps(lifetime_parts.to_json(model)))
    content.pop(without, None)
    return lifetime_parts.from_json(content, lifetime_parts.files(model))


@pytest.mark.parametrize("made", [state, contract])
def test_what_is_written_is_read(made, margin):
    model = made(margin)
    assert lifetime_parts.to_json(through_json(model)) == lifetime_parts.to_json(model)


def test_an_earlier_bundle_has_no_spread_no_fade_by_tenure_and_no_ratios(margin):
    assert through_json(state(margin), "spread").spread is None
    assert through_json(state(margin), "tenure_fade").tenure_fade == LEVEL
    assert through_json(contract(margin), "ratios").ratios == NO_RATIOS


def test_windows_are_steps_and_in_an_earlier_bundle_each_by_itself(margin):
    model = replace(state(margin), near_are_steps=True, tenure_fade=LEVEL)
    data = boosting.matrix(pd.DataFrame({"orders": [1.0, 30.0]}), INPUTS)
    score = raw(margin.correction, data)
    steps, alone = (
        one.rates(data, np.zeros(2), 1) for one in (through_json(model), through_json(model, "near_are_steps"))
    )
    for window in range(4):
        assert steps[window] == pytest.approx(np.exp(score * (window + 1)))
        assert alone[window] == pytest.approx(np.exp(score))


def test_a_tail_of_the_format_before_is_a_counting_value():
    tail = {"kind": "bgnbd", "shape": {"r": 0.2, "alpha": 4.0, "a": 0.8, "b": 2.4, "log_likelihood": 0.0}}
    model = lifetime_parts.from_json(lifetime_parts.earlier(tail | {"frequency": 1.5}), {})
    assert (model.frequency, model.level, model.doubts) == (1.5, None, ())
