"""Feature rows to a file."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from features.snapshot import snapshot
from pipelines import store
from pipelines.config import Config
from pipelines.orders import read_orders, refuse_input_as_output, refuse_too_early, write_account


def write_features(
    config: Config, *, as_of: list[date], output: Path, now: datetime, say: Callable[[str], None]
) -> dict[str, Any]:
    """One row per customer and day; returns what was written."""
    store.writable(output, kinds=store.TABLES)
    refuse_input_as_output(config, [output])
    say("reading orders")
    ingested = read_orders(config, now=now)
    refuse_too_early(ingested.histories, as_of=min(as_of))
    say("computing features")
    table = snapshot(ingested.histories, as_of=as_of)
    store.write_table(output, table)
    write_account(config, ingested)
    days = [day.isoformat() for day in sorted(set(as_of))]
    return {"rows": table.num_rows, "days": days, "features": table.num_columns - 2, "written": str(output)}


def catalogue_of(config: Config | None) -> list[dict[str, str]]:
    """Every feature there can be, or those of a config's log: name, unit, meaning."""
    return []
