"""Backtest of `stayworth evaluate` on four days.

Every model is made from what was known on the test day and judged on the horizon after it; the trees are tuned once,
before the oldest test day.
"""

import argparse
import tempfile
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from benchmarks.accuracy_shops import CDNOW, ONLINE_RETAIL, Shop
from benchmarks.accuracy_table import COMPARED, METRICS, header, lines, verdicts
from benchmarks.table import save, show
from models import STAYWORTH
from pipelines.evaluate import evaluate
from pipelines.shop_files.project_config import Output, Tracking

SEGMENT = 500
"""Customers that a segment needs to be shown by itself."""
SHOPS = {"CDNOW": CDNOW, "Online Retail II": ONLINE_RETAIL}


def backtest(shop: Shop, *, trials: int | None, cut_offs: int) -> list[dict[str, Any]]:
    """The evaluation of each test day, oldest first; trials: None for as many as the config says."""
    with tempfile.TemporaryDirectory() as scratch, Console(stderr=True).status("") as status:
        places = {"output": Output(folder=scratch), "tracking": Tracking(uri=f"sqlite:///{scratch}/mlflow.db")}
        config = shop.config().model_copy(update=places)
        return evaluate(config, now=datetime.now(UTC), trials=trials, cut_offs=cut_offs, say=status.update)


def main(options: list[str]) -> None:
    """Evaluate every shop, show the result and save it."""
    argparse.ArgumentParser(prog="python -m benchmarks accuracy_backtest", description=__doc__).parse_args(options)
    results: dict[str, Any] = {}
    for name, shop in SHOPS.items():
        if not shop.orders.exists():
            print(f"\n{name}: not measured, {shop.orders} does not exist")
            continue
        results[name] = backtest(shop, trials=None, cut_offs=4)
        for evaluation in results[name]:
            segment_ece = {
                segment: metrics["ece"]
                for segment, metrics in evaluation["segments"].items()
                if metrics["customers"] >= SEGMENT
            }
            days, customers = evaluation["horizon_days"], evaluation["customers"]
            title = f"{name}, {days} days from {evaluation['as_of']}: {customers:,} customers"
            ece_text = "; ".join(f"{segment} {ece:.3f}" for segment, ece in segment_ece.items())
            show(f"{title}\nECE by segment: {ece_text}", header(evaluation), lines(evaluation))
        show(
            f"{name}: {STAYWORTH} better / undecided / worse, in test days (95 % interval of the difference)",
            ["against", *(METRICS[metric] for metric in COMPARED)],
            verdicts(results[name]),
        )
    print(save("accuracy_backtest", results))
