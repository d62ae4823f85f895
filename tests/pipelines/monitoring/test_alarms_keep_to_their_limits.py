"""Each limit of the monitor from both sides, on figures made by hand."""

import pytest

from models.evaluation.drift import Drift, Psi
from pipelines.monitoring.alarm import absence_reasons, drift_reasons, matured_reasons, worst_verdict
from pipelines.monitoring.feature_drift import FeatureDrift

SEEN = {"roc_auc": 0.80, "ece": 0.02, "total_bias": -0.05}


def figure(value, low=None, high=None):
    return {"value": value, "low": value if low is None else low, "high": value if high is None else high}


def batch(**figures):
    right = {
        "roc_auc": figure(0.8),
        "ece": figure(0.02),
        "churn_rate": figure(0.3),
        "churn_rate_said": figure(0.3),
        "total_bias": figure(0.0),
    }
    alone = figures.pop("alone", {})
    return {
        "as_of": "2020-01-01",
        "figures": right | figures,
        "ece_by_chance": 0.01,
        "own_campaigns": {"nobody_stands_for": alone},
    }


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ({}, []),
        ({"roc_auc": figure(0.73, 0.71, 0.751)}, []),
        ({"roc_auc": figure(0.73, 0.71, 0.749)}, [("ranking", "retrain")]),
        ({"roc_auc": figure(0.73, 0.71, 0.749), "alone": {"spring": 9}}, []),
        ({"ece": figure(0.0499)}, []),
        ({"ece": figure(0.0501)}, [("probabilities", "retrain")]),
        ({"total_bias": figure(0.16, 0.14, 0.18)}, [("money", "watch")]),
        ({"total_bias": figure(0.18, 0.16, 0.20)}, [("money", "retrain")]),
        ({"total_bias": figure(-0.18, -0.20, -0.16)}, [("money", "retrain")]),
        ({"total_bias": {"value": None, "low": None, "high": None}}, []),
        ({"roc_auc": {"value": None, "low": None, "high": None}}, []),
    ],
)
def test_of_a_matured_batch(figures, said):
    assert [(one.about, one.verdict) for one in matured_reasons(batch(**figures), SEEN)] == said


def test_what_the_gate_had_let_pass_raises_the_limit():
    seen = {"roc_auc": 0.80, "ece": 0.06, "total_bias": 0.30}
    off = batch(ece=figure(0.08), total_bias=figure(0.28, 0.26, 0.29))
    assert matured_reasons(off, seen) == []
    assert len(matured_reasons(off, SEEN)) == 2


def moved(psi, quiet, *, rest=None, is_score=False, unseen=0.0):
    drift = Drift(Psi(psi, 0.01), rest and Psi(rest, 0.05), 0.1, (0.1, 0.3), ("app",) if unseen else (), unseen)
    return FeatureDrift("column", is_score, drift, quiet, quiet, 0.1, 0.0)


@pytest.mark.parametrize(
    ("psi", "quiet", "verdict"),
    [
        (0.109, 0.01, "fine"),
        (0.111, 0.01, "watch"),
        (0.259, 0.01, "watch"),
        (0.261, 0.01, "retrain"),
        (0.60, 0.30, "fine"),
        (0.62, 0.30, "retrain"),
        (9.0, None, "fine"),
    ],
)
def test_of_a_column_that_moved(psi, quiet, verdict):
    """Beyond the convention, beyond twice the usual, and beyond chance; what is usual must be known."""
    assert worst_verdict(drift_reasons([moved(psi, quiet)], apart_days=90)) == verdict


def test_of_those_who_have_it_alone():
    (reason,) = drift_reasons([moved(0.05, 0.01, rest=0.31)], apart_days=90)
    assert reason.verdict == "retrain"
    assert "column (PSI of those who have it 0.31, usual up to 0.01, at most 0.30, missing 10% → 30%)" in reason.found


@pytest.mark.parametrize(("share", "verdict"), [(0.009, "fine"), (0.02, "watch"), (0.06, "retrain")])
def test_of_names_never_learned(share, verdict):
    assert worst_verdict(drift_reasons([moved(0.05, 0.01, unseen=share)], apart_days=90)) == verdict


def test_scores_and_features_are_reasons_of_their_own_and_the_worst_is_told():
    found = drift_reasons([moved(0.2, 0.01), moved(0.5, 0.01), moved(0.2, 0.01, is_score=True)], apart_days=90)
    assert [(one.about, one.verdict) for one in found] == [("features", "retrain"), ("scores", "watch")]
    assert found[0].found.startswith("1 of 2 features moved more than usual in 90 days")


def test_of_features_that_are_gone():
    (reason,) = absence_reasons(["a", "b", "c", "d"])
    assert reason.found == "the log no longer gives 4 of the model's features: a, b, c, …"
    assert absence_reasons([]) == []
