"""The rivals of the benchmark: made from the past only, on the same customers, and judged by honest verdicts."""

import json
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from benchmarks import page, rival_days, rival_models, rival_tables, rivals
from benchmarks.rival_days import LOGS, closed_cut_offs, measure_day, past_rows
from benchmarks.rival_models import PastRows, counting, gamma_value, logistic_churn, mean_of, two_parts
from benchmarks.rival_tables import TABLES, LabelTable, measure_table
from benchmarks.rival_verdicts import BEST, best_rival, losses, verdict_rows
from models import STAYWORTH
from models.prediction import Prediction
from pipelines.config import load
from pipelines.training.training_set import training_set
from tests.shops import config_of

DAY = date(1998, 1, 2)


def without_boosters(past, test):
    """Stands in for the rivals where LightGBM and CatBoost are not installed."""
    regression, pareto = two_parts(past, test, logistic_churn, gamma_value), counting(past, test)
    return {"regression": regression, "Pareto/NBD": pareto, "mean": mean_of([regression, pareto])}


@pytest.fixture(scope="module")
def small_shop(read, cdnow_path, tmp_path_factory):
    """The config and histories of a thirtieth of CDNOW's customers."""
    folder = tmp_path_factory.mktemp("shop")
    orders = pd.read_parquet(cdnow_path)
    orders[orders["customer_id"].astype(int) % 30 == 0].to_parquet(folder / "orders.parquet")
    (folder / "stayworth.toml").write_text(config_of("orders.parquet"), "utf-8")
    config = load(folder / "stayworth.toml")
    return config, read(folder / "orders.parquet").histories


def past_of(small_shop, *, horizon_days, as_of=DAY):
    config, histories = small_shop
    terms = replace(config.terms, horizon_days=horizon_days)
    training = training_set(histories, terms, as_of=as_of)
    return past_rows(histories, training, terms)


@pytest.mark.parametrize("horizon_days", [60, 90, 180])
def test_rivals_learn_from_windows_that_had_closed(small_shop, horizon_days):
    past = past_of(small_shop, horizon_days=horizon_days)
    assert past.window_days == horizon_days, "a year of log has whole windows of all of these"
    assert past.rows["as_of"].max() + pd.Timedelta(days=past.window_days) <= pd.Timestamp(DAY)
    assert not {"churned", "bought", "future_value", "as_of", "customer_id"} & set(past.features)


def test_where_no_whole_window_has_closed_rivals_repeat_shorter_ones(small_shop):
    past = past_of(small_shop, horizon_days=330)
    assert past.window_days == 91, "as we do, a quarter of the days known"
    flat = two_parts(past, past.current_rows, always(0.5), always(2.0))
    value_of_buyers = past.rows.loc[past.rows["bought"], "future_value"].mean()
    assert flat.churn_probability == pytest.approx(np.full(len(past.current_rows), 0.5 ** (330 / 91)))
    assert flat.expected_value == pytest.approx(0.5 * 2 * value_of_buyers * 330 / 91)


def always(number):
    """A learner of one part that predicts a number whatever it sees."""
    return lambda _: lambda values: np.full(len(values), number)


def test_rows_to_stop_by_come_after_the_windows_of_the_others(small_shop):
    past = past_of(small_shop, horizon_days=60)
    early, late = (past.rows["as_of"].iloc[part] for part in past.split())
    assert early.max() + pd.Timedelta(days=60) <= late.min() == late.max() == past.rows["as_of"].max()


def test_where_windows_overlap_the_rows_to_stop_by_are_of_other_customers(small_shop):
    past = past_of(small_shop, horizon_days=180)
    early, late = (set(past.rows["customer_id"].iloc[part]) for part in past.split())
    assert early
    assert late
    assert not early & late


def test_cut_offs_are_those_whose_whole_window_had_closed(small_shop):
    config, histories = small_shop
    days = closed_cut_offs(histories.first_day, replace(config.terms, horizon_days=180), as_of=DAY)
    assert days[-1] == DAY - timedelta(days=180)
    assert days[0] >= histories.first_day + timedelta(days=60)


