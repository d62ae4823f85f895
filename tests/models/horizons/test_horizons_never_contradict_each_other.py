"""Over longer horizons nobody is likelier to stay away or worth less, of CDNOW's customers as of any others."""

import json
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from models.artifacts import bundle, keeping_parts
from models.btyd.bgnbd import BGNBD
from models.btyd.pareto_nbd import ParetoNBD
from models.ensemble import base_learners, intervals, stacking
from models.ensemble.business_terms import Terms
from models.ensemble.fit_settings import FitSettings
from models.ensemble.recipe import Recipe
from models.ensemble.validation_fit import ValidationFit
from models.horizons import fit_horizons, horizon, share_trees
from models.horizons.fit_horizons import label_column
from models.scoring import batch_scores, scorer
from models.trees.boosting import defaults, matrix
from pipelines.training.training_set import fit_model, training_set

AS_OF = date(1998, 4, 2)
DAYS = [30, 90, 180, 365]
TERMS = {"currency": "USD", "gross_margin": 0.4, "annual_discount_rate": 0.1, "lifetime_days": 1095}
SHAPES = [BGNBD(r=0.25, alpha=40, a=0.8, b=2.5, log_likelihood=0), ParetoNBD(0.55, 80, 0.6, 80, 0)]
SPREAD = intervals.Intervals([0.3], [[0.5] * 50 + [1.5] * 51, [0.2] * 50 + [3.0] * 51])


@pytest.fixture(scope="module")
def taught(read, cdnow_path):
    """A lesson on a tenth of CDNOW's customers over 90 days and three other horizons, and the orders it is from."""
    frame = pd.read_parquet(cdnow_path)
    frame = frame[frame["customer_id"].astype(int) % 10 == 0]
    terms = Terms(horizon_days=90, **TERMS)
    return training_set(read(frame).histories, terms, as_of=AS_OF, horizons=DAYS), terms, frame


@pytest.fixture(scope="module")
def model(taught):
    rows, terms, _ = taught
    few = {name: of for name, of in defaults(5000).items() if name != "rounds"} | {"rounds": 40}
    return fit_model(rows, terms, Recipe(churn=few, value=few, kind="gamma", seed=7))


@pytest.fixture(scope="module")
def over(taught, model):
    """What the model says of all customers, by horizon."""
    return {days: scorer.predict(model, taught[0].current_rows, horizon_days=days) for days in DAYS}


def coherent(nearer, farther):
    for name, way in (("churn_probability", -1), ("expected_value", 1), ("expected_orders", 1)):
        assert (way * (farther[name].to_numpy() - nearer[name].to_numpy()) >= 0).all(), name
    for name in ("value_p10", "value_p90"):
        assert (farther[name].to_numpy() >= nearer[name].to_numpy()).all(), name


def test_every_customer_is_coherent_over_all_horizons(over):
    for nearer, farther in pairwise(DAYS):
        coherent(over[nearer], over[farther])
    for scores in over.values():
        assert scores["churn_probability"].between(0, 1, inclusive="neither").all()
        assert (scores["expected_value"] > 0).all()
        assert (scores["expected_orders"] >= (1 - scores["churn_probability"]) * (1 - 1e-12)).all()
        assert (scores["value_p10"] <= scores["value_p90"]).all()
        np.testing.assert_array_equal(scores["clv"], over[90]["clv"])


def test_the_main_horizon_is_what_it_is_without_others(taught, model, over):
    now = taught[0].current_rows
    alone = replace(model, horizons=())
    pd.testing.assert_frame_equal(scorer.predict(alone, now), over[90])
    assert batch_scores.score(alone, now)["horizon_days"].unique().tolist() == [90]


def test_scores_have_the_main_horizon_first_and_reasons_for_it_alone(taught, model, over):
    now = taught[0].current_rows
    scores = batch_scores.score(model, now)
    assert scores["horizon_days"].tolist() == np.repeat([90, 30, 180, 365], len(now)).tolist()
    for days in DAYS:
        part = scores[scores["horizon_days"] == days].reset_index(drop=True)
        pd.testing.assert_frame_equal(part[over[days].columns], over[days])
    assert scores["reason_1"][: len(now)].notna().any()
    assert scores.loc[len(now) :, ["reason_1", "reason_2", "reason_3"]].isna().all(axis=None)
    assert scores["model_version"].nunique() == 1


def test_labels_of_other_horizons_equal_sql_and_are_unknown_until_their_window_closes(taught):
    rows, _, frame = taught
    database = duckdb.connect()
    database.register("orders", frame.astype({"amount": float}))
    for days in (30, 180, 365):
        found = rows.rows[["customer_id", "as_of", label_column("bought", days), label_column("future_value", days)]]
        open_ = found["as_of"] + pd.Timedelta(days=days) > pd.Timestamp(AS_OF)
        assert found[open_].iloc[:, 2:].isna().all(axis=None)
        for day in {found["as_of"][~open_].min(), found["as_of"][~open_].max()}:
            until = day + timedelta(days=days)
            counted = database.sql(f"""
                select customer_id, count(*) filter (w) > 0 as bought,
                       coalesce(sum(amount) filter (w), 0) * 0.4 as worth
                from (select *, ordered_at >= '{day}' and ordered_at < '{until}' as w from orders)
                group by customer_id having min(ordered_at) < '{day}' order by customer_id""").df()
            said = found[found["as_of"] == day].sort_values("customer_id")
            np.testing.assert_array_equal(said[label_column("bought", days)], counted["bought"])
            np.testing.assert_allclose(
                said[label_column("future_value", days)], counted["worth"].astype(float), atol=1e-6
            )


