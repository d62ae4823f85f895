"""Scores of several horizons in one file: plan, report and service use those of the main one."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pydantic import ValidationError

from pipelines import run_folder
from pipelines.batches.latest_scores import latest_scores, over_main_horizon
from pipelines.batches.staged_scores import stage
from pipelines.config import Time
from pipelines.plan import make_plan
from pipelines.score import COLUMNS
from tests.shops import VOUCHER, config_of

CUSTOMERS = 40
GAIN_CUT = 0.5


def scores_over(days, churn_probability, value):
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "customer_id": [f"{number:05d}" for number in range(CUSTOMERS)],
            "as_of": pd.Timestamp("2020-01-01"),
            "horizon_days": np.int32(days),
            "churn_probability": churn_probability,
            "expected_orders": 1.0,
            "expected_value": value,
            "value_p10": 0.0,
            "value_p90": 2 * value,
            "clv": rng.uniform(10, 500, CUSTOMERS),
            "clv_p10": 0.0,
            "clv_p90": 900.0,
            "savable_probability": 0.2,
            "gain": np.geomspace(0.05, 60, CUSTOMERS) * days / 90,
            "next_order_at": pd.Timestamp("2020-02-01"),
            "reason_1": "62 days since the last order" if days == 90 else None,
            "reason_2": None,
            "reason_3": None,
            "model_version": "abc",
        }
    )


@pytest.fixture
def rows():
    return pd.DataFrame({"spend_last_365d": np.random.default_rng(2).uniform(0, 100, CUSTOMERS)})


@pytest.fixture
def staged(rows, tmp_path):
    """Scores with segments, of one part and some horizons."""

    def given(name, *frames):
        (tmp_path / name).mkdir()
        return stage([(pd.concat(frames, ignore_index=True), rows)], tmp_path / name, gain_cut=GAIN_CUT)

    return {
        "both": given("both", scores_over(90, 0.5, 20.0), scores_over(30, 0.8, 8.0), scores_over(180, 0.3, 35.0)),
        "alone": given("alone", scores_over(90, 0.5, 20.0)),
    }


@pytest.fixture
def both(staged):
    return pa.concat_tables(staged["both"].tables()).to_pandas(date_as_object=False)


@pytest.fixture
def alone(staged):
    return pa.concat_tables(staged["alone"].tables()).to_pandas(date_as_object=False)


@pytest.fixture
def config(tmp_path):
    from pipelines.config import load as read

    text = config_of("orders.csv", more=VOUCHER).replace("[money]", "horizons = [30, 180]\n[money]")
    (tmp_path / "stayworth.toml").write_text(text)
    (tmp_path / "orders.csv").write_text("customer_id,ordered_at,amount\n")
    return read(tmp_path / "stayworth.toml")


def test_a_customer_has_one_segment_over_all_horizons(both, alone):
    assert both.columns.tolist() == list(COLUMNS)
    assert both["segment"].tolist() == 3 * alone["segment"].tolist()
    pd.testing.assert_frame_equal(over_main_horizon(both), alone, check_dtype=False)


@pytest.mark.parametrize("budget", [5.0, 20.0, 1e6])
def test_nobody_whom_the_command_contacts_is_let_go(config, both, budget):
    run_folder.write_table(config.folder / run_folder.SCORES, both)
    let_go = set(both.loc[both["segment"] == "let go", "customer_id"])
    told = []
    options = {"budget": budget, "capacity": None, "offer_names": (), "campaign": None, "outputs": [], "holdout": 0.5}
    made = make_plan(config, **options, warn=told.append)
    assert let_go
    assert len(made.frame)
    assert not set(made.frame["customer_id"]) & let_go
    assert not any("let go" in warning for warning in told)


def test_scores_that_know_no_such_cheap_offer_are_named(config, both):
    run_folder.write_table(config.folder / run_folder.SCORES, both.assign(segment="let go"))
    told = []
    options = {"budget": 10.0, "capacity": None, "offer_names": (), "campaign": None, "outputs": []}
    made = make_plan(config, **options, warn=told.append)
    assert f"{len(made.frame)} customers of the plan are let go by the segments of these scores" in told[-1]


def test_the_plan_is_the_same_with_and_without_other_horizons(config, both, alone):
    plans = []
    for scores in (alone, both):
        run_folder.write_table(config.folder / run_folder.SCORES, scores)
        plans.append(make_plan(config, budget=10.0, capacity=None, offer_names=(), campaign=None, outputs=[]))
    pd.testing.assert_frame_equal(plans[0].frame.reset_index(drop=True), plans[1].frame.reset_index(drop=True))
    assert plans[0].summary == plans[1].summary
    assert len(latest_scores(config.folder)) == CUSTOMERS


def test_the_totals_count_each_customer_once(staged):
    both, alone = staged["both"], staged["alone"]
    assert (both.customers, both.totals) == (alone.customers, alone.totals)
    assert both.totals["expected_churners"] == 0.5 * CUSTOMERS


def test_no_scores_have_no_main_horizon():
    assert over_main_horizon(scores_over(90, 0.5, 20.0).head(0)).empty


def test_horizons_are_days(config):
    assert config.time.horizons == (30, 180)
    with pytest.raises(ValidationError):
        Time(horizon_days=90, horizons=(0,))
