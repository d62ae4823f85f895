"""CHECKS 8: shuffled labels give 0.50 ± 0.02, a planted column is caught 20 times of 20, clean rows raise no alarm."""

import numpy as np
import pandas as pd
import pytest

from pipelines.leakage.leakage_probes import dominant_columns, shuffled_labels


@pytest.fixture(scope="module")
def rows(taught):
    """Training rows of three cut-offs, rows of the test day, and some features."""
    lesson, _, test = taught
    learnt = lesson.rows[lesson.rows["as_of"] >= pd.Timestamp("1997-08-05")].reset_index(drop=True)
    features = ["recency_days", "tenure_days", "orders", "spend_total", "orders_last_90d", "gap_mean_days"]
    return learnt, test, features


def planted(rows, *, noise, seed):
    """What is suspicious among features, a random column, and one that tells who left but for a share of them."""
    learnt, test, features = rows
    rng = np.random.default_rng(seed)
    left = test.set_index("customer_id")["churned"]
    columns = pd.DataFrame({"status": left ^ (rng.random(len(left)) < noise), "random": rng.random(len(left))}) * 1.0
    learnt = learnt[learnt["as_of"] == learnt["as_of"].max()]
    both = [of.join(columns, on="customer_id") for of in (learnt, test)]
    found = dominant_columns(*both, [*features, *columns], list(columns), seed=seed)
    return [one["feature"] for one in found if one["suspicious"]]


@pytest.mark.slow
def test_a_planted_column_is_caught_and_nothing_else(rows):
    assert [planted(rows, noise=noise, seed=4) for noise in (0.0, 0.04, 0.08, 0.12)] == [["status"]] * 4


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.13])
def test_a_planted_column_is_caught_twenty_times_out_of_twenty_whatever_its_noise(rows, noise):
    assert [planted(rows, noise=noise, seed=seed) for seed in range(20)] == [["status"]] * 20


@pytest.mark.slow
def test_clean_rows_raise_no_false_alarm(rows):
    learnt, test, features = rows
    for seed in range(5):
        customers = test["customer_id"].sample(1000, random_state=seed)
        some = [of[of["customer_id"].isin(customers)].reset_index(drop=True) for of in (learnt, test)]
        assert not [one for one in dominant_columns(*some, features, [], seed=seed) if one["suspicious"]]
        assert not shuffled_labels(*some, features, seed=seed)["leaks"]


def test_shuffled_labels_give_one_half(rows):
    learnt, test, features = rows
    for seed in range(3):
        found = shuffled_labels(learnt, test, features, seed=seed)
        assert abs(found["auc"] - 0.5) <= found["tolerance"] == 0.02
        assert not found["leaks"]


def test_test_rows_among_the_training_rows_are_caught(rows):
    learnt, test, features = rows
    both = pd.concat([learnt, test], ignore_index=True)
    found = shuffled_labels(both, test, features, seed=1)
    assert found["leaks"]
    assert found["auc"] > 0.52
