"""A good candidate for the gate: all that the gate looks at, from a fifth of CDNOW's customers."""

from datetime import date

import pytest

from models import STAYWORTH
from models.artifacts import bundle
from models.ensemble.baselines import fit_baselines
from models.evaluation import metrics
from models.prediction import Prediction
from models.scoring import scorer
from pipelines.gate.evidence import Evidence, examine
from pipelines.leakage.leakage_probes import dominant_columns, shuffled_labels
from pipelines.training.champion_comparison import ChampionComparison
from pipelines.training.lifetime_choice import LifetimeChoice

TRAINING = {"as_of": "1998-04-02", "horizon_days": 90, "seed": 7, "params": {}}
NOW = date(1998, 4, 10)


@pytest.fixture(scope="session")
def predicted(model, taught):
    """What the good model says of the test day."""
    scores = scorer.predict(model, taught[2])
    names = ("churn_probability", "expected_value", "value_p10", "value_p90")
    return Prediction(*(scores[name].to_numpy() for name in names))


@pytest.fixture(scope="session")
def simple(taught):
    lesson, _, test = taught
    fitted = fit_baselines(lesson.rows, lesson.current_rows, horizon_days=90, margin_rate=0.4)
    return {name: fitted[name].predict(test) for name in ("last_period", "hiatus", "rfm_logistic")}


@pytest.fixture(scope="session")
def judged(taught, predicted, simple):
    """The evaluation of any prediction against a champion that predicts as the good model does."""

    def evaluated(candidate, champion=predicted):
        against = {"champion": champion} if champion else {}
        return metrics.evaluate(
            taught[2], {STAYWORTH: candidate, **against, **simple}, resamples=40, seed=1, confidence=0.95
        )

    return evaluated


@pytest.fixture(scope="session")
def well(judged, predicted):
    """The evaluation of the good candidate."""
    return judged(predicted)


@pytest.fixture(scope="session")
def canaries_of(taught):
    """The canaries of the lesson with other columns, or none."""
    lesson, _, test = taught

    def sung(**columns):
        rows = lesson.rows.tail(10_000)
        both = [of.assign(**{name: make(of) for name, make in columns.items()}) for of in (rows, test)]
        features = [*lesson.features[:8], *columns]
        return {
            "shuffled_labels": shuffled_labels(*both, features, seed=1),
            "strongest": dominant_columns(*both, features, list(columns), seed=1),
        }

    return sung


@pytest.fixture(scope="session")
def honest(canaries_of):
    return canaries_of()


@pytest.fixture
def candidate_folder(model, tmp_path):
    bundle.write(tmp_path, model, training=TRAINING)
    return tmp_path


@pytest.fixture(scope="session")
def good(model, taught, well, honest, tmp_path_factory):
    """Evidence that no test changes: they replace parts of it."""
    lesson, _, test = taught
    folder = tmp_path_factory.mktemp("good")
    bundle.write(folder, model, training=TRAINING)
    return Evidence(
        metrics=well,
        candidate=examine(folder, test),
        rows=test,
        log_features=lesson.features,
        probes=honest,
        horizon_days=90,
        now=NOW,
        champion=ChampionComparison("3", date(1998, 3, 1), {"training": {"as_of": "1998-03-01"}}, model, "its bundle"),
        lifetimes=LifetimeChoice(
            {
                "as_of": "1997-04-02",
                "days": 365,
                "differences": {"pareto_nbd": {"value": -0.1, "low": -0.2, "high": -0.05}},
                "champion": "version 3, its bundle",
            }
        ),
    )
