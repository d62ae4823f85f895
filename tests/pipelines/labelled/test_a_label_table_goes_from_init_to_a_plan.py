"""CHECKS 31: one row per customer with a yes or no goes through every command that it has, and says what it lacks."""

import json
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from pipelines.cli import main
from pipelines.labelled import judge_folds, tune_classifier
from serving.active_model import fetch_champion, load, pointer_file
from serving.contract import MOST_IDS
from serving.row_contract import RowsRequest
from serving.row_responses import row_scores
from tests.pipelines.labelled.tables import customers
from tests.serving.running import running

QUICK = ("trials = 20", "trials = 1"), ("folds = 5", "folds = 3"), ("repeats = 2", "repeats = 1")


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A folder in which a label table with values was trained on and new rows were scored, by the commands."""

    folder = tmp_path_factory.mktemp("labels")
    customers(value=True).to_csv(folder / "customers.csv", index=False)
    customers(50, seed=2).drop(columns="left").replace("town 3", "a new town").to_csv(folder / "new.csv", index=False)
    config = str(folder / "stayworth.toml")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(judge_folds, "RESAMPLES", 20)
        patch.setattr(tune_classifier, "MOST_ROUNDS", 30)

        def run(*arguments):
            patch.setattr(sys, "argv", ["stayworth", *arguments])
            with pytest.raises(SystemExit) as caught:
                main()
            assert not caught.value.code, arguments

        run("init", "customers.csv", "--label", "left", "--column", "future_value=brought")
        text = Path(config).read_text()
        for old, new in QUICK:
            assert old in text
            text = text.replace(old, new)
        Path(config).write_text(text)
        run("check")
        run("train")
        run("score", "--input", "new.csv", "-o", "scores.csv")
        run("plan", "--budget", "100", "-o", "plan.csv")
    return folder


def test_scores_have_a_row_per_customer_with_reasons_and_money(shop):
    scores = pd.read_csv(shop / "scores.csv", dtype={"customer_id": "str"})
    assert scores["customer_id"].tolist() == [f"{number:05d}" for number in range(50)]
    assert scores["churn_probability"].between(0, 1).all()
    assert scores["reason_1"].dropna().str.match(r"(plan|tenure|complaints|town|since): ").all()
    assert scores["gain"].between(0, 400).all()
    monthly = customers(50, seed=2)["plan"] == "monthly"
    assert scores.loc[monthly, "churn_probability"].mean() > scores.loc[~monthly, "churn_probability"].mean()


def test_the_judgement_stands_beside_the_baselines_with_intervals(shop):
    metrics = json.loads((shop / "runs" / "metrics.json").read_text())
    assert list(metrics["models"]) == ["stayworth", "logistic_regression", "gradient_boosting"]
    assert metrics["models"]["stayworth"]["roc_auc"]["value"] > 0.7
    assert abs(metrics["models"]["stayworth"]["total_bias"]["value"]) < 0.1
    for differences in metrics["differences"].values():
        assert differences["log_loss"]["low"] <= differences["log_loss"]["value"] <= differences["log_loss"]["high"]
    assert metrics["gate"]["accepted"]
    card = (shop / "runs" / "model_card.md").read_text()
    assert "The table has no time" in card
    assert "G09 leakage: pass" in card


def test_a_plan_contacts_those_whose_gain_is_large(shop):
    plan = pd.read_csv(shop / "plan.csv", dtype={"customer_id": "str"})
    assert 0 < len(plan) < 50
    assert plan.loc[plan["treated"], "expected_profit"].gt(0).all()


def test_the_service_scores_rows_as_the_command_did(shop):
    """The route's own request model and answer, in the process: the HTTP around it is that of every route."""
    assert fetch_champion(f"sqlite:///{shop / 'mlflow.db'}", shop / "served")
    model = load(pointer_file(shop / "served"))
    rows = pd.read_csv(shop / "new.csv", dtype="str", keep_default_na=False).drop(columns="country")
    records = rows.to_dict("records")
    records[0] |= {"tenure": int(records[0]["tenure"])}
    request = RowsRequest.model_validate_json(json.dumps({"rows": records}))
    answered = row_scores(model.scorer, request.rows)
    scores = pd.read_csv(shop / "scores.csv", dtype={"customer_id": "str"})
    assert [one["customer_id"] for one in answered] == scores["customer_id"].tolist()
    assert np.allclose([one["churn_probability"] for one in answered], scores["churn_probability"], atol=1e-6)
    assert np.allclose([one["gain"] for one in answered], scores["gain"], atol=1e-5)
    assert len(request.rows) <= MOST_IDS


