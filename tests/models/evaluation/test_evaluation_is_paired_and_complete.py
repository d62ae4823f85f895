"""`evaluate`: paired resamples, honest intervals, JSON without NaN, and no judgement of half a prediction."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from features.errors import Refusal
from models.evaluation import metrics
from models.evaluation.bootstrap import percentile_interval, resample_counts
from models.evaluation.evaluation_tables import wilson
from models.prediction import Prediction

TERMS = {"resamples": 60, "seed": 7, "confidence": 0.9}


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    churned = rng.random(640) < 0.7
    return pd.DataFrame({"churned": churned, "future_value": np.where(churned, 0.0, rng.lognormal(3, 1, 640))})


@pytest.fixture(scope="module")
def predictions(truth) -> dict[str, Prediction]:
    rng = np.random.default_rng(3)
    p = np.clip(0.5 + 0.3 * truth["churned"].to_numpy() + 0.2 * rng.normal(size=640), 0.01, 0.99)
    value = (1 - p) * rng.lognormal(3, 0.5, 640)
    return {
        "ours": Prediction(p, value, value_p10=np.zeros(640), value_p90=3 * value),
        "twin": Prediction(p, value),
        "coin": Prediction(np.full(640, 0.7), np.full(640, 9.0)),
    }


@pytest.fixture(scope="module")
def judged(truth, predictions):
    return metrics.evaluate(truth, predictions, **TERMS)


def test_it_is_json_and_says_the_same_again(truth, predictions, judged):
    again = metrics.evaluate(truth, predictions, **TERMS)
    assert json.dumps(again, allow_nan=False) == json.dumps(judged, allow_nan=False)
    tables = {"calibration", "deciles", "gains", "churn_gains", "coverage"}
    assert set(judged) == {"confidence", "resamples", "models", "differences"} | tables


def test_every_metric_has_its_value_within_its_interval(truth, predictions, judged):
    churned, value = truth["churned"].to_numpy(float), truth["future_value"].to_numpy()
    said, found = predictions["ours"], judged["models"]["ours"]
    for name, metric in metrics.CHURN_METRICS.items():
        assert found[name]["value"] == pytest.approx(float(metric(churned, said.churn_probability)))
    for name, metric in metrics.VALUE_METRICS.items():
        assert found[name]["value"] == pytest.approx(float(metric(value, said.expected_value)))
    for name in ("roc_auc", "brier", "mae", "spearman", "normalized_gini", "interval_coverage"):
        assert found[name]["low"] < found[name]["value"] < found[name]["high"]
    assert "interval_coverage" not in judged["models"]["twin"]


def test_a_twin_differs_by_exactly_nothing(judged):
    assert list(judged["differences"]) == ["twin", "coin"]
    for entry in judged["differences"]["twin"].values():
        assert entry["value"] == 0
        assert (entry["low"], entry["high"]) in [(0, 0), (None, None)]
    assert judged["differences"]["coin"]["roc_auc"]["low"] > 0


def test_intervals_are_quantiles_over_the_same_draws(truth, predictions, judged):
    """Recomputed by drawing rows, as the textbook says."""
    churned = truth["churned"].to_numpy(float)
    ours, coin = (predictions[name].churn_probability for name in ("ours", "coin"))
    counts = np.concatenate(list(resample_counts(640, resamples=60, seed=7))).astype(int)
    assert counts.shape == (60, 640)
    assert (counts.sum(axis=1) == 640).all()
    differences = []
    for row in counts:
        rows = np.repeat(np.arange(640), row)
        differences.append(np.mean((ours - churned)[rows] ** 2) - np.mean((coin - churned)[rows] ** 2))
    low, high = np.quantile(differences, [0.05, 0.95])
    entry = judged["differences"]["coin"]["brier"]
    assert (entry["low"], entry["high"]) == pytest.approx((low, high))


def test_the_bootstrap_interval_of_a_mean_is_the_normal_one():
    rng = np.random.default_rng(0)
    sample = rng.normal(size=2000)
    draws = np.concatenate([counts @ sample / 2000 for counts in resample_counts(2000, resamples=2000, seed=1)])
    error = sample.std() / np.sqrt(2000)
    low, high = percentile_interval(draws, confidence=0.95)
    assert (low, high) == pytest.approx((sample.mean() - 1.96 * error, sample.mean() + 1.96 * error), abs=0.15 * error)


def test_tables_keep_every_customer_and_all_the_money(truth, predictions, judged):
    value = truth["future_value"].sum()
    for model in predictions:
        tenths, bins, gains = (judged[table][model] for table in ("deciles", "calibration", "gains"))
        assert sum(one["customers"] for one in tenths) == sum(one["customers"] for one in bins) == 640
        assert sum(one["realised"] * 64 for one in tenths) == pytest.approx(value)
        assert sum(one["observed"] * 64 for one in bins) == pytest.approx(truth["churned"].sum())
        assert (np.diff([one["predicted"] for one in tenths]) < 1e-9).all()
        assert len(gains) == 21
        assert (gains[0], gains[-1]) == pytest.approx((0, 1))
    assert judged["gains"]["coin"] == pytest.approx(list(np.linspace(0, 1, 21)))  # ties earn their share, no more
    top = truth["future_value"].to_numpy()[np.argsort(-predictions["ours"].expected_value)[:64]]
    assert judged["deciles"]["ours"][0]["realised"] == pytest.approx(top.mean())
    assert judged["gains"]["ours"][2] == pytest.approx(top.sum() / value)
    riskiest = truth["churned"].to_numpy()[np.argsort(-predictions["ours"].churn_probability)[:64]]
    assert judged["churn_gains"]["ours"][2] == pytest.approx(
        riskiest.sum() / truth["churned"].sum(), abs=1 / 640
    )  # some are tied at 0.99


def test_coverage_is_given_overall_by_tenth_and_for_either_side(truth, predictions, judged):
    """The lower ends are 0 and the upper ends above it: who brought nothing lies below as far as .1 of P(no order)."""
    value, prediction = truth["future_value"].to_numpy(), predictions["ours"]
    below = np.where(value == 0, np.minimum(0.1 / prediction.churn_probability, 1), 0)
    above = value > prediction.value_p90
    inside = 1 - below - above
    table = judged["coverage"]["ours"]
    assert list(judged["coverage"]) == ["ours"]  # the others give no intervals
    assert table["overall"]["value"] == pytest.approx(judged["models"]["ours"]["interval_coverage"]["value"])
    for name, part in {"overall": inside, "below": below, "above": above}.items():
        assert table[name]["customers"] == 640
        assert table[name]["value"] == pytest.approx(part.mean())
        assert table[name]["low"] <= table[name]["value"] <= table[name]["high"]
    order = np.argsort(-prediction.expected_value)
    for tenth, rows in zip(table["deciles"], np.split(order, 10), strict=True):
        assert tenth["value"] == pytest.approx(inside[rows].mean())
        assert tenth["predicted"] == pytest.approx(prediction.expected_value[rows].mean())


def test_under_a_contract_coverage_asks_for_the_probability_of_no_order_not_of_its_end(truth, predictions):
    said = predictions["ours"]
    orders = said._replace(no_order=np.full(640, 0.5))
    coverage = [
        metrics.evaluate(truth, {"ours": prediction}, **TERMS)["coverage"]["ours"]["below"]["value"]
        for prediction in (said, orders)
    ]
    assert coverage[1] == pytest.approx(0.2 * (truth["future_value"] == 0).mean())
    assert coverage[0] != pytest.approx(coverage[1])
    with pytest.raises(Refusal, match="no_order"):
        metrics.evaluate(truth, {"ours": said._replace(no_order=np.full(640, 1.5))}, **TERMS)


def test_the_intervals_of_the_tables_are_those_of_a_share_and_a_mean(truth, predictions, judged):
    """Wilson's as SciPy has it; a mean ± 1.645 standard errors."""
    theirs = stats.binomtest(48, 64).proportion_ci(0.9, method="wilson")
    assert wilson(np.array(48.0), np.array(64.0), confidence=0.9) == pytest.approx((theirs.low, theirs.high))
    value, order = truth["future_value"].to_numpy(), np.argsort(-predictions["ours"].expected_value)
    first = value[order[:64]]
    error = stats.norm.ppf(0.95) * first.std() / 8
    top = judged["deciles"]["ours"][0]
    assert (top["low"], top["high"]) == pytest.approx((first.mean() - error, first.mean() + error))


