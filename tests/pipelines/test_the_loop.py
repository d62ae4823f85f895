"""init, check, features, train, score, plan and report as a user types them, on a tenth of CDNOW."""

import json
import re
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from pipelines.cli import main
from pipelines.score import COLUMNS
from retention.presentation.theme import script
from tests.shops import train_sooner


@pytest.fixture(scope="module")
def stayworth(tmp_path_factory, cdnow_path):
    """A folder with a config of its own, and a way to run commands in it that returns what they print as JSON."""
    folder = tmp_path_factory.mktemp("shop")
    duckdb.sql(f"""copy (select customer_id as "Customer No", strftime(ordered_at, '%d/%m/%Y') as "Date",
                                amount as "Total"
                         from '{cdnow_path}' where customer_id::int % 10 = 0)
                   to '{folder / "sales.csv"}' (header)""")
    patch = pytest.MonkeyPatch()
    patch.chdir(folder)
    train_sooner(patch)

    def run(*arguments: str) -> None:
        patch.setattr(sys, "argv", ["stayworth", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        assert not caught.value.code

    yield run
    patch.undo()


@pytest.fixture(scope="module")
def shop(stayworth):
    """The folder after init, train and score."""
    stayworth("init", "sales.csv")
    config = Path("stayworth.toml")
    text = config.read_text().replace("trials = 30", "trials = 1").replace("horizon_days = 90", "horizon_days = 60")
    config.write_text(text)
    stayworth("train", "--json")
    stayworth("score", "--as-of", "1998-07-01", "-o", "scores.csv", "--json")
    return Path.cwd()


def test_init_guesses_columns_and_the_way_dates_are_written(shop):
    text = (shop / "stayworth.toml").read_text()
    for line in ('customer_id = "Customer No"', 'ordered_at = "Date"', 'amount = "Total"', 'format = "%d/%m/%Y"'):
        assert line in text


@pytest.mark.usefixtures("shop")
def test_check_reconciles_and_advises(stayworth, capsys):
    capsys.readouterr()
    stayworth("check", "--json")
    said = json.loads(capsys.readouterr().out)
    source, *parts = said["reconciliation"]
    assert source["rows"] == sum(part["rows"] for part in parts) > 6000
    assert said["advised_horizon_days"] in [one["horizon_days"] for one in said["horizons"] if one["trainable"]]


def test_features_of_many_days_are_written_in_one_file(shop, stayworth):
    stayworth("features", "--as-of", "1997-06-01", "--as-of", "1998-01-01", "-o", "features.parquet", "--json")
    rows = pd.read_parquet(shop / "features.parquet")
    assert sorted(rows["as_of"].astype(str).unique()) == ["1997-06-01", "1998-01-01"]
    assert rows.groupby("as_of")["customer_id"].nunique().tolist() == [2357, 2357]


def test_rfm_quintiles_equal_sql_for_every_customer_of_every_day(shop, stayworth):
    stayworth("features", "--as-of", "1997-03-01", "--as-of", "1998-01-01", "-o", "new/rfm.parquet", "--rfm")
    stayworth("features", "--as-of", "1997-03-01", "--as-of", "1998-01-01", "-o", "new/plain.parquet")
    quintile = "1 + (5 * (rank() over (partition by as_of order by {}) - 1)) // count(*) over (partition by as_of)"
    wrong = duckdb.sql(f"""
        with base as (from '{shop}/new/plain.parquet'), told as (
            select *, {quintile.format("recency_days desc")} as recency_quintile,
                   {quintile.format("orders")} as frequency_quintile,
                   {quintile.format("spend_total")} as monetary_quintile from base)
        (from told except all from '{shop}/new/rfm.parquet')
        union all (from '{shop}/new/rfm.parquet' except all from told)
    """)
    assert len(wrong.fetchall()) == 0
    rows = pd.read_parquet(shop / "new" / "rfm.parquet")
    assert len(rows) > 2500
    assert rows.groupby("as_of")["recency_quintile"].nunique().tolist() == [5, 5]
    assert sorted(path.name for path in (shop / "new").iterdir()) == ["plain.parquet", "rfm.parquet"]


def test_training_leaves_metrics_with_intervals_for_every_model(shop):
    metrics = json.loads((shop / "runs" / "metrics.json").read_text())
    btyd = {"bgnbd_gamma_gamma", "pareto_nbd_gamma_gamma"}
    assert set(metrics["models"]) == {"stayworth", *btyd, "last_period", "hiatus", "rfm_logistic"}
    assert metrics["as_of"] == "1998-05-02"
    for values in metrics["models"].values():
        assert values["roc_auc"]["low"] <= values["roc_auc"]["value"] <= values["roc_auc"]["high"]
    ours = metrics["models"]["stayworth"]
    assert ours["roc_auc"]["value"] > 0.75
    assert "interval_coverage" in ours


def test_scores_have_the_promised_columns_and_every_customer(shop):
    scores = pd.read_parquet(shop / "runs" / "scores.parquet")
    assert tuple(scores.columns) == COLUMNS
    assert len(scores) == scores["customer_id"].nunique() == 2357
    assert set(scores["segment"]) <= {"VIP", "grow", "maintain", "let go"}
    assert scores["model_version"].nunique() == 1
    written = pd.read_csv(shop / "scores.csv", dtype={"customer_id": str})
    assert written["customer_id"].tolist() == scores["customer_id"].tolist()
    assert all(len(one) == 5 for one in written["customer_id"])


def test_a_plan_keeps_its_budget_and_is_the_same_again(shop, stayworth):
    stayworth("plan", "--budget", "60", "-o", "plan.parquet", "-o", "plan.csv", "--json")
    first = pd.read_parquet(shop / "plan.parquet")
    summary = json.loads((shop / "runs" / "plan.json").read_text())
    assert 0 < first["expected_cost"].sum() <= 60
    assert not first.loc[~first["treated"], ["expected_cost", "expected_profit"]].any().any()
    assert summary["treated"] == first["treated"].sum()
    stayworth("plan", "--budget", "60", "-o", "again.parquet", "--json")
    pd.testing.assert_frame_equal(pd.read_parquet(shop / "again.parquet"), first)
    spreadsheet = pd.read_csv(shop / "plan.csv", dtype={"customer_id": str})
    assert spreadsheet["customer_id"].tolist() == first["customer_id"].tolist()


@pytest.mark.usefixtures("shop")
def test_a_plan_says_whose_place_it_takes(stayworth, capsys):
    said = []
    for campaign in ("May", "June", "May"):
        capsys.readouterr()
        stayworth("plan", "--budget", "60", "--campaign", campaign)
        said.append("This replaces the plan that was kept for 'May'" in " ".join(capsys.readouterr().out.split()))
    assert said == [False, False, True]


def shown(shop):
    """The report without plotly.js."""
    page = (shop / "report.html").read_text()
    assert len(page) > len(script())
    return page.replace(script(), "")


def test_the_report_is_one_page_that_opens_offline_and_names_no_customer(shop, stayworth):
    stayworth("plan", "--budget", "60", "--json")
    stayworth("report", "-o", "report.html", "--json")
    page = shown(shop)
    assert "http" not in page.replace("http-equiv", "")
    ids = pd.read_parquet(shop / "runs" / "scores.parquet")["customer_id"]
    assert not [one for one in ids if f">{one}<" in page or f'"{one}"' in page]


def test_the_report_says_what_the_commands_said(shop, stayworth, capsys):
    capsys.readouterr()
    stayworth("score", "--as-of", "1998-07-01", "--json")
    scored = json.loads(capsys.readouterr().out)
    stayworth("plan", "--budget", "60", "--json")
    planned = json.loads(capsys.readouterr().out)
    stayworth("report", "-o", "report.html", "--json")
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shown(shop)))
    metrics = json.loads((shop / "runs" / "metrics.json").read_text())
    ours = metrics["models"]["stayworth"]
    scores = pd.read_parquet(shop / "runs" / "scores.parquet")
    orders = pd.read_csv(shop / "sales.csv")
    year = pd.to_datetime(orders["Date"], format="%d/%m/%Y") >= "1997-07-01"
    assert f"The {scored['customers']:,} customers are expected to bring {scored['clv']:,.0f} USD" in words
    assert f"{scored['value_at_risk']:,.0f} USD" in words
    assert f"The plan contacts {planned['treated']} customers" in words
    assert f"to earn {planned['expected_profit']:,.0f} USD" in words
    assert f"{planned['break_even_save_rate']:.1%} of the customers who can be saved" in words
    assert f"higher is better {ours['roc_auc']['value']:.3f}" in words
    assert str(scores["model_version"].iloc[0]) in words
    held = pd.Series(0.4 * orders["Total"][year]).groupby(orders["Customer No"][year]).sum().sort_values()[::-1]
    best = held[held > 0]
    assert f"{best.iloc[: round(0.01 * len(best))].sum():,.0f}" in words, "the top tier of the pyramid"


