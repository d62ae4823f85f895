"""The rows that the worth of keeping is learned on: customers at past cut-offs, and what followed."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.arrays import Floats, Integers
from features.clock import DAY, microseconds
from features.errors import InputError, Refusal
from features.histories.columns import Histories
from features.histories.signs_of_life import SignsOfLife, signs_of_life
from features.snapshots.labels import has_left, orders_and_margin
from features.snapshots.snapshot import snapshot
from models.btyd import pareto_nbd
from models.btyd.pareto_nbd import ParetoNBD
from models.btyd.purchase_model import bound_of
from models.keeping.stay_outcomes import StayOutcomes
from models.lifetime.lattice import HISTORY_MONTHS, MONTH_DAYS
from pipelines.training.lifetime_rows import drawn_spans

STEP_DAYS = 30
"""Days between cut-offs."""
UNSEEN = "whether silent customers are alive is known from later signs of life alone: Pareto/NBD tells nothing of it"


def stay_outcomes(
    histories: Histories, *, as_of: date, horizon_days: int, features: Sequence[str]
) -> StayOutcomes | None:
    """What followed the cut-offs whose horizon had closed by a day; None where there is none."""
    first = histories.first_day + timedelta(days=round(HISTORY_MONTHS * MONTH_DAYS))
    latest = as_of - timedelta(days=horizon_days)
    if latest < first:
        return None
    backs = range((latest - first).days // STEP_DAYS * STEP_DAYS, -1, -STEP_DAYS)
    days = [latest - timedelta(days=back) for back in backs]
    parts = [
        _of_customers(histories.span(*span), days, horizon_days=horizon_days, features=features)
        for span in drawn_spans(histories.customers, cut_offs=2 * len(days))
    ]
    now, later, orders, churned = (list(column) for column in zip(*parts, strict=True))
    frame, later_frame = (pa.concat_tables(tables).to_pandas(date_as_object=False) for tables in (now, later))
    doubts: tuple[str, ...] = ()
    alive = alive_later = np.ones(len(frame))
    if not histories.contractual:
        alive, alive_later, doubts = _alive(histories, frame, as_of=as_of, horizon_days=horizon_days)
    return StayOutcomes(
        frame,
        later_frame,
        _row_later(frame, later_frame, days=horizon_days),
        _row_later(frame, frame, days=-(-horizon_days // STEP_DAYS) * STEP_DAYS),
        np.concatenate(orders),
        np.concatenate(churned),
        alive,
        alive_later,
        has_other_signs=len(histories.columns.interaction_at) > 0,
        is_contractual=histories.contractual,
        doubts=doubts,
    )


def _of_customers(
    histories: Histories, days: Sequence[date], *, horizon_days: int, features: Sequence[str]
) -> tuple[pa.Table, pa.Table, Integers, np.ndarray]:
    """Their rows at the cut-offs and at the ends of the horizons, their orders within, and who churned."""
    now, later = (
        _with_ids(snapshot(histories, as_of=[day + timedelta(days=ahead) for day in days], features=list(features)))
        for ahead in (0, horizon_days)
    )
    orders, _ = orders_and_margin(histories, now, from_days=0, to_days=horizon_days)
    churned = has_left(histories, now, horizon_days=horizon_days) if histories.contractual else orders == 0
    return now, later, orders, churned


def _with_ids(table: pa.Table) -> pa.Table:
    """The table with its ids as plain text: those of several parts have dictionaries of their own."""
    return table.set_column(0, "customer_id", table["customer_id"].cast(pa.string()))


def _row_later(frame: pd.DataFrame, later_frame: pd.DataFrame, *, days: int) -> Integers:
    """The row of each customer of `frame` in `later_frame` so many days later; -1 where there is none."""
    ends = frame["as_of"] + pd.Timedelta(days=days)
    rows = pd.MultiIndex.from_arrays([later_frame["customer_id"], later_frame["as_of"]])
    return rows.get_indexer(pd.MultiIndex.from_arrays([frame["customer_id"], ends])).astype(np.int64)


def _alive(
    histories: Histories, frame: pd.DataFrame, *, as_of: date, horizon_days: int
) -> tuple[Floats, Floats, tuple[str, ...]]:
    """The chance that each row's customer was alive at its cut-off, and at the end of its horizon; doubts."""
    signs = signs_of_life(histories, as_of=as_of)
    today = microseconds(as_of) // DAY
    model = _fitted(signs, today)
    customer = pc.index_in(pa.array(frame["customer_id"]), histories.customer_ids).to_numpy().astype(np.int64)
    day = frame["as_of"].to_numpy().astype("datetime64[D]").astype(np.int64)
    count, first, last = (column[customer] for column in signs)
    chances = []
    for at in (day, day + horizon_days):
        seen = last >= at
        chance = seen.astype(float)
        if model is not None:
            unseen = ~seen
            history = (count - 1, last - first, today - first)
            chance[unseen] = model.probability_was_alive((at - first)[unseen], *(column[unseen] for column in history))
        chances.append(chance)
    return chances[0], chances[1], () if model else (UNSEEN,)


def _fitted(signs: SignsOfLife, today: int) -> ParetoNBD | None:
    """Pareto/NBD of all signs of life; None where it does not tell who left."""
    known = signs.days > 0
    count, first, last = (column[known] for column in signs)
    try:
        model = pareto_nbd.fit(count - 1, last - first, today - first)
    except (InputError, Refusal):
        return None
    return None if bound_of(model) else model
