"""The whole loop on the bundled real data, as a user would run it: check, train, evaluate, score, plan, report."""

from collections.abc import Callable
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from features.atomic_files import replacing
from features.clock import parse_day
from pipelines import run_folder
from pipelines.check import check
from pipelines.config import load
from pipelines.evaluate import evaluate
from pipelines.features import write_features
from pipelines.plan import make_plan
from pipelines.report import write_report
from pipelines.score import score
from pipelines.train import train

BUDGET = 1000.0
"""US dollars: little enough that the plan has to choose."""


def write_demo_shop(folder: Path) -> Path:
    """Write the demo's orders and its config into a folder; returns the config's path."""
    data = files("pipelines") / "data"
    with replacing(folder / "orders.parquet") as draft:
        draft.write_bytes((data / "cdnow.parquet").read_bytes())
    settings = folder / "stayworth.toml"
    run_folder.write_text(settings, (data / "demo.toml").read_text("utf-8"))
    return settings


def demo(folder: Path, *, now: datetime, say: Callable[[str], None]) -> dict[str, Any]:
    """Run every step, writing into `folder`; returns the content of the closing table."""
    settings = write_demo_shop(folder)
    config = load(settings)

    say("checking the orders")
    checked = check(config, now=now)
    trained = train(config, now=now, trials=None, say=say)
    backtest = evaluate(config, now=now, trials=None, cut_offs=4, say=say)
    as_of = parse_day(checked["end"])
    write_features(
        config,
        as_of=[as_of],
        known_at=None,
        output=folder / "features.parquet",
        engine="duckdb",
        rfm=True,
        now=now,
        say=say,
    )
    scores = score(config, as_of=as_of, now=now, output=None, say=say)
    say("planning")
    plan = make_plan(config, budget=BUDGET, capacity=None, offer_names=(), campaign=None, outputs=[folder / "plan.csv"])
    report = write_report(config, output=None, now=now, say=say)
    return {
        "folder": str(folder),
        "check": checked,
        "scores": scores,
        "metrics": trained.metrics,
        "backtest": backtest,
        "plan": plan.summary,
        "report": str(report),
        "next": f"stayworth plan -c {settings} --budget {BUDGET * 2:.0f}",
    }
