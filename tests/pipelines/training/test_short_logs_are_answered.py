"""A log of one horizon or more is answered, says what was not judged, and is refused only where nothing follows."""

import json
import re
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from models.artifacts import bundle
from models.ensemble.business_terms import Terms
from models.prediction import Prediction
from models.training.temporal_splits import timeline
from pipelines.check import check
from pipelines.cli import main
from pipelines.config import load
from pipelines.reporting.model_card import model_card
from pipelines.training.answered_horizons import answered_horizon
from pipelines.training.holdout_evaluation import repeated
from pipelines.training.judgement import judgement
from pipelines.training.training_set import instructive_cut_offs, training_set
from tests.shops import config_of, train_sooner

END, HORIZON = date(1997, 6, 10), 60
NOW = datetime(1997, 6, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def orders(cdnow_path) -> pd.DataFrame:
    """A tenth of CDNOW's customers."""
    frame = pd.read_parquet(cdnow_path)
    frame["ordered_at"] = pd.to_datetime(frame["ordered_at"])
    return frame[frame["customer_id"].astype(int) % 10 == 3]


@pytest.fixture(scope="module")
def stayworth(tmp_path_factory, orders):
    """A folder with 160 days of orders and a horizon of 60, and a way to run commands in it; returns the exit code."""
    folder = tmp_path_factory.mktemp("short")
    orders[orders["ordered_at"] < str(END)].to_parquet(folder / "orders.parquet")
    more = '[train]\ntrials = 1\n[output]\nfolder = "."\n'
    (folder / "stayworth.toml").write_text(config_of("orders.parquet", horizon_days=HORIZON, more=more))
    patch = pytest.MonkeyPatch()
    patch.chdir(folder)
    train_sooner(patch)

    def run(*arguments: str) -> int:
        patch.setattr(sys, "argv", ["stayworth", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        return int(caught.value.code or 0)

    yield run
    patch.undo()


@pytest.fixture(scope="module")
def trained(stayworth) -> dict:
    """metrics.json of the short log."""
    assert stayworth("train", "--json") == 0
    return json.loads(Path("metrics.json").read_text())


def test_metrics_say_not_judged_and_how_sure_the_total_is(trained):
    judged = trained["judgement"]
    assert not judged["is_judged"]
    assert judged["in_words"].startswith("not judged over 60 days: the log has 160 days, and judging takes 180")
    assert (judged["horizon_days"], judged["judged_days"], judged["learned_days"]) == (60, 40, 40)
    assert trained["horizon_days"] == 40, "the metrics are those of the days that were judged"
    total = judged["expected_total"]
    factors = [total["high"] / total["value"], total["value"] / total["low"]]
    assert factors == pytest.approx([np.exp(1.2816 * 0.5)] * 2, rel=1e-3)


def test_the_bundle_answers_for_the_horizon_that_was_asked_for(trained):
    (folder,) = Path("mlartifacts").rglob("manifest.json")
    manifest = json.loads(folder.read_text())
    assert manifest["training"]["horizon_days"] == 60
    assert manifest["training"]["judged"] == trained["judgement"]["in_words"]
    model = bundle.read(folder.parent)
    assert (model.terms.horizon_days, model.longer_horizon.learned_days) == (60, 40)
    assert "learned on windows of 40 days, extended to 60: the log is too short for more" in model.lifetime.doubts


@pytest.mark.usefixtures("trained")
def test_no_metric_of_fewer_days_is_registered_as_one_of_the_horizon():
    from models.artifacts import registry

    version = registry.find("sqlite:///mlflow.db", "champion")
    assert json.loads(version.tags["headline"]) == {}
    assert version.tags["horizon_days"] == "60"


def test_the_model_card_says_not_judged(trained):
    facts = dict(model_card(trained, [])["facts"])
    assert facts["What it predicts"] == "churn (no order) and margin over 60 days"
    assert facts["Judged"].startswith("not judged over 60 days")
    assert "40 days after it" in facts["Evaluated on"]


@pytest.mark.slow
@pytest.mark.usefixtures("trained")
def test_the_whole_loop_works(stayworth, capsys):
    for command in ("check", "evaluate --cut-offs 2 --trials 1", f"score --as-of {END}", "report"):
        capsys.readouterr()
        assert stayworth(*command.split()) == 0
        if command.startswith(("check", "evaluate")):
            assert "ot judged over 60 days" in capsys.readouterr().out
    scores = pd.read_parquet("scores.parquet")
    assert (scores["horizon_days"] == 60).all()
    assert (scores["expected_orders"] >= 1 - scores["churn_probability"] - 1e-9).all()
    assert "Not judged over 60 days" in Path("report.html").read_text()


def test_http_tells_what_was_not_judged(trained):
    from serving.active_model import load as load_model

    (manifest,) = Path("mlartifacts").rglob("manifest.sha256")
    active = load_model(manifest)
    assert active.judged == trained["judgement"]["in_words"]
    assert active.metrics == {}


@pytest.mark.parametrize("have", [59, 91, 160, 330])
def test_what_check_says_can_be_trained_train_does_not_refuse(read, orders, have):
    end = pd.Timestamp("1997-01-01") + timedelta(days=have)
    log = read(orders[orders["ordered_at"] < end]).histories
    for days in (7, 22, 45, 90, 180, 400):
        told = answered_horizon(log, days)
        try:
            window, judged = judgement(log.first_day, log.end, horizon_days=days)
            near, far = (Terms(span, "USD", 0.4, 0.1, 1095) for span in (window.horizon_days, days))
            may_count = not judged.is_judged
            training_set(log, near, as_of=window.as_of, learned_days=window.learned_days, may_count=may_count)
            training_set(log, far, as_of=log.end)
            assert told == (True, judged.is_judged)
        except InputError as error:
            assert not told.trainable
            for named in re.findall(r"horizon_days to (\d+)", str(error)):
                assert answered_horizon(log, int(named)).trainable, "a setting that is named works"


def test_check_advises_only_what_can_be_trained(trained):
    content = check(load(Path("stayworth.toml")), now=NOW)
    by_days = {row["horizon_days"]: row for row in content["horizons"]}
    assert by_days[content["advised_horizon_days"]]["trainable"]
    assert by_days[60]["trainable"]
    assert not by_days[60]["judged"]
    assert content["answered"] == trained["judgement"]["in_words"]


def labelled(churned_by_day: dict[date, int], *, customers: int = 20) -> pd.DataFrame:
    """Rows of so many customers a day, of whom some churned and the others ordered."""
    rows = [(pd.Timestamp(day), k < left, k >= left) for day, left in churned_by_day.items() for k in range(customers)]
    return pd.DataFrame(rows, columns=["as_of", "churned", "bought"])


LINE = timeline(date(2024, 1, 1), as_of=date(2024, 9, 1), horizon_days=30)


@pytest.mark.parametrize("few", [0, 4, 17, 20])
def test_an_early_cut_off_that_nobody_or_everybody_left_is_dropped(few):
    rows = labelled({day: few if day == LINE.train[0] else 10 for day in LINE.matured})
    kept, is_counted = instructive_cut_offs(LINE, rows, may_count=False)
    assert not is_counted
    assert kept.matured == LINE.matured[1:]


@pytest.mark.parametrize("few", [0, 20])
def test_without_anybody_to_tell_apart_nothing_follows(few):
    rows = labelled(dict.fromkeys(LINE.matured, few))
    for may_count in (False, True):
        with pytest.raises(InputError, match="at least 5 who do and 5 who do not"):
            instructive_cut_offs(LINE, rows, may_count=may_count)


def test_a_counting_model_is_left_to_serve_where_trees_cannot_be_taught():
    rows = labelled(dict.fromkeys(LINE.matured, 3))
    assert instructive_cut_offs(LINE, rows, may_count=True) == (LINE, True)
    with pytest.raises(InputError, match="3 of 20 customers left"):
        instructive_cut_offs(LINE, rows, may_count=False)


def test_a_rule_repeats_itself_over_a_longer_horizon():
    said = repeated(Prediction(np.array([0.5, 1.0]), np.array([10.0, 0.0])), 3)
    assert said.churn_probability.tolist() == [0.125, 1]
    assert said.expected_value.tolist() == [30, 0]