def test_what_each_horizon_was_learnt_from_is_said(model):
    said = {one.days: one.derivation for one in model.horizons}
    assert said[30] == "learnt from 11 cut-offs"
    assert said[180] == "learnt from 8 cut-offs"
    assert said[365].startswith("extended by ")
    assert said[365].endswith("/NBD, windows have closed at 1 cut-offs only")


def test_shorter_horizons_have_the_level_of_their_cut_offs(taught, model):
    """Over the rows it learnt from, the thirty days' probability and value come out as they did, within a tenth."""
    rows = taught[0].rows
    said = scorer.predict(model, rows, horizon_days=30)
    main = scorer.predict(model, rows)
    orders = (1 - said["churn_probability"]).sum() / (1 - main["churn_probability"]).sum()
    assert orders == pytest.approx(rows[label_column("bought", 30)].sum() / rows["bought"].sum(), rel=0.1)
    value = said["expected_value"].sum() / main["expected_value"].sum()
    assert value == pytest.approx(rows[label_column("future_value", 30)].sum() / rows["future_value"].sum(), rel=0.15)


def test_a_bundle_with_horizons_scores_the_same_and_holds_their_trees(taught, model, over, tmp_path):
    bundle.write(tmp_path, model, training={})
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    more = {f"horizon_{days}_{part}.ubj" for days in (30, 180) for part in ("order", "value")}
    assert set(manifest["files"]) == bundle.FILES | keeping_parts.FILES | more
    assert manifest["horizons"] == {str(one.days): one.derivation for one in model.horizons}
    back = bundle.read(tmp_path)
    for days in DAYS:
        pd.testing.assert_frame_equal(scorer.predict(back, taught[0].current_rows, horizon_days=days), over[days])


def test_a_bundle_without_horizons_has_the_files_it_had(model, tmp_path):
    bundle.write(tmp_path, replace(model, horizons=()), training={})
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert set(manifest["files"]) == bundle.FILES | keeping_parts.FILES
    assert "horizons" not in manifest


def test_a_horizon_that_was_not_trained_is_named(taught, model):
    with pytest.raises(InputError, match=r"looks 30, 90, 180, 365 days ahead, not 60"):
        scorer.predict(model, taught[0].current_rows, horizon_days=60)


@given(
    log_odds=st.floats(-15, 30),
    log_value=st.floats(-5, 15),
    frequency=st.integers(0, 300),
    age=st.floats(1, 3000),
    last=st.floats(0, 1),
    days=st.lists(st.integers(1, 1095), min_size=1, max_size=5),
    shape=st.sampled_from(SHAPES),
)
def test_counting_alone_moves_any_customer_without_contradiction(
    log_odds, log_value, frequency, age, last, days, shape
):
    said = stacking.LogPrediction(np.array([log_odds]), np.array([log_value]))
    main = horizon.HorizonPrediction(said, 1.5 * (1 - said.no_order), np.array([0.2]), *SPREAD.interval(said))
    recency = age * last if frequency else 0.0
    row = pd.DataFrame({"repeat_orders": [frequency], "tenure_days": [age], "recency_days": [age - recency]})
    row["as_of"] = pd.Timestamp(AS_OF)
    steps = [horizon.Horizon(one, beside, "", {}, SPREAD) for one, beside in fit_horizons.neighbours_outward(90, days)]
    found = horizon.predict_horizons(steps, main, row, {"tenure_days": None}, main_days=90, purchase_model=shape)
    ascending = [found[one] for one in sorted(found)]
    for nearer, farther in pairwise(ascending):
        assert farther.log_prediction.no_order <= nearer.log_prediction.no_order
        assert farther.log_prediction.expected_value >= nearer.log_prediction.expected_value
        assert farther.contract_end > nearer.contract_end
        assert farther.expected_orders >= nearer.expected_orders
        assert farther.value_p10 >= nearer.value_p10
        assert farther.value_p90 >= nearer.value_p90


