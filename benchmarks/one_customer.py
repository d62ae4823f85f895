"""One customer's history → one row of features, as an endpoint needs it: the compiled pass beside the plain functions.

Both compute every feature that CDNOW's log allows, for customers with few and with many orders. The fastest of many
warm calls; read the ratio first: microseconds belong to one machine.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.table import save, show
from features.clock import cut_offs
from features.histories.columns import Histories
from features.ingest.build_histories import ingest
from features.ingest.log import Log
from features.kernel.pass_arguments import CutOffs, PassOutput
from features.kernel.slices import InteractionsByKind
from features.snapshots.snapshot import SnapshotPass, feature_columns

CDNOW = Path(__file__).parents[1] / "pipelines" / "data" / "cdnow.parquet"
DAY = date(1998, 7, 1)


def fastest(call: Callable[[], Any], *, calls: int) -> float:
    """Microseconds of one call, the best of twenty rounds."""
    rounds = []
    for _ in range(20):
        start = perf_counter()
        for _ in range(calls):
            call()
        rounds.append((perf_counter() - start) / calls * 1e6)
    return min(rounds)


def measured(histories: Histories, rows: SnapshotPass, customer: int) -> dict[str, float]:
    """Number of a customer's orders, and microseconds of the compiled pass and of the plain functions."""
    alone = histories.columns.span(customer, customer + 1)
    output = PassOutput(np.empty((len(rows.names), 1)), np.empty(1, np.int64), np.empty(1, np.int64))
    day = CutOffs(rows.as_of, rows.as_of)
    none = InteractionsByKind(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    orders, refunds, items = rows.pass_.known(alone, 0, rows.as_of[0], rows.as_of[0])
    given = {"orders": orders, "refunds": refunds, "items": items, "as_of": rows.as_of[0]}

    def compiled() -> None:
        rows.pass_.walk(alone, day, rows.layout, none, histories.minor_units, output)

    def plain() -> None:
        for feature in rows.features.values():
            feature.function(*(feature.days if name == "days" else given[name] for name in feature.arguments))

    compiled()
    return {
        "orders": len(orders.at),
        "compiled_us": fastest(compiled, calls=500),
        "plain_us": fastest(plain, calls=2),
    }


def main(options: list[str]) -> None:  # noqa: ARG001
    histories = ingest(Log(CDNOW, currency="USD", gross_margin=0.4, timezone="UTC"), now_us=None).histories
    names = feature_columns(histories, as_of=[DAY])
    rows = SnapshotPass(histories, names, as_of=cut_offs([DAY]), known_at=cut_offs([DAY]))
    counts = np.diff(histories.columns.starts)
    results = [measured(histories, rows, int(np.argmin(np.abs(counts - count)))) for count in (1, 10, 100)]
    table = [
        [
            f"{customer['orders']:.0f} {'order' if customer['orders'] == 1 else 'orders'}",
            f"{customer['compiled_us']:.1f}",
            f"{customer['plain_us']:.0f}",
            f"{customer['plain_us'] / customer['compiled_us']:.0f}",
        ]
        for customer in results
    ]
    show(f"One customer → {len(names)} features, microseconds", ["", "compiled", "plain Python", "plain ÷ ours"], table)
    print(save("one_customer", {"features": len(names), "customers": results}))
