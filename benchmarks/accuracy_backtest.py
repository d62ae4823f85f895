"""The recipe of `stayworth evaluate` at four days: every model is made from what was known on the test day and judged
on the horizon after it; the trees are tuned once, before the oldest test day.
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
from pipelines.config import Output, Tracking
from pipelines.evaluate import evaluate

SEGMENT = 500
"""Customers of a segment that is looked at by itself."""
SHOPS = {"CDNOW": CDNOW, "Online Retail II": ONLINE_RETAIL}


def backtest(shop: Shop, *, trials: int | None, cut_offs: int) -> list[dict[str, Any]]:
    """The evaluation of each test day, oldest first; trials: None for as many as the config says."""
    with tempfile.TemporaryDirectory() as scratch, Console(stderr=True).status("") as status:
        places = {"output": Output(folder=scratch), "tracking": Tracking(uri=f"sqlite:///{scratch}/mlflow.db")}
        config = shop.config().model_copy(update=places)
        return evaluate(config, now=datetime.now(UTC), trials=trials, cut_offs=cut_offs, say=status.update)


def main(options: list[str]) -> None:
    """Evaluate every shop, show it and keep it."""
    argparse.ArgumentParser(prog="python -m benchmarks accuracy_backtest", description=__doc__).parse_args(options)
    results: dict[str, Any] = {}
    for name, shop in SHOPS.items():
        if not shop.orders.exists():
            print(f"\n{name}: not measured, {shop.orders} is not there")
            continue
        results[name] = backtest(shop, trials=None, cut_offs=4)
        for one in results[name]:
            large = {segment: of["ece"] for segment, of in one["segments"].items() if of["customers"] >= SEGMENT}
            title = f"{name}, {one['horizon_days']} days from {one['as_of']}: {one['customers']:,} customers"
            of_segments = "; ".join(f"{segment} {ece:.3f}" for segment, ece in large.items())
            show(f"{title}\nECE by segment: {of_segments}", header(one), lines(one))
        show(
            f"{name}: {STAYWORTH} better / not to tell apart / worse, in test days (95 % interval of the difference)",
            ["against", *(METRICS[metric] for metric in COMPARED)],
            verdicts(results[name]),
        )
    print(save("accuracy_backtest", results))
