"""A simple model takes the place of the trees only if it is clearly better on the test day and over the days before."""

from dataclasses import dataclass
from types import SimpleNamespace

import pandas as pd
import pytest

from models.ensemble.recipe import Recipe
from models.trees.boosting import DEFAULTS
from pipelines.training import recipe_choice
from pipelines.training.holdout_evaluation import JudgedDay, judged_days_before
from pipelines.training.judgement import judgement
from tests.pipelines.training.test_learned_lifetimes_serve_only_where_they_are_no_worse import TERMS
from tests.pipelines.training.test_lifetime_rows_are_what_followed import shop

RECIPE = Recipe(DEFAULTS, DEFAULTS, kind="gamma", seed=7)
BETTER, UNCLEAR, WORSE = (0.01, 0.03), (-0.01, 0.02), (-0.05, -0.03)
"""Ends of the interval of ours minus the simple model's, an error: of a simple model that is better, and so on."""


@dataclass(frozen=True)
class Day:
    """As much of a training set as the choice looks at."""

    number: int
    is_contractual: bool
    is_counted: bool = False
    stream: None = None

    @property
    def timeline(self):
        return SimpleNamespace(as_of=self.number)


@pytest.fixture
def chosen(monkeypatch):
    """The recipe chosen where days, the test day first, say so of simple models; and the days asked for."""

    def choose(*days, is_contractual=False):
        asked = []

        def evaluate(_, training, *__, **___):
            said = days[training.number]
            asked.append(training.number)
            losses = {name: {"value": sum(ends) / 2, "low": ends[0], "high": ends[1]} for name, ends in said.items()}
            return {
                "differences": {
                    name: {"log_loss": loss, "value_deviance": {"value": 0.02, "low": 0.01, "high": 0.03}}
                    for name, loss in losses.items()
                },
                "models": {name: {"log_loss": {"value": 0.5 - loss["value"]}} for name, loss in losses.items()},
            }

        monkeypatch.setattr(recipe_choice, "evaluate_model", evaluate)
        before = (JudgedDay(pd.DataFrame(), Day(number, is_contractual)) for number in range(1, len(days)))
        config = SimpleNamespace(terms=None, offers=(), train=SimpleNamespace(seed=7))
        recipe, _ = recipe_choice.evaluate_recipe(
            config,
            Day(0, is_contractual),
            pd.DataFrame(),
            RECIPE,
            None,
            days_before=before,
            offer=None,
            say=lambda _: None,
        )
        return recipe.alone, asked

    stand_ins = {
        "fit_model": lambda *_: None,
        "learning_curve": lambda *_, **__: [],
        "in_words": lambda _: "",
        "gain_cut": lambda _: 0.0,
    }
    for name, stand_in in stand_ins.items():
        monkeypatch.setattr(recipe_choice, name, stand_in)
    return choose


def test_one_day_is_not_enough(chosen):
    assert chosen({"hiatus": BETTER}, {"hiatus": WORSE}, {"hiatus": UNCLEAR}) == (None, [0, 1, 2])


def test_clearly_better_over_all_of_them_is(chosen):
    alone, asked = chosen({"hiatus": BETTER}, {"hiatus": (0.0, 0.01)}, {"hiatus": BETTER})
    assert (alone, asked) == ("hiatus", [0, 1, 2, 0])


def test_of_several_the_one_with_the_least_loss_over_the_days_serves(chosen):
    days = [{"hiatus": (0.03, 0.05), "rfm_logistic": BETTER}, *[{"hiatus": BETTER, "rfm_logistic": (0.06, 0.08)}] * 2]
    assert chosen(*days)[0] == "rfm_logistic"


def test_other_days_are_made_only_where_the_test_day_asks_for_them(chosen):
    assert chosen({"hiatus": UNCLEAR}, {"hiatus": BETTER}, {"hiatus": BETTER}) == (None, [0])
    assert chosen({"hiatus": BETTER}, is_contractual=True) == (None, [0])


def test_a_log_of_one_test_day_is_decided_by_it(chosen):
    assert chosen({"hiatus": BETTER})[0] == "hiatus"


def test_the_days_before_are_test_days_of_the_same_log(read):
    histories = read(shop(900, customers=400)).histories
    window, _ = judgement(histories.first_day, histories.end, horizon_days=TERMS.horizon_days)
    days = list(judged_days_before(histories, TERMS, window, may_count=False))
    assert [(window.as_of - day.training.timeline.as_of).days for day in days] == [30, 60]
    for day in days:
        as_of = pd.Timestamp(day.training.timeline.as_of)
        assert set(day.test["as_of"]) == {as_of}
        assert day.training.rows["as_of"].max() <= as_of - pd.Timedelta(days=TERMS.horizon_days)
