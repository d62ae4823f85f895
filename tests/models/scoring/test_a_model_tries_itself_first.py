"""A model that no longer scores its own example as it did is found out before it answers anybody."""

from dataclasses import replace

import pytest

from features.errors import InputError
from models.scoring import self_test


def test_a_model_as_it_was_made_passes(model):
    self_test.check_example(model)


def test_a_model_that_scores_otherwise_is_refused(model):
    moved = replace(
        model, calibration=replace(model.calibration, log_odds=[shift + 1e-6 for shift in model.calibration.log_odds])
    )
    with pytest.raises(InputError, match="scores its own example differently: churn_probability"):
        self_test.check_example(moved)


def test_a_model_without_an_example_is_refused(model):
    with pytest.raises(InputError, match="no example"):
        self_test.check_example(replace(model, example=None))


def test_the_example_is_of_nobody(model):
    """Its customers stand in the code; their rows are what such orders give, not rows of the shop."""
    assert set(self_test.DAYS_BEFORE) == {"newcomer", "regular", "lapsed"}
    assert model.example.rows["orders"] == [3.0, 1.0, 5.0]
    assert model.example.rows["spend_total"] == [60.0, 20.0, 100.0]