def test_the_two_parts_of_a_regression_find_a_planted_effect():
    rng = np.random.default_rng(3)
    number = rng.exponential(size=4000)
    churned = rng.random(4000) < 1 / (2 + number)  # logit: -ln(1 + x)
    value = np.where(churned, 0, 5 * (1 + number) * rng.gamma(8, 1 / 8, 4000))
    rows = pd.DataFrame({"number": number, "churned": churned, "bought": ~churned, "future_value": value})
    rows = rows.assign(as_of=pd.Timestamp("2024-01-01"), customer_id=np.arange(4000).astype(str))
    past = PastRows(rows, rows, ["number"], 30, 30, 1.0, seed=1)
    churn, value, *_ = two_parts(past, pd.DataFrame({"number": [0.2, 2.0]}), logistic_churn, gamma_value)
    assert churn == pytest.approx([1 / 2.2, 1 / 4], rel=0.1)
    assert value == pytest.approx([5 * 1.2 * (1 - 1 / 2.2), 5 * 3 * (1 - 1 / 4)], rel=0.1)


def test_a_day_is_measured_on_a_small_shop(small_shop, monkeypatch):
    config, histories = small_shop
    monkeypatch.setattr(rival_days, "predict_rivals", without_boosters)
    monkeypatch.setattr(rival_days, "RESAMPLES", 20)
    evaluation = measure_day(config, histories, horizon_days=60, as_of=DAY)
    assert list(evaluation["models"]) == [STAYWORTH, "regression", "Pareto/NBD", "mean"]
    assert evaluation["customers"] == 785
    for name, metrics in evaluation["models"].items():
        assert 0.6 < metrics["roc_auc"]["value"] < 0.95, name
        assert 0 < metrics["log_loss"]["value"] < 0.6, name


def test_the_days_are_at_least_twenty_at_horizons_of_30_to_365_days():
    days = [(name, *day) for name, log in LOGS.items() for day in log.days]
    assert len(set(days)) == len(days) >= 20
    assert {horizon for _, horizon, _ in days} == {30, 90, 180, 365}


def test_a_label_table_is_predicted_by_models_that_have_not_seen_the_customer(monkeypatch):
    monkeypatch.setattr(rival_tables, "RESAMPLES", 20)
    seen = []

    def base_rate(fold):
        seen.append(set(fold.parsed.index) & set(fold.judged.index))
        return np.full(len(fold.judged), fold.churned.mean())

    monkeypatch.setattr(rival_tables, "MODELS", {STAYWORTH: base_rate, "regression": rival_tables.regression})
    evaluation = measure_table(TABLES["breast cancer"])
    assert seen == [set()] * 5
    assert evaluation["customers"] == 569
    assert evaluation["models"][STAYWORTH]["ece"]["value"] < 0.01
    assert evaluation["models"]["regression"]["roc_auc"]["value"] > 0.99


def test_names_are_codes_that_a_later_table_shares():
    parsed = pd.DataFrame({"size": [1.0, 2.0, 3.0], "kind": ["b", "a", "b"]})
    columns = rival_tables.describe_columns(parsed.astype({"kind": object}))
    judged = pd.DataFrame({"size": [4.0, np.nan, 5.0], "kind": ["b", "never seen", None]})
    fold = rival_tables.Fold(parsed, columns, np.array([0.0, 1, 0]), judged)
    named, values, unseen = rival_tables.codes(fold)
    assert named == [1]
    assert values[:, 1].tolist() == [0, 1, 0]
    assert unseen[:, 1] == pytest.approx([0, np.nan, np.nan], nan_ok=True)


def evaluation_of(ours, **rivals):
    """An evaluation of one metric, from our value and, by rival, theirs with the interval of ours less theirs."""

    def estimate(value, low=None, high=None):
        return {"log_loss": {"value": value, "low": low, "high": high}}

    return {
        "customers": 9,
        "models": {STAYWORTH: estimate(ours)} | {name: estimate(theirs) for name, (theirs, _, _) in rivals.items()},
        "differences": {name: estimate(ours - theirs, low, high) for name, (theirs, low, high) in rivals.items()},
    }


DAYS = [
    evaluation_of(0.50, A=(0.52, -0.03, -0.01), B=(0.51, -0.02, 0.01)),  # A beaten; B undecided, and the best
    evaluation_of(0.50, A=(0.49, 0.005, 0.02), B=(0.53, -0.04, -0.02)),  # A beats us, and is the best
    evaluation_of(0.50, A=(0.54, -0.05, -0.03), B=(0.55, -0.06, -0.04)),  # both beaten
]