def test_an_extension_multiplies_orders_as_counting_does_and_keeps_the_hazard_of_leaving():
    """A model that says what BG/NBD says of 90 days says what BG/NBD says of 200, orders and probability."""
    shape, past = SHAPES[0], (np.array([0.0, 4.0]), np.array([0.0, 200.0]), np.array([150.0, 260.0]))
    quiet = 1 - shape.probability_of_order(90, *past)
    orders = shape.expected_orders(90, *past)
    said = stacking.log_prediction(quiet, 10 * orders / (1 - quiet))
    main = horizon.HorizonPrediction(said, orders, np.array([0.19, 0.5]), *SPREAD.interval(said))
    rows = pd.DataFrame({"repeat_orders": past[0], "tenure_days": past[2], "recency_days": past[2] - past[1]})
    rows["as_of"] = pd.Timestamp(AS_OF)
    steps = [horizon.Horizon(180, 90, "", {}, SPREAD)]
    found = horizon.predict_horizons(steps, main, rows, {"tenure_days": None}, main_days=90, purchase_model=shape)[180]
    np.testing.assert_allclose(found.log_prediction.no_order, 1 - shape.probability_of_order(180, *past), rtol=1e-9)
    np.testing.assert_allclose(found.expected_orders, shape.expected_orders(180, *past), rtol=1e-9)
    np.testing.assert_allclose(found.log_prediction.expected_value, 10 * found.expected_orders, rtol=1e-9)
    np.testing.assert_allclose(found.contract_end, 1 - np.array([0.81, 0.5]) ** 2, rtol=1e-12)


def test_seasons_are_told_from_causes():
    """Two thousand customers at each of four cut-offs, whose season alternates with their tenure: trees that know the
    tenure give it no credit, and a day a year later is half-way between its own season and the mean."""
    rng = np.random.default_rng(3)
    days = pd.to_datetime(["2020-01-01", "2020-04-01", "2020-07-01", "2020-10-01"])
    shift = np.array([-1.0, 1.0, -1.0, 1.0])
    place = np.repeat(np.arange(4), 2000)
    rows = pd.DataFrame({"as_of": days[place], "tenure_days": 90.0 * place + rng.uniform(0, 60, len(place))})
    share = (rng.uniform(size=len(place)) < 1 / (1 + np.exp(-shift[place]))).astype(float)
    inputs, recipe = {"tenure_days": None}, Recipe(churn=defaults(8000), value={}, kind="gamma", seed=1)
    none = np.zeros(len(place))
    fitted = share_trees.fit(rows, inputs, share=share, weight=none + 1, offset=none, recipe=recipe)
    np.testing.assert_allclose(fitted.shifts, shift, atol=0.15)
    one = pd.DataFrame({"tenure_days": [30.0, 120.0, 210.0]})
    later = [share_trees.days_since_1970(pd.DataFrame({"as_of": [day + pd.Timedelta(days=365)] * 3})) for day in days]
    said = np.array([fitted.predict(matrix(one, inputs), np.zeros(3), day) for day in later])
    assert np.ptp(said, axis=1).max() < 0.08
    np.testing.assert_allclose(said[:, 0], 1 / (1 + np.exp(-shift / 2)), atol=0.05)


def test_under_a_contract_its_end_is_never_likelier_within_fewer_days():
    """Customers who leave at a rate of their own; the thirty days' and the 180 days' chance of it are learnt."""
    rng = np.random.default_rng(5)
    days = np.repeat(pd.date_range("2020-01-01", periods=4, freq="30D"), 1000)
    rate = rng.choice([0.001, 0.01], len(days))
    leaves_in = rng.exponential(1 / rate)
    orders_in = rng.exponential(40, len(days))
    rows = pd.DataFrame({"as_of": days, "rate": rate, "tenure_days": 100.0, "recency_days": 20.0, "repeat_orders": 2.0})
    for days_ahead in (30, 90, 180):
        names = ("bought", "future_value", "churned")
        bought, value, churned = names if days_ahead == 90 else (label_column(name, days_ahead) for name in names)
        rows[bought] = orders_in < days_ahead
        rows[value] = np.clip(days_ahead - orders_in, 0, None)
        rows[churned] = leaves_in < days_ahead
    late = (rows["as_of"] == rows["as_of"].max()).to_numpy()
    said = stacking.log_prediction(
        np.full(len(rows), np.exp(-90 / 40)), np.full(len(rows), rows["future_value"].mean())
    )
    latest = rows[late]
    validation = ValidationFit(
        rows[~late],
        latest,
        base_learners.outcome(latest),
        stacking.single("trees"),
        stacking.LogPrediction(*(column[late] for column in said)),
    )
    inputs = {"rate": None}
    settings = FitSettings(
        terms=Terms(horizon_days=90, **TERMS),
        recipe=Recipe(churn=defaults(4000), value={}, kind="gamma", seed=1),
        inputs=inputs,
        margin_rate=0.4,
        is_contractual=True,
        base_learners=("trees",),
    )
    found = fit_horizons.fit(
        rows, validation, settings, days=[30, 180], purchase_model=SHAPES[0], main_intervals=SPREAD
    )
    main = horizon.HorizonPrediction(said, 1 - said.no_order, 1 - np.exp(-90 * rate), *SPREAD.interval(said))
    over = horizon.predict_horizons(found, main, rows, inputs, main_days=90, purchase_model=SHAPES[0])
    assert (over[30].contract_end < over[90].contract_end).all()
    assert (over[90].contract_end < over[180].contract_end).all()
    for one in (30, 180):
        for each in np.unique(rate):
            assert over[one].contract_end[rate == each].mean() == pytest.approx(1 - np.exp(-one * each), abs=0.03)
