"""Learners of uplift: on simulated customers whose effects are known, and against sums over cells written out."""

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from models.trees import boosting, least_squares
from models.uplift import learners
from models.uplift.experiment import Experiment
from models.uplift.qini import qini

N = 6_000


def shop(seed, *, effect):
    """Customers of five numbers and a name, treated with a propensity that differs by customer."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(rng.normal(size=(N, 5)), columns=list("abcde")).assign(town=rng.choice(["x", "y", "z"], N))
    e = np.where(rows["b"] > 0, 0.3, 0.6)
    treated, tau = rng.random(N) < e, effect(rows)
    outcome = (rows["c"] + rng.normal(size=N) + treated * tau).to_numpy()
    return rows, Experiment(treated, outcome, e), np.asarray(tau, float)


@pytest.fixture(scope="module")
def stepped():
    """An effect of 2 where a is above 0 or the town is x, else none."""
    return shop(1, effect=lambda rows: np.where((rows["a"] > 0) | (rows["town"] == "x"), 2.0, 0.0))


@pytest.mark.parametrize("kind", learners.KINDS)
def test_each_learner_finds_the_order_and_the_mean_of_a_known_effect(kind, stepped):
    rows, experiment, tau = stepped
    new, _, true = shop(2, effect=lambda rows: np.where((rows["a"] > 0) | (rows["town"] == "x"), 2.0, 0.0))
    fitted = learners.fit_learner(kind, rows, boosting.inputs_of(rows, list(rows)), experiment, seed=3)
    said = fitted.effect(new)
    assert said.mean() == pytest.approx(tau.mean(), abs=0.1)
    assert qini(true, said) > 0.95 * qini(true, true)
    assert np.corrcoef(said, true)[0, 1] > 0.9


@pytest.mark.parametrize("kind", learners.KINDS)
def test_a_yes_or_no_is_learnt_as_well(kind):
    rng = np.random.default_rng(4)
    rows = pd.DataFrame(rng.normal(size=(20_000, 3)), columns=list("abc"))
    treated = rng.random(len(rows)) < 0.5
    true = np.where(rows["a"] > 0, 0.2, 0.0)
    outcome = (rng.random(len(rows)) < 0.2 + treated * true).astype(float)
    experiment = Experiment(treated, outcome, np.full(len(rows), 0.5))
    said = learners.fit_learner(kind, rows, boosting.inputs_of(rows, list(rows)), experiment, seed=5).effect(rows)
    assert said.mean() == pytest.approx(0.1, abs=0.02)
    assert said[true > 0].mean() - said[true == 0].mean() == pytest.approx(0.2, abs=0.04)


@pytest.fixture(scope="module")
def cells():
    """Three cells, and a propensity that hangs on what no learner is shown and what moves outcome and effect."""
    rng = np.random.default_rng(6)
    cell, hidden = rng.integers(3, size=60_000), rng.random(60_000) < 0.4
    e = np.where(hidden, 0.8, 0.3)
    treated = rng.random(len(cell)) < e
    outcome = cell + 3.0 * hidden + treated * (cell - 1.0 + hidden) + 0.5 * rng.normal(size=len(cell))
    return pd.DataFrame({"cell": cell.astype(float)}), Experiment(treated, outcome, e)


def by_hand(kind, experiment, there):
    """The effect in one cell, summed customer by customer as the learner's formula says."""
    sums = dict.fromkeys(("above", "below", "treated", "treated_weight", "others", "others_weight"), 0.0)
    middle = sum(experiment.outcome) / len(experiment)
    own = sum(experiment.outcome[there]) / there.sum()
    columns = (experiment.treated, experiment.outcome, experiment.propensity)
    for t, y, e in zip(*(one[there].tolist() for one in columns), strict=True):
        weight = 1 / e if t else 1 / (1 - e)
        arm = "treated" if t else "others"
        sums[arm] += weight * y
        sums[f"{arm}_weight"] += weight
        if kind == "R":
            sums["above"] += (t - e) * (y - own)
            sums["below"] += (t - e) ** 2
        if kind == "class":
            sums["above"] += weight * 2 * (1 if t else -1) * (y - middle)
            sums["below"] += weight
    if kind in ("R", "class"):
        return sums["above"] / sums["below"]
    return sums["treated"] / sums["treated_weight"] - sums["others"] / sums["others_weight"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", learners.KINDS)
def test_in_cells_every_learner_is_its_formula(kind, cells):
    rows, experiment = cells
    fitted = learners.fit_learner(kind, rows, boosting.inputs_of(rows, ["cell"]), experiment, seed=7)
    said = fitted.effect(pd.DataFrame({"cell": [0.0, 1.0, 2.0]}))
    hand = [by_hand(kind, experiment, rows["cell"].to_numpy() == cell) for cell in range(3)]
    assert said == pytest.approx(hand, abs=0.04)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["S", "T", "X", "class"])