def test_what_is_undefined_is_null(predictions):
    quiet = pd.DataFrame({"churned": [True] * 640, "future_value": [0.0] * 640})
    judged = metrics.evaluate(quiet, predictions, **TERMS)
    nothing = {"value": None, "low": None, "high": None}
    for name in ("roc_auc", "r2", "normalized_gini", "decile_mape", "total_bias"):
        assert judged["models"]["ours"][name] == judged["differences"]["coin"][name] == nothing
    assert judged["gains"]["ours"] == [None] * 21
    assert judged["models"]["ours"]["pr_auc"]["value"] == 1
    json.dumps(judged, allow_nan=False)


def test_a_metric_undefined_in_a_resample_has_no_interval():
    """Ten customers a tenth: some resample leaves a tenth without value, and its error undefined."""
    few = pd.DataFrame({"churned": [False, True] * 50, "future_value": [5.0, 0.0] * 50})
    p = np.linspace(0.1, 0.9, 100)
    judged = metrics.evaluate(few, {"ours": Prediction(p, 10 * p)}, resamples=2000, seed=1, confidence=0.9)
    entry = judged["models"]["ours"]["decile_mape"]
    assert entry["value"] is not None
    assert entry["low"] is entry["high"] is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"churn_probability": np.full(640, np.nan)}, "ours: churn_probability has 640 values, 0 of them usable"),
        ({"churn_probability": np.full(640, 1.2)}, "ours: churn_probability has 640 values, 0 of them usable"),
        ({"expected_value": np.append(np.ones(639), np.inf)}, "ours: expected_value has 640 values, 639"),
        ({"value_p90": np.ones(3)}, "ours: value_p90 has 3 values, 3 of them usable, for 640 customers"),
    ],
)
def test_half_a_prediction_is_not_judged(truth, predictions, change, says):
    with pytest.raises(Refusal, match=says):
        metrics.evaluate(truth, {"ours": predictions["ours"]._replace(**change)}, **TERMS)


def test_nor_against_unknown_truth(truth, predictions):
    with pytest.raises(Refusal, match="truth: future_value has 640 values, 639 of them usable"):
        metrics.evaluate(truth.assign(future_value=[np.nan, *truth["future_value"][1:]]), predictions, **TERMS)
    with pytest.raises(Refusal, match="truth: churned has 0 values"):
        metrics.evaluate(truth.head(0), {}, **TERMS)
