"""The two runs a newcomer sees: the demo on CDNOW and the example config on Online Retail II. Both take minutes."""

import json
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from pipelines.score import COLUMNS
from tests.forked_commands import start

pytestmark = pytest.mark.slow
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "online_retail_ii.toml"


def run(*arguments: str, folder: Path) -> str:
    """Run a command with quickly grown trees to its good end; returns what it said."""
    code, said, errors = start(folder, *arguments, sooner=True).end(1800)
    assert code == 0, errors
    return said


def test_the_demo_leaves_everything_it_promises(tmp_path):
    said = run("demo", "-o", "out", folder=tmp_path)
    out = tmp_path / "out"
    for word in (
        "Stayworth",
        "BG/NBD + Gamma-Gamma",
        "value at risk",
        "the plan costs",
        "and earns",
        "Next: stayworth plan",
    ):
        assert word in said
    features, scores, plan = (pd.read_parquet(out / f"{name}.parquet") for name in ("features", "scores", "plan"))
    assert len(features) == len(scores) == 23_570
    assert tuple(scores.columns) == COLUMNS
    assert plan["expected_cost"].sum() <= 1000
    assert list(plan.columns) == (
        [
            "customer_id",
            "offer",
            "treated",
            "expected_cost",
            "expected_profit",
            "profit_p10",
            "profit_p90",
            "rank",
            "gain",
        ]
    )
    assert pd.read_csv(out / "plan.csv", dtype={"customer_id": str})["customer_id"].tolist() == list(
        plan["customer_id"]
    )
    metrics = json.loads((out / "metrics.json").read_text())
    ours, opponent = metrics["models"]["stayworth"], metrics["models"]["bgnbd_gamma_gamma"]
    assert ours["roc_auc"]["value"] > opponent["roc_auc"]["value"]
    assert (out / "report.html").stat().st_size > 1_000_000
    next_command = said.split("Next: stayworth ")[1].split()
    run(*next_command, folder=tmp_path)


def test_the_example_config_runs_on_online_retail_and_reconciles_to_the_cent(shared, tmp_path):
    text = EXAMPLE.read_text()
    data = shared / "online_retail_ii" / "transactions.parquet"
    text = text.replace("../../../shared/data/online_retail_ii/transactions.parquet", str(data))
    text = text.replace("../../runs/online_retail_ii", "runs").replace("trials = 10", "trials = 1")
    (tmp_path / "stayworth.toml").write_text(text)
    checked = json.loads(run("check", "--json", folder=tmp_path))
    source, *parts = checked["reconciliation"]
    assert (source["rows"], Decimal(source["amount"])) == (1_067_370, Decimal("19287232.568"))
    assert source["rows"] == sum(part["rows"] for part in parts)
    assert Decimal(source["amount"]) == sum(Decimal(part["amount"]) for part in parts)
    quarantine = pd.read_parquet(tmp_path / "runs" / "quarantine.parquet")
    assert len(quarantine) == sum(part["rows"] for part in parts if part["what"].startswith("quarantined"))
    run("train", folder=tmp_path)
    run("score", "--as-of", "2011-12-10", "-o", "scores.parquet", folder=tmp_path)
    scores = pd.read_parquet(tmp_path / "scores.parquet")
    assert scores["customer_id"].str.fullmatch(r"\d{5}").all()
    run("plan", "--budget", "500", "-o", "plan.parquet", folder=tmp_path)
    assert 0 < pd.read_parquet(tmp_path / "plan.parquet")["expected_cost"].sum() <= 500
    run("report", "-o", "report.html", folder=tmp_path)
    assert "customers" in (tmp_path / "report.html").read_text()