def test_a_propensity_that_no_feature_tells_leaves_the_effect_unbiased(kind, cells):
    rows, experiment = cells
    said = learners.fit_learner(kind, rows, boosting.inputs_of(rows, ["cell"]), experiment, seed=7).effect(rows)
    plain = experiment.outcome[experiment.treated].mean() - experiment.outcome[~experiment.treated].mean()
    assert said.mean() == pytest.approx(0.4, abs=0.05)
    assert plain > 1.5, "what the learners would say without propensities"


def test_the_class_is_that_of_jaskowski_and_jaroszewicz():
    """With halves treated, and half of all a yes, their 2 P(y = t) - 1 by the same trees."""
    rng = np.random.default_rng(9)
    rows, n = pd.DataFrame(rng.normal(size=(4_000, 2)), columns=list("ab")), 4_000
    treated, y = rng.permutation(n) < n / 2, rng.permutation(n) < n / 2
    experiment = Experiment(treated, y.astype(float), np.full(n, 0.5))
    inputs = boosting.inputs_of(rows, list(rows))
    probability = least_squares.predict(
        least_squares.grow_trees(rows, inputs, (y == treated).astype(float), seed=1), rows, inputs
    )
    said = learners.fit_learner("class", rows, inputs, experiment, seed=1).effect(rows)
    assert said == pytest.approx(2 * probability - 1, abs=1e-3)


def test_trees_of_least_squares_with_slopes_are_weighted_means_in_cells():
    rng = np.random.default_rng(8)
    cell = rng.integers(2, size=20_000)
    weight, y = rng.uniform(0.1, 5, len(cell)), cell + rng.normal(size=len(cell))
    rows = pd.DataFrame({"cell": cell.astype(float)})
    booster = least_squares.grow_trees(rows, {"cell": None}, np.sqrt(weight) * y, slope=np.sqrt(weight), seed=1)
    said = least_squares.predict(booster, pd.DataFrame({"cell": [0.0, 1.0]}), {"cell": None})
    assert said == pytest.approx([np.average(y[cell == one], weights=weight[cell == one]) for one in (0, 1)], abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("kind", learners.KINDS)
def test_the_same_seed_gives_the_same_effects(kind, stepped):
    rows, experiment, _ = stepped
    inputs = boosting.inputs_of(rows, list(rows))
    one, other = (learners.fit_learner(kind, rows, inputs, experiment, seed=3).effect(rows) for _ in range(2))
    assert np.array_equal(one, other)


def test_an_unknown_learner_and_rows_that_do_not_match_are_refused(stepped):
    rows, experiment, _ = stepped
    with pytest.raises(InputError, match=r"uplift learner: 'Z' is not one of S, T, X, R, class"):
        learners.fit_learner("Z", rows, {"a": None}, experiment, seed=1)
    with pytest.raises(InputError, match=r"5,999 rows of features for 6,000 customers"):
        learners.fit_learner("T", rows[:-1], {"a": None}, experiment, seed=1)
