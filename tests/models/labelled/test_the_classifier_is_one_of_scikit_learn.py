"""`ChurnClassifier` keeps scikit-learn's contract, takes tables as they are, and finds what is there to be found."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

from models.evaluation.metrics import ece, log_loss, roc_auc
from models.labelled.churn_classifier import ChurnClassifier
from models.labelled.label_model import blend
from models.labelled.table_columns import describe_columns, parse_columns
from tests.pipelines.labelled.tables import customers


@pytest.fixture(scope="module")
def table():
    rows = customers()
    return rows.drop(columns=["client", "left"]), (rows["left"] == "yes").to_numpy()


@pytest.mark.slow
def test_it_passes_the_checks_of_scikit_learn():
    results = check_estimator(ChurnClassifier(folds=2), on_fail=None, on_skip=None)
    assert [result["check_name"] for result in results if result["status"] == "failed"] == []


def test_it_works_in_a_pipeline_and_in_a_search(table):
    rows, left = table
    pipeline = make_pipeline(FunctionTransformer(lambda frame: frame.drop(columns="town")), ChurnClassifier(folds=2))
    search = GridSearchCV(pipeline, {"churnclassifier__max_depth": [1, 2]}, cv=2, scoring="roc_auc").fit(rows, left)
    assert search.best_score_ > 0.7


def test_probabilities_are_ranked_and_calibrated_for_customers_it_has_not_seen():
    rows = customers(2000, seed=3)
    left = (rows.pop("left") == "yes").to_numpy()
    probability = cross_val_predict(
        ChurnClassifier(folds=3), rows.drop(columns="client"), left, cv=3, method="predict_proba"
    )[:, 1]
    assert roc_auc(left.astype(float), probability) > 0.77
    assert ece(left.astype(float), probability) < 0.035


def test_contributions_sum_to_the_log_odds(table):
    """The oracle: the log-odds, less those of a customer about whom nothing is added, row by row the same number."""
    rows, left = table
    model = ChurnClassifier(folds=2).fit(rows, left).model_
    parsed = parse_columns(rows, model.columns)
    rest = model.log_odds(parsed) - model.contributions(parsed).sum(axis=1)
    assert np.ptp(rest) < 1e-3


def test_a_monotone_column_never_lowers_the_trees(table):
    rows, left = table
    model = ChurnClassifier(folds=2, monotone={"tenure": -1}).fit(rows, left).model_
    for member in model.members:
        steps = pd.concat([rows.head(1)] * 60, ignore_index=True).assign(tenure=np.arange(60))
        trees, _ = member.log_odds(member.encoding.values(parse_columns(steps, model.columns)))
        assert (np.diff(trees) <= 1e-6).all()


def test_the_blend_is_never_worse_than_its_better_half():
    """The oracle: noisy log-odds of a known probability; the blend of both beats each alone, and bears no minus."""
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.05, 0.95, 4000)
    churned = (rng.random(4000) < truth).astype(float)
    odds = logit(truth) + rng.normal(0, 1, (2, 4000))
    weights, intercept = blend(odds, churned)
    blended = expit(np.asarray(weights) @ odds + intercept)
    assert log_loss(churned, blended) < min(log_loss(churned, expit(one)) for one in odds)
    weights, _ = blend(np.stack([odds[0], -odds[0] + rng.normal(0, 0.01, 4000)]), churned)
    assert min(weights) >= 0


@pytest.mark.parametrize(
    ("cells", "kind", "parsed"),
    [
        (["1,5", "2,0", "", "10,25"], "number", [1.5, 2.0, np.nan, 10.25]),
        (["1,234", "12,000.5", "7", "?"], "number", [1234, 12000.5, 7, np.nan]),
        (["True", "false", "TRUE", "n/a"], "number", [1, 0, 1, np.nan]),
        (["2020-01-01", "1970-01-02", "", "1970-01-01"], "day", [18262, 1, np.nan, 0]),
        (["31.12.1970", "01.01.1970", "", "02.01.1970"], "day", [364, 0, np.nan, 1]),
        (["a", " a ", "b", "NULL"], "names", ["a", "a", "b", None]),
        (["x", "x", "x", "x"], "unused", None),
        (["x", "", "x", None], "names", ["x", None, "x", None]),
        (["", "-", None, "nan"], "unused", None),
    ],
)
def test_columns_are_read_as_they_are_written(cells, kind, parsed):
    frame = pd.DataFrame({"column": pd.Series(cells, dtype=object)})
    columns = describe_columns(frame)
    assert columns["column"].kind == kind
    if parsed is not None:
        found = parse_columns(frame, columns)["column"]
        pd.testing.assert_series_equal(found, pd.Series(parsed, name="column", dtype=found.dtype))


def test_many_names_are_learned_from_without_learning_them_by_heart():
    """Of 300 towns, none of which matters, a model that knew towns by heart would promise more than chance."""
    rng = np.random.default_rng(1)
    rows = pd.DataFrame({"town": rng.integers(0, 300, 3000).astype(str), "age": rng.normal(size=3000)})
    rows["town"] = "t" + rows["town"]
    left = rng.random(3000) < 0.3
    probability = cross_val_predict(ChurnClassifier(folds=2), rows, left, cv=2, method="predict_proba")[:, 1]
    assert 0.45 < roc_auc(left.astype(float), probability) < 0.55
    effect = rng.normal(0, 1.5, 300)[rows["town"].str[1:].astype(int)]
    left = rng.random(3000) < expit(effect)
    probability = cross_val_predict(ChurnClassifier(folds=2), rows, left, cv=2, method="predict_proba")[:, 1]
    assert roc_auc(left.astype(float), probability) > 0.65
