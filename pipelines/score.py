"""Batch scores: every customer known before a day, by the champion of the registry."""

import tempfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.errors import Refusal
from features.histories import Histories
from features.snapshot import snapshot
from models import bundle, registry, scoring
from models.scorer import Scorer
from pipelines import store
from pipelines.config import Config
from pipelines.latest import over_main_horizon
from pipelines.orders import read_orders, refuse_input_as_output, refuse_too_early, write_account
from retention.profit import value_at_risk
from retention.segments import cuts, quadrant

COLUMNS = (
    "customer_id",
    "as_of",
    "horizon_days",
    "churn_probability",
    "expected_orders",
    "expected_value",
    "value_p10",
    "value_p90",
    "clv",
    "segment",
    "reason_1",
    "reason_2",
    "reason_3",
    "model_version",
)


def score(
    config: Config, *, as_of: date, now: datetime, output: Path | None, say: Callable[[str], None]
) -> pd.DataFrame:
    """Score as of a day; the scores become the latest in the output folder, and `output` if given."""
    targets = [config.folder / store.SCORES] + ([output] if output else [])
    for target in targets:
        store.writable(target, kinds=store.TABLES)
    refuse_input_as_output(config, targets)
    say("fetching the champion")
    model = champion(config)
    say("reading orders")
    ingested = read_orders(config, now=now)
    histories = ingested.histories
    refuse_too_early(histories.first_day, histories.end, as_of=as_of)
    _refuse_stale(histories, as_of=as_of, horizon_days=model.terms.horizon_days)
    say("scoring")
    rows = snapshot(histories, as_of=[as_of], features=list(model.inputs)).to_pandas(date_as_object=False)
    scores = with_segment(scoring.score(model, rows), rows)
    table = pa.Table.from_pandas(scores, preserve_index=False)
    as_of_day = table["as_of"].cast(pa.date32())
    table = table.set_column(table.column_names.index("as_of"), "as_of", as_of_day)
    for target in targets:
        store.write_table(target, table)
    write_account(config, ingested.account, [ingested.quarantine])
    return scores


def _refuse_stale(histories: Histories, *, as_of: date, horizon_days: int) -> None:
    """Long after the last order of the log everybody would look gone."""
    silent = (as_of - histories.end).days
    if silent > horizon_days:
        raise Refusal(
            f"the orders end {silent:,} days before {as_of}, more than the horizon of {horizon_days} days: every "
            "customer would look silent",
            where="--as-of",
            next=f"Load newer orders, or score as of {histories.end}.",
        )


def champion(config: Config) -> Scorer:
    """The registered model with the alias `champion`, every byte checked."""
    with tempfile.TemporaryDirectory() as scratch:
        return bundle.read(registry.download(config.tracking_uri, "champion", Path(scratch)))


def with_segment(scores: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Add the value quadrant: what a customer spent in the last year against `clv`, each to the base's average.

    scores: of `rows` over the main horizon, then, in the same order, over each other one: the segment is the same.
    """
    current, future = rows["spend_last_365d"], over_main_horizon(scores)["clv"]
    current_cut, future_cut = cuts(current, future)
    segment = np.asarray(quadrant(current, future, current_cut=current_cut, future_cut=future_cut))
    return scores.assign(segment=np.tile(segment, len(scores) // len(rows)))[list(COLUMNS)]


def summary(scores: pd.DataFrame, config: Config) -> dict[str, Any]:
    """What a batch of scores comes to over the main horizon: customers, and money in currency units."""
    scores = over_main_horizon(scores)
    return {
        "customers": len(scores),
        "as_of": str(scores["as_of"].iloc[0])[:10] if len(scores) else None,
        "horizon_days": config.time.horizon_days,
        "currency": config.money.currency,
        "expected_churners": float(scores["churn_probability"].sum()),
        "expected_value": float(scores["expected_value"].sum()),
        "clv": float(scores["clv"].sum()),
        "value_at_risk": value_at_risk(churn_probability=scores["churn_probability"], clv=scores["clv"]),
        "model_version": scores["model_version"].iloc[0] if len(scores) else None,
    }