def test_a_report_with_ids_names_the_most_at_risk(shop, stayworth):
    stayworth("report", "-o", "report.html", "--with-ids", "--json")
    scores = pd.read_parquet(shop / "runs" / "scores.parquet")
    worst = scores.nlargest(3, "gain")["customer_id"]
    last = json.loads((shop / "runs" / "audit.jsonl").read_text().splitlines()[-1])
    assert (last["what"], last["customers"]) == ("report with ids", 100)
    places = [shown(shop).index(f">{one}<") for one in worst]
    assert places == sorted(places)


@pytest.mark.slow
def test_training_again_moves_the_champion_and_remembers_the_previous(shop, stayworth):
    from models.artifacts import registry

    stayworth("train", "--trials", "2", "--json")
    aliases = {one.number: one.aliases for one in registry.versions(f"sqlite:///{shop / 'mlflow.db'}")}
    assert aliases["2"] == ("champion",)
    assert aliases["1"] == ("previous",)


def test_nothing_unfinished_is_left_behind(shop):
    assert not [path for path in shop.rglob("*") if path.name.endswith((".draft", ".tmp"))]


def test_the_registered_model_scores_a_plain_frame_of_orders_with_numbers_as_ids(shop, cdnow_path):
    """As the README says; the same numbers as the batch, whatever type the ids have."""
    import mlflow

    orders = pd.read_parquet(cdnow_path)
    orders = orders[orders["customer_id"].astype(int) % 10 == 0].astype({"amount": float})
    mlflow.set_tracking_uri(f"sqlite:///{shop / 'mlflow.db'}")
    model = mlflow.pyfunc.load_model("models:/stayworth@champion")
    as_text = model.predict(orders, params={"as_of": "1998-07-01"})
    as_numbers = model.predict(orders.astype({"customer_id": int}), params={"as_of": "1998-07-01"})
    assert len(as_text) == len(as_numbers) == 2357
    both = as_numbers.assign(customer_id=as_numbers["customer_id"].str.zfill(5)).set_index("customer_id")
    pd.testing.assert_series_equal(both["clv"].loc[as_text["customer_id"]], as_text.set_index("customer_id")["clv"])