def test_verdicts_are_those_counted_by_hand():
    assert verdict_rows(DAYS, ["log_loss"], mean_of=["log_loss"]) == [
        ["A", "2 / 0 / 1", "-0.0167"],  # -.02, +.01, -.04
        ["B", "2 / 1 / 0", "-0.0300"],  # -.01, -.03, -.05
        [BEST, "1 / 1 / 1", "-0.0133"],  # B: -.01; A: +.01; A: -.04
    ]
    assert [best_rival(day, "log_loss") for day in DAYS] == ["B", "A", "A"]


def test_a_loss_is_one_whose_whole_interval_is_on_the_side_of_the_rival():
    assert [losses(day, "log_loss") for day in DAYS] == [
        [],
        [("A", pytest.approx((0.50, 0.49, 0.01, 0.005, 0.02)))],
        [],
    ]


def test_the_best_rival_has_the_highest_gini_but_the_lowest_loss():
    models = {name: {"normalized_gini": {"value": gini}} for name, gini in (("us", 0.5), ("A", 0.6), ("B", 0.7))}
    undefined = {name: {"normalized_gini": {"value": None}} for name in models}
    assert best_rival({"models": models, "differences": {"A": {}, "B": {}}}, "normalized_gini") == "B"
    assert best_rival({"models": undefined, "differences": {"A": {}, "B": {}}}, "normalized_gini") is None


def test_losses_stand_on_the_page_and_absent_data_are_named(monkeypatch, tmp_path, capsys):
    absent = tmp_path / "no.parquet"
    monkeypatch.setattr(rivals, "import_boosters", lambda: None)
    monkeypatch.setattr("benchmarks.table.RESULTS", tmp_path)
    monkeypatch.setattr(rivals, "RESULTS", tmp_path)
    monkeypatch.setattr(rivals, "LOGS", {"Nowhere": replace(LOGS["CDNOW"], needs=absent)})
    monkeypatch.setattr(rivals, "TABLES", {"Nobody": LabelTable(pd.DataFrame, "left", needs=absent)})
    rivals.main([])
    printed = capsys.readouterr().out
    assert f"Nowhere: not measured, {absent} does not exist" in printed
    assert f"Nobody: not measured, {absent} does not exist" in printed
    rivals.show_losses({"some day": DAYS[1]}, ("log_loss",))
    printed = capsys.readouterr().out
    assert "stayworth loses beyond the interval: 1" in printed
    assert "0.4900" in printed


def test_a_mean_is_the_mean_of_probabilities_and_values():
    mean = mean_of([Prediction(np.array([0.2]), np.array([4.0])), Prediction(np.array([0.4]), np.array([8.0]))])
    assert (mean.churn_probability, mean.expected_value) == (pytest.approx([0.3]), pytest.approx([6.0]))


def test_boosters_of_both_kinds_learn_where_they_are_installed(small_shop, monkeypatch):
    folder = rival_models.beside.__globals__["ENVIRONMENTS"] / "boosters"
    if not (folder / "made").exists():
        pytest.skip(f"LightGBM and CatBoost are not installed in {folder}; `python -m benchmarks rivals` installs them")
    monkeypatch.setattr(rival_models, "MOST_ROUNDS", 10)
    past = past_of(small_shop, horizon_days=60)
    predictions = rival_models.predict_rivals(past, past.current_rows)
    assert list(predictions) == ["LightGBM", "CatBoost", "regression", "Pareto/NBD", "mean"]
    for name, prediction in predictions.items():
        assert ((prediction.churn_probability > 0) & (prediction.churn_probability < 1)).all(), name
        assert (prediction.expected_value >= 0).all(), name
        assert prediction.expected_value.std() > 0, name


def test_a_page_keeps_the_parts_that_have_no_results_here(monkeypatch, tmp_path):
    headings = list(page.PARTS.values())
    machine = {"cores": 2, "python": "3", "libraries": {}}
    tables = [{"title": "new", "header": ["", "x"], "rows": [["a", "1"]]}]
    (tmp_path / "rivals.json").write_text(json.dumps({"machine": machine, "tables": tables}))
    monkeypatch.setattr(page, "RESULTS", tmp_path)
    monkeypatch.setattr(page, "PAGE", tmp_path / "page.md")
    kept = f"\n## {headings[0]}\n\nas measured before\n"
    page.PAGE.write_text(f"# Old head\n{kept}\n## {page.PARTS['rivals']}\n\nold\n\n## No longer measured\n\nold\n")
    page.main([])
    assert page.PAGE.read_text() == page.HEAD + kept + page.part(
        page.PARTS["rivals"], {"machine": machine, "tables": tables}
    )
