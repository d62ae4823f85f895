"""The sentence about each opponent says what the paired intervals say, good or bad."""

import pytest

from models.evaluation import metrics
from models.evaluation.metric_labels import HEADLINE, METRICS
from pipelines.training.baseline_comparison import DECISIVE, PROFIT_METRICS, compare_with_baselines, count_outcomes


def against(**intervals):
    differences = {name: {"low": low, "high": high} for name, (low, high) in intervals.items()}
    [verdict] = compare_with_baselines({"differences": {"hiatus": differences}})
    return verdict


def test_higher_or_lower_is_better_as_the_metric_has_it():
    assert against(roc_auc=(0.01, 0.02)).outcome == "better"
    assert against(roc_auc=(-0.02, -0.01)).outcome == "worse"
    assert against(log_loss=(-0.02, -0.01)).outcome == "better"
    assert against(ece=(0.01, 0.02)).outcome == "worse"


def test_an_interval_that_holds_zero_decides_nothing():
    verdict = against(roc_auc=(-0.01, 0.02), normalized_gini=(0.0, 0.2))
    assert verdict.outcome == "no clear difference"
    assert verdict.sentence.startswith("No clear difference in ROC-AUC, normalised Gini;")


def test_better_here_and_worse_there_is_mixed():
    verdict = against(roc_auc=(0.01, 0.02), ece=(0.01, 0.02), spearman=(-0.1, 0.1))
    assert verdict.outcome == "mixed"
    assert verdict.sentence == (
        "Better in ROC-AUC; worse in calibration error; no clear difference in Spearman; "
        "not comparable in log loss, normalised Gini, value deviance, decile error."
    )


@pytest.mark.parametrize("missing", [{}, {"low": None, "high": None}, {"low": float("nan"), "high": 1.0}])
def test_what_an_opponent_does_not_give_is_not_compared(missing):
    [verdict] = compare_with_baselines({"differences": {"hiatus": {"log_loss": missing}}})
    assert (verdict.outcome, verdict.missing) == ("not compared", DECISIVE)


def test_the_tally_counts_the_defeats_too():
    found = [against(roc_auc=(1, 2)), against(roc_auc=(-2, -1)), against(roc_auc=(-1, 1)), against()]
    assert count_outcomes(found) == (
        "clearly better than 1 of 4 simple models, clearly worse than 1 of 4, "
        "not clearly different from 1 of 4, not compared with 1 of 4"
    )
    assert (
        count_outcomes([against(roc_auc=(-2, -1))])
        == "clearly better than 0 of 1 simple models, clearly worse than 1 of 1"
    )


def test_every_decisive_metric_has_a_direction():
    assert {METRICS[name].better for name in DECISIVE} == {"higher", "lower"}


def test_every_metric_of_an_evaluation_can_be_named():
    judged = set(metrics.CHURN_METRICS) | set(metrics.VALUE_METRICS) | {"interval_coverage"} | set(PROFIT_METRICS)
    assert judged == set(METRICS)
    assert set(HEADLINE) <= judged
