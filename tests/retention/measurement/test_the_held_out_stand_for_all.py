"""Over all ways to draw a holdout, the weighted figures are on average those of a world without the campaign."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from retention.measurement.inverse_propensity import inverse_propensity_weights

IDS = pd.Series(["ann", "bob", "cleo", "dan", "eve", "fay"])
CHOSEN = ["ann", "bob", "cleo", "dan"]
STAYED = np.array([0.0, 1.0, 0.0, 0.0, 1.0, 1.0])
"""Without a campaign."""


def campaign(treated, chosen=CHOSEN):
    return pd.DataFrame({"customer_id": chosen, "treated": [one in treated for one in chosen]})


@pytest.mark.parametrize("held_out", [1, 2, 3])
def test_the_mean_over_all_draws_is_the_truth_and_not_that_of_those_left(held_out):
    totals, naive = [], []
    for drawn in combinations(CHOSEN, held_out):
        treated = set(CHOSEN) - set(drawn)
        found = inverse_propensity_weights(IDS, {"spring": campaign(treated)})
        assert found.weights.sum() == pytest.approx(len(IDS))
        totals.append((found.weights * STAYED).sum())
        naive.append(STAYED[found.kept].mean() * len(IDS))
    assert np.mean(totals) == pytest.approx(STAYED.sum())
    assert np.mean(naive) > STAYED.sum() + 0.1


def test_two_campaigns_multiply():
    totals = []
    for first in combinations(CHOSEN, 2):
        for second in combinations(["dan", "eve", "fay"], 1):
            both = {
                "spring": campaign(set(CHOSEN) - set(first)),
                "autumn": campaign({"dan", "eve", "fay"} - set(second), ["dan", "eve", "fay"]),
            }
            totals.append((inverse_propensity_weights(IDS, both).weights * STAYED).sum())
    assert np.mean(totals) == pytest.approx(STAYED.sum())


def test_who_is_held_out_of_one_and_contacted_by_another_is_contacted():
    both = {"spring": campaign({"ann"}), "autumn": campaign({"bob"}, ["bob", "eve"])}
    found = inverse_propensity_weights(IDS, both)
    assert found.weights[IDS == "bob"] == 0
    assert found.treated[IDS == "bob"]
    assert not found.held_out[IDS == "bob"]


def test_where_nobody_was_held_out_nobody_stands_for_them():
    found = inverse_propensity_weights(IDS, {"spring": campaign(set(CHOSEN))})
    assert found.alone == {"spring": 4}
    assert not found.is_whole
    assert found.weights.tolist() == [0, 0, 0, 0, 1, 1]


def test_without_campaigns_everybody_counts_once():
    found = inverse_propensity_weights(IDS, {})
    assert found.is_whole
    assert found.weights.tolist() == [1.0] * 6


def test_customers_who_are_not_among_these_change_nothing():
    found = inverse_propensity_weights(IDS, {"spring": campaign({"zoe"}, ["zoe", "zac"])})
    assert found.is_whole
    assert found.weights.tolist() == [1.0] * 6
