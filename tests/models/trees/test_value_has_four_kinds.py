"""Margin given ordering: each kind finds what a buyer brings, in currency, and survives being written down."""

import numpy as np
import pandas as pd
import pytest

from models.trees import boosting, value

INPUTS: boosting.Inputs = {"size": None, "noise": None}


def drawn(rows: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Customers who buy with a chance that rises with `size` and bring exp(3 + 0.8 size + noise); and that mean."""
    rng = np.random.default_rng(seed)
    size = rng.normal(0, 1, rows)
    bought = rng.random(rows) < 1 / (1 + np.exp(-size))
    margin = np.exp(3 + 0.8 * size + rng.normal(0, 0.7, rows))
    frame = pd.DataFrame(
        {
            "size": size,
            "noise": rng.normal(0, 1, rows),
            "churned": ~bought,
            "future_orders": np.where(bought, rng.poisson(1, rows) + 1, 0),
            "future_value": np.where(bought, margin, 0.0),
        }
    )
    return frame, np.exp(3 + 0.8 * size + 0.7**2 / 2)


@pytest.fixture(scope="module")
def fitted() -> dict[str, value.Value]:
    rows, _ = drawn(12_000, seed=1)
    return {kind: value.fit(rows, INPUTS, params=boosting.defaults(6_000), seed=7, kind=kind) for kind in value.KINDS}


@pytest.mark.parametrize("kind", value.KINDS)
def test_every_kind_finds_the_mean_of_a_known_world(fitted, kind):
    rows, mean = drawn(4_000, seed=2)
    inner = rows["size"].abs() < 1.5
    margin = fitted[kind].margin(rows, INPUTS)
    assert (margin > 0).all()
    np.testing.assert_allclose(margin[inner].mean(), mean[inner].mean(), rtol=0.05)
    assert np.abs(np.log(margin[inner] / mean[inner])).mean() < 0.12


@pytest.mark.parametrize("kind", value.KINDS)
def test_a_bundle_of_bytes_kind_and_factor_predicts_the_same(fitted, kind):
    rows, _ = drawn(500, seed=3)
    before = fitted[kind]
    orders, margin = (boosting.from_ubj(boosting.to_ubj(one)) for one in (before.orders_booster, before.margin_booster))
    after = value.Value(kind, orders, margin, before.factor)
    np.testing.assert_array_equal(after.margin(rows, INPUTS), before.margin(rows, INPUTS))
    np.testing.assert_array_equal(after.orders(rows, INPUTS), before.orders(rows, INPUTS))


@pytest.mark.parametrize("kind", value.KINDS)
def test_contributions_and_a_constant_sum_to_the_log_of_the_margin(fitted, kind):
    rows, _ = drawn(500, seed=6)
    added = fitted[kind].contributions(boosting.matrix(rows, INPUTS))
    assert added.shape == (500, 2)
    rest = np.log(fitted[kind].margin(rows, INPUTS)) - added.sum(axis=1)
    np.testing.assert_allclose(rest, rest.mean(), atol=1e-4)


def test_only_lognormal_is_smeared_and_by_the_mean_of_its_residuals(fitted):
    rows, _ = drawn(12_000, seed=1)
    buyers = rows[~rows["churned"]]
    factors = {kind: one.factor for kind, one in fitted.items()}
    assert [kind for kind, factor in factors.items() if factor != 1] == ["lognormal"]
    smeared = fitted["lognormal"].margin(buyers, INPUTS) / factors["lognormal"]
    residuals = np.log(buyers["future_value"]) - np.log(smeared)
    np.testing.assert_allclose(factors["lognormal"], np.exp(residuals).mean(), rtol=1e-5)
    np.testing.assert_allclose(factors["lognormal"], np.exp(0.7**2 / 2), rtol=0.05)


def test_who_bought_is_read_before_who_left():
    """Where a contract ends, a customer can have bought and left."""
    rows = pd.DataFrame({"churned": [True, True, False], "bought": [True, False, False]})
    assert value.bought(rows).tolist() == [True, False, False]
    assert value.bought(rows.drop(columns="bought")).tolist() == [False, False, True]


def test_ziln_learns_from_all_rows_the_others_from_buyers():
    rows, _ = drawn(1_000, seed=4)
    rows.loc[rows.index[~rows["churned"]][0], "future_value"] = -3.0
    buys = ~rows["churned"].to_numpy()
    for kind in value.KINDS:
        kept, target = value.margin_target(kind, rows)
        np.testing.assert_array_equal(kept, np.ones(1_000, bool) if kind == "ziln" else buys)
        assert len(target) == kept.sum()
        assert np.isfinite(target).all()
    kept, target = value.margin_target("ziln", rows)
    np.testing.assert_array_equal(target > 0, buys)


def test_expected_orders_are_at_least_one(fitted):
    rows, _ = drawn(500, seed=5)
    assert (fitted["gamma"].orders(rows, INPUTS) >= 1).all()
