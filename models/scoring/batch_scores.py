"""Scores as people and applications get them: the numbers and the reasons in words."""

from datetime import date
from typing import Any, NamedTuple

import pandas as pd

from features.errors import InputError
from features.histories.columns import Histories
from features.ingest.build_histories import ingest
from features.ingest.log import Log
from features.snapshots.snapshot import snapshot
from models.scoring import explain
from models.scoring.online import attributes, known, needs
from models.scoring.scorer import Scorer, by_horizon, foreseen


def score(scorer: Scorer, rows: pd.DataFrame) -> pd.DataFrame:
    """Scores of feature rows: `scores.parquet` but `segment`, which compares with the whole base.

    First all rows over the horizon of the terms, with reasons; then all of them over each other one, without.
    """
    view = scorer.look_at(rows)
    main, *others = by_horizon(scorer, view, scorer.horizons).values()
    reasons = explain.reasons(scorer, view)
    scores = main.assign(**reasons)
    if others:
        scores = pd.concat([scores, *(one.assign(**dict.fromkeys(reasons)) for one in others)], ignore_index=True)
    return scores.assign(model_version=scorer.version)


def score_orders(
    scorer: Scorer,
    orders: pd.DataFrame,
    *,
    as_of: date,
    interactions: pd.DataFrame | None = None,
    customers: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Scores from raw orders: a frame with customer_id, ordered_at, amount and what else the schema knows.

    interactions: customer_id, at, kind, …; customers: customer_id and the attributes that the model reads. Naive times
    are read as UTC. Every customer with an order before `as_of` gets a row per horizon. Raises InputError where one of
    them is missing that the model reads.
    """
    terms = scorer.terms
    for name, table, is_read in (
        ("interactions", interactions, "interactions" in needs(scorer)),
        ("customers", customers, bool(attributes(scorer.inputs))),
    ):
        if is_read and table is None:
            raise InputError(f"the model reads the table {name}, which is not given", next=f"Pass {name} too.")
    log = Log(
        orders,
        currency=terms.currency,
        gross_margin=terms.gross_margin,
        interactions=interactions,
        customers=customers,
        attributes=tuple(attributes(scorer.inputs)) if customers is not None else (),
        timezone="UTC",
    )
    histories = ingest(log, now_us=None).histories
    rows = snapshot(histories, as_of=[as_of], features=list(scorer.inputs))
    return score(scorer, rows.to_pandas(date_as_object=False))


class Scored(NamedTuple):
    """Scores for whoever asked for them."""

    records: list[dict[str, Any]]
    """As HTTP has them, but for `segment`, which compares with the whole base."""
    rows: pd.DataFrame
    """The features they rest on, in the same order."""


def score_histories(scorer: Scorer, histories: Histories, *, as_of: date, with_reasons: bool = True) -> Scored:
    """The scores of few customers over the horizon of the terms, by customer_id: the numbers and reasons of `score`.

    Who has no order known before `as_of` is left out.
    """
    customers, given = known(scorer, histories, as_of=as_of)
    if not len(customers):
        return Scored([], given.rows)
    view = scorer.view(given)
    numbers = foreseen(scorer, view, ())[scorer.terms.horizon_days]
    said = explain.reasons(scorer, view).to_numpy() if with_reasons else [()] * len(customers)
    ids = histories.customer_ids.to_pylist()
    told = {"as_of": as_of, "horizon_days": scorer.terms.horizon_days, "model_version": scorer.version}
    columns = zip(*(column.tolist() for column in numbers.values()), strict=True)
    records = [
        {"customer_id": ids[customer]}
        | told
        | dict(zip(numbers, row, strict=True))
        | {"reasons": [text for text in texts if text is not None]}
        for customer, row, texts in zip(customers.tolist(), columns, said, strict=True)
    ]
    return Scored(records, given.rows)
