"""How right our model is on real data, beside all its opponents: the recipe of `stayworth evaluate` at four days.

Every model is made from what was known on the test day and judged on the 90 days after it; the trees are tuned once,
before the oldest test day. Intervals hold 95 % of bootstrap draws of customers, the same draws for every model, so
that a difference is judged on pairs.
"""

import argparse
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.table import save, show
from models import STAYWORTH
from pipelines.config import Output, load
from pipelines.evaluate import evaluate

ROOT = Path(__file__).parents[1]
DATA = {
    "CDNOW": (ROOT / "pipelines/data/demo.toml", ROOT / "pipelines/data/cdnow.parquet"),
    "Online Retail II": (
        ROOT / "docs/examples/online_retail_ii.toml",
        ROOT.parent / "shared/data/online_retail_ii/transactions.parquet",
    ),
}
"""Config and orders of each data set."""

METRICS = {
    "roc_auc": "ROC-AUC",
    "log_loss": "log loss",
    "ece": "ECE",
    "spearman": "Spearman",
    "normalized_gini": "norm. Gini",
    "decile_mape": "decile MAPE",
    "total_bias": "total bias",
}
HIGHER_IS_BETTER = {"roc_auc", "spearman", "normalized_gini"}


def backtest(settings: Path, orders: Path, *, trials: int | None, cut_offs: int) -> list[dict[str, Any]]:
    """The evaluation of each test day, oldest first."""
    config = load(settings)
    with tempfile.TemporaryDirectory() as scratch, Console(stderr=True).status("") as status:
        changes = {"data": config.data.model_copy(update={"orders": str(orders)}), "output": Output(folder=scratch)}
        config = config.model_copy(update=changes)
        return evaluate(config, now=datetime.now(UTC), trials=trials, cut_offs=cut_offs, say=status.update)


def lines(evaluation: dict[str, Any]) -> list[list[str]]:
    """A test day's table: a model per line, each metric above its interval."""
    return [
        [name, *(cell(metric, found[metric]) for metric in METRICS)] for name, found in evaluation["models"].items()
    ]


def cell(metric: str, found: dict[str, float | None]) -> str:
    """A value above its interval: .804 over .796, .812, a dash for what is undefined."""
    form = "{:+.0%}" if metric == "total_bias" else "{:.0%}" if metric == "decile_mape" else "{:.3f}"
    value, low, high = (
        "–" if found[key] is None else re.sub(r"^0\.", ".", form.format(found[key])) for key in ("value", "low", "high")
    )
    return f"{value}\n{low}, {high}"


def verdicts(evaluations: list[dict[str, Any]]) -> list[list[str]]:
    """An opponent per line; on how many test days we are better, not to tell apart, or worse, per metric."""
    judged = [metric for metric in METRICS if metric != "total_bias"]  # best at 0: a difference has no better side
    return [
        [
            opponent,
            *(
                " / ".join(
                    str(sum(verdict(metric, one["differences"][opponent][metric]) == side for one in evaluations))
                    for side in (1, 0, -1)
                )
                for metric in judged
            ),
        ]
        for opponent in evaluations[0]["differences"]
    ]


def verdict(metric: str, difference: dict[str, float | None]) -> int:
    """1 if the whole interval of our difference is on the better side, −1 on the worse, 0 if it holds 0."""
    low, high = difference["low"], difference["high"]
    if low is None or high is None or low <= 0 <= high:
        return 0
    return 1 if (low > 0) == (metric in HIGHER_IS_BETTER) else -1


def main(options: list[str]) -> None:
    argparse.ArgumentParser(prog="python -m benchmarks accuracy", description=__doc__).parse_args(options)
    results: dict[str, Any] = {}
    for name, (settings, orders) in DATA.items():
        if not orders.exists():
            print(f"\n{name}: not measured, {orders} is not there")
            continue
        results[name] = backtest(settings, orders, trials=None, cut_offs=4)
        for one in results[name]:
            title = f"{name}, {one['horizon_days']} days from {one['as_of']}: {one['customers']:,} customers"
            show(title, ["", *METRICS.values()], lines(one))
        show(
            f"{name}: {STAYWORTH} better / not to tell apart / worse, in test days (95 % interval of the difference)",
            ["against", *(title for metric, title in METRICS.items() if metric != "total_bias")],
            verdicts(results[name]),
        )
    print(save("accuracy", results))
