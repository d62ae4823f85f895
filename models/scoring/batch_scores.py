"""Scores as people and applications receive them: the numbers, and the reasons in words."""

import warnings
from datetime import date
from typing import Any, NamedTuple

import pandas as pd

from features.errors import InputError
from features.histories.columns import Histories
from features.ingest.build_histories import ingest
from features.ingest.log import Log
from features.snapshots.snapshot import snapshot
from models.scoring import explain
from models.scoring.online import attribute_kinds, order_columns, read_customers, read_for, unseen_in_words
from models.scoring.scorer import Scorer, frames_by_horizon, numbers_by_horizon


def score(scorer: Scorer, rows: pd.DataFrame) -> pd.DataFrame:
    """Score feature rows: the columns of `scores.parquet` except `segment`, which compares with the whole base.

    First all rows over the horizon of the terms, with reasons; then all of them over each other one, without.
    """
    predicted = scorer.predict_frame(rows)
    main, *others = frames_by_horizon(scorer, predicted, scorer.horizons).values()
    reasons = explain.reasons(scorer, predicted)
    scores = main.assign(**reasons)
    if others:
        no_reasons = dict.fromkeys(reasons)
        scores = pd.concat([scores, *(frame.assign(**no_reasons) for frame in others)], ignore_index=True)
    return scores.assign(model_version=scorer.version)


def score_orders(
    scorer: Scorer,
    orders: pd.DataFrame,
    *,
    as_of: date,
    interactions: pd.DataFrame | None = None,
    customers: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Score raw orders: a frame with customer_id, ordered_at, amount and any other columns of the schema.

    interactions: customer_id, at, kind, …; customers: customer_id and the attributes that the model reads. Naive times
    are read as UTC. Every customer with an order before `as_of` gets a row per horizon. Warns of names that the model
    has not learned. Raises InputError if a table that the model reads is missing.
    """
    terms = scorer.terms
    for name, table, is_read in (
        ("interactions", interactions, "interactions" in order_columns(scorer)),
        ("customers", customers, bool(attribute_kinds(scorer))),
    ):
        if is_read and table is None:
            raise InputError(f"the model reads the table {name}, which is not given", next=f"Pass {name} too.")
    log = Log(
        orders,
        currency=terms.currency,
        gross_margin=terms.gross_margin,
        interactions=interactions,
        customers=customers,
        timezone="UTC",
    )
    histories = ingest(read_for(scorer, log), now_us=None).histories
    for sentence in unseen_in_words(histories.unseen_names):
        warnings.warn(sentence, stacklevel=2)
    rows = snapshot(histories, as_of=[as_of], features=list(scorer.inputs))
    return score(scorer, rows.to_pandas(date_as_object=False))


class Scored(NamedTuple):
    """Scores of customers from their histories, and the features behind them."""

    records: list[dict[str, Any]]
    """As HTTP returns them, except `segment`, which compares with the whole base."""
    rows: pd.DataFrame
    """The features behind the scores, in the same order."""


def score_histories(scorer: Scorer, histories: Histories, *, as_of: date, with_reasons: bool = True) -> Scored:
    """Score a few customers over the horizon of the terms: by customer_id, with the numbers and reasons of `score`.

    Customers without an order known before `as_of` are left out.
    """
    customers, rows = read_customers(scorer, histories, as_of=as_of)
    if not len(customers):
        return Scored([], rows.frame)
    predicted = scorer.predict_rows(rows)
    numbers = numbers_by_horizon(scorer, predicted, ())[scorer.terms.horizon_days]
    reasons = explain.reasons(scorer, predicted).to_numpy() if with_reasons else [()] * len(customers)
    ids = histories.customer_ids.to_pylist()
    shared = {"as_of": as_of, "horizon_days": scorer.terms.horizon_days, "model_version": scorer.version}
    columns = zip(*(column.tolist() for column in numbers.values()), strict=True)
    records = [
        {"customer_id": ids[customer]}
        | shared
        | dict(zip(numbers, row, strict=True))
        | {"reasons": [text for text in texts if text is not None]}
        for customer, row, texts in zip(customers.tolist(), columns, reasons, strict=True)
    ]
    return Scored(records, rows.frame)
