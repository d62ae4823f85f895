"""Metrics against scikit-learn, or against their definition written out; weighted and with ties."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from models.evaluation import metrics
from models.evaluation.interval_places import interval_places

N = 503


@pytest.fixture(scope="module", params=["no ties", "ties", "two scores"])
def case(request):
    """churned, probability, value, expected, and how often each customer counts."""
    rng = np.random.default_rng(8)
    churned = (rng.random(N) < 0.7).astype(float)
    value = np.where(churned > 0, np.where(rng.random(N) < 0.05, -3.0, 0.0), rng.lognormal(3, 1, N))
    probability = np.clip(0.5 * churned + 0.6 * rng.random(N), 0.001, 0.999)
    expected = 0.3 * value + rng.lognormal(2, 1, N)
    digits = {"no ties": 12, "ties": 1, "two scores": 0}[request.param]
    probability = probability.round(digits).clip(1e-9, 1 - 1e-9)
    expected = np.round(expected / 40, digits) * 40 + 1
    return churned, probability, value, expected, rng.multinomial(N, np.full(N, 1 / N)).astype(float)


SKLEARN_CHURN = {
    "roc_auc": sk.roc_auc_score,
    "pr_auc": sk.average_precision_score,
    "brier": sk.brier_score_loss,
    "log_loss": sk.log_loss,
}
SKLEARN_VALUE = {"mae": sk.mean_absolute_error, "rmse": sk.root_mean_squared_error, "r2": sk.r2_score}


@pytest.mark.parametrize("name", SKLEARN_CHURN)
def test_churn_metrics_are_scikit_learns(name, case):
    churned, probability, _, _, weights = case
    ours, theirs = metrics.CHURN_METRICS[name], SKLEARN_CHURN[name]
    assert ours(churned, probability) == pytest.approx(theirs(churned, probability))
    assert ours(churned, probability, weights) == pytest.approx(theirs(churned, probability, sample_weight=weights))


@pytest.mark.parametrize("name", SKLEARN_VALUE)
def test_value_metrics_are_scikit_learns(name, case):
    _, _, value, expected, weights = case
    ours, theirs = metrics.VALUE_METRICS[name], SKLEARN_VALUE[name]
    assert ours(value, expected) == pytest.approx(theirs(value, expected))
    assert ours(value, expected, weights) == pytest.approx(theirs(value, expected, sample_weight=weights))


def test_spearman_is_scipys(case):
    _, _, value, expected, _ = case
    assert metrics.spearman(value, expected) == pytest.approx(stats.spearmanr(value, expected).statistic)


@pytest.mark.parametrize("name", [*metrics.CHURN_METRICS, *metrics.VALUE_METRICS])
def test_to_count_twice_is_to_stand_there_twice(name, case):
    """And a stack of weights gives what its rows give."""
    churned, probability, value, expected, weights = case
    metric = (metrics.CHURN_METRICS | metrics.VALUE_METRICS)[name]
    seen, said = (churned, probability) if name in metrics.CHURN_METRICS else (value, expected)
    index = np.repeat(np.arange(N), weights.astype(int))
    repeated = metric(seen[index], said[index])
    assert metric(seen, said, weights) == pytest.approx(float(repeated), nan_ok=True)
    stack = metric(seen, said, np.stack([weights, np.ones(N)]))
    assert stack == pytest.approx([float(repeated), float(metric(seen, said))], nan_ok=True)


@pytest.mark.parametrize("name", [*metrics.CHURN_METRICS, *metrics.VALUE_METRICS])
def test_the_order_of_customers_does_not_matter(name, case):
    churned, probability, value, expected, _ = case
    metric = (metrics.CHURN_METRICS | metrics.VALUE_METRICS)[name]
    seen, said = (churned, probability) if name in metrics.CHURN_METRICS else (value, expected)
    shuffled = np.random.default_rng(1).permutation(N)
    assert metric(seen[shuffled], said[shuffled]) == pytest.approx(float(metric(seen, said)), nan_ok=True)


def test_value_deviance_is_scikit_learns_in_units_of_the_mean_value(case):
    """Power 1.5, of values of at least 0; a currency of smaller units changes nothing."""
    _, _, value, expected, weights = case
    brought = np.maximum(value, 0)
    for w in (None, weights):
        mean = np.average(brought, weights=w)
        theirs = sk.mean_tweedie_deviance(brought / mean, expected / mean, sample_weight=w, power=1.5)
        assert metrics.value_deviance(value, expected, w) == pytest.approx(theirs)
        assert metrics.value_deviance(100 * value, 100 * expected, w) == pytest.approx(theirs)


def test_value_deviance_is_least_at_the_mean_where_mae_is_at_the_median():
    value = np.array([0.0, 0, 0, 0, 0, 0, 1, 2, 7, 40])
    constants = np.linspace(0, 10, 1001)
    deviance, absolute = (
        [float(metric(value, np.full(10, c))) for c in constants] for metric in (metrics.value_deviance, metrics.mae)
    )
    assert constants[np.argmin(deviance)] == pytest.approx(value.mean())
    assert constants[np.argmin(absolute)] == pytest.approx(np.median(value))


def test_value_deviance_is_finite_for_a_buyer_taken_for_a_sure_zero():
    value = np.array([1.0, 1.0, 1.0, 1.0])
    assert metrics.value_deviance(value, value) == 0
    assert metrics.value_deviance(value, np.array([1.0, 1, 1, 0])) == pytest.approx(4 * (1 - 0.01) ** 2 / 0.01 / 4)
    assert metrics.value_deviance(np.array([2.0, 0]), np.array([2.0, 0])) == pytest.approx(0.5 * 4 * 0.01)


def tenths(score: np.ndarray, *columns: np.ndarray) -> list[list[np.ndarray]]:
    """Each column in ten equal groups by falling score; needs no ties and a multiple of ten."""
    order = np.argsort(-score)
    return [np.split(column[order], 10) for column in columns]


@pytest.fixture
def plain():
    rng = np.random.default_rng(6)
    churned, probability = (rng.random(200) < 0.6).astype(float), rng.random(200)
    value = np.where(churned > 0, 0.0, rng.lognormal(3, 1, 200))
    return churned, probability, value, value * 0.2 + rng.lognormal(2, 1, 200)


def test_ece_and_lift_written_out(plain):
    churned, probability, _, _ = plain
    seen, said = tenths(probability, churned, probability)
    gaps = [abs(p.mean() - y.mean()) for p, y in zip(said, seen, strict=True)]
    assert metrics.ece(churned, probability) == pytest.approx(np.mean(gaps))
    assert metrics.top_decile_lift(churned, probability) == pytest.approx(seen[0].mean() / churned.mean())


def test_decile_mape_written_out(plain):
    _, _, value, expected = plain
    seen, said = tenths(expected, value, expected)
    errors = [abs(p.mean() - v.mean()) / v.mean() for p, v in zip(said, seen, strict=True)]
    assert metrics.decile_mape(value, expected) == pytest.approx(np.mean(errors))


def test_normalized_gini_written_out(plain):
    """The paper's gain charts, by steps: 2 · mean of the cumulative shares − 1."""
    _, _, value, expected = plain

    def by_steps(score):
        return 2 * np.mean(np.cumsum(value[np.argsort(-score)]) / value.sum()) - 1

    assert metrics.normalized_gini(value, expected) == pytest.approx(by_steps(expected) / by_steps(value), abs=1 / 200)
    assert metrics.normalized_gini(value, value) == pytest.approx(1)
    assert metrics.normalized_gini(value, -value) < 0
    assert metrics.normalized_gini(value, np.ones(200)) == 0