def test_anyone_can_load_the_model_from_mlflow(shop):
    mlflow.set_tracking_uri(f"sqlite:///{shop / 'mlflow.db'}")
    model = mlflow.pyfunc.load_model("models:/stayworth@champion")
    rows = pd.read_csv(shop / "new.csv", dtype="str")
    given = model.predict(rows)
    scores = pd.read_csv(shop / "scores.csv")
    assert np.allclose(given["churn_probability"], scores["churn_probability"], atol=1e-6)
    assert "tenure" in model.metadata.get_input_schema().input_names()


@pytest.mark.slow
def test_the_service_answers_over_http(shop, tmp_path):
    fetch_champion(f"sqlite:///{shop / 'mlflow.db'}", shop / "champion")
    row = {"customer_id": "7", "plan": "monthly", "tenure": 2, "complaints": None, "town": "town 1"}
    row |= {"since": "2024-11-01"}
    with running(shop, tmp_path) as server:
        good = server.client.post("/v1/score_rows", json={"rows": [row]})
        lacking = server.client.post("/v1/score_rows", json={"rows": [{"customer_id": "7", "plan": "monthly"}]})
        of_logs = server.client.post("/v1/score", json={"customer_ids": ["7"]})
        model = server.client.get("/v1/model")
    assert good.status_code == 200, good.text
    assert 0 < good.json()["scores"][0]["churn_probability"] < 1
    assert lacking.status_code == 422
    assert "tenure, complaints, town, since" in lacking.json()["error"]
    assert of_logs.status_code == 503
    assert "/v1/score_rows" in of_logs.json()["error"]
    assert model.json()["needs"] == ["plan", "tenure", "complaints", "town", "since"]


@pytest.mark.parametrize(
    "command",
    [
        ("features", "--as-of", "2025-01-01", "-o", "f.parquet"),
        ("check", "--leaks"),
        ("report",),
        ("monitor",),
        ("readout",),
        ("why", "7", "--as-of", "2025-01-01"),
        ("console",),
        ("effects",),
    ],
)
def test_what_needs_time_is_refused_with_the_way_that_works(shop, stayworth, monkeypatch, command):
    monkeypatch.chdir(shop)
    code, _, error = stayworth(*command)
    assert code == 2
    if "why" not in command:
        assert "label table" in error
        assert "stayworth init ORDERS" in error


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("score", "--as-of", "2025-01-01"), "a label table has no time"),
        (("score",), "stayworth score --input NEW.csv"),
        (("train", "--horizons", "30"), "a label table has no time"),
        (("evaluate", "--lifetime"), "a label table has no time"),
        (("score", "--input", "nowhere.csv"), "no such file"),
    ],
)
def test_an_option_of_logs_is_refused(shop, stayworth, monkeypatch, command, words):
    monkeypatch.chdir(shop)
    code, _, error = stayworth(*command)
    assert code == 2
    assert words in error


def test_a_missing_column_is_named(shop, stayworth, monkeypatch):
    monkeypatch.chdir(shop)
    pd.read_csv("new.csv").drop(columns=["plan", "client"]).to_csv("lacking.csv", index=False)
    code, _, error = stayworth("score", "--input", "lacking.csv")
    assert code == 2
    assert "plan, client" in error