def test_bias_and_coverage_written_out(plain):
    _, _, value, expected = plain
    assert metrics.total_bias(value, expected) == pytest.approx((expected.sum() - value.sum()) / value.sum())
    inside = [low <= v <= 2 * low for v, low in zip(value, expected, strict=True)]
    rare = np.full(len(value), 0.01)
    assert metrics.interval_coverage(value, expected, 2 * expected, rare) == pytest.approx(np.mean(inside))


def test_coverage_of_right_predictions_is_80_percent_however_few_customers_order():
    """Outcomes drawn from their predictions, an order bringing 0 … 1 evenly; the heap at 0 divided by drawing lots."""
    rng = np.random.default_rng(8)
    for begin, end in [(0.0, 0.05), (0.0, 0.3), (0.4, 0.8), (0.85, 0.95), (0.9, 1.0)]:
        no_order = rng.uniform(begin, end, 100_000)
        value = np.where(rng.random(100_000) < no_order, 0.0, 1 - rng.random(100_000))
        low, high = (np.maximum(share - no_order, 0) / (1 - no_order) for share in (0.1, 0.9))
        lots = np.where(value == 0, rng.random(100_000) * no_order, no_order + (1 - no_order) * value)
        places = interval_places(value, low, high, no_order)
        assert metrics.interval_coverage(value, low, high, no_order) == pytest.approx(0.8, abs=0.006)
        for part, drawn in zip(places, (lots < 0.1, (lots >= 0.1) & (lots <= 0.9), lots > 0.9), strict=True):
            assert part.mean() == pytest.approx(drawn.mean(), abs=0.006)
        np.testing.assert_allclose(sum(places), 1)


def test_what_is_undefined_is_nan_not_a_number_that_flatters():
    p, same = np.array([0.2, 0.4, 0.9]), np.array([5.0, 5.0, 5.0])
    assert np.isnan(metrics.roc_auc(np.ones(3), p))
    assert np.isnan(metrics.roc_auc(np.zeros(3), p))
    assert np.isnan(metrics.pr_auc(np.zeros(3), p))
    assert np.isnan(metrics.top_decile_lift(np.zeros(3), p))
    assert np.isnan(metrics.r2(same / 3, p))
    assert np.isnan(metrics.spearman(p, same))
    assert np.isnan(metrics.normalized_gini(same, p))
    assert np.isnan(metrics.normalized_gini(np.zeros(3), p))
    assert np.isnan(metrics.value_deviance(np.array([-1.0, 0, 0]), p))
    assert np.isnan(metrics.value_deviance(np.zeros(3), np.zeros(3)))
    assert np.isnan(metrics.total_bias(np.array([-1.0, 0, 0]), p))
    assert np.isnan(metrics.decile_mape(np.array([0.0, 0, 9]), p))


def test_a_tenth_without_value_is_found_in_any_number_of_customers():
    """Not 1e13: the bounds of the tenths are kept clear of rounding."""
    for n in range(10, 400, 10):
        for tenth in range(10):
            value = np.where(np.arange(n) // (n // 10) == tenth, 0.0, 0.1)
            assert np.isnan(metrics.decile_mape(value, np.arange(n, 0.0, -1)))
