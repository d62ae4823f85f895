"""Scores as people and applications get them: the numbers and the reasons in words."""

from datetime import date

import pandas as pd

from features.ingest import ingest
from features.log import Log
from features.snapshot import snapshot
from models import explain
from models.scorer import Scorer, by_horizon


def score(scorer: Scorer, rows: pd.DataFrame) -> pd.DataFrame:
    """Scores of feature rows: `scores.parquet` but `segment`, which compares with the whole base.

    First all rows over the horizon of the terms, with reasons; then all of them over each other one, without.
    """
    main, *others = by_horizon(scorer, rows, scorer.horizons).values()
    reasons = explain.reasons(scorer, rows)
    scores = main.assign(**reasons)
    if others:
        scores = pd.concat([scores, *(one.assign(**dict.fromkeys(reasons)) for one in others)], ignore_index=True)
    return scores.assign(model_version=scorer.version)


def score_orders(scorer: Scorer, orders: pd.DataFrame, *, as_of: date) -> pd.DataFrame:
    """Scores from raw orders: a frame with customer_id, ordered_at, amount and what else the schema knows.

    Naive times are read as UTC. Every customer with an order before `as_of` gets a row per horizon.
    """
    terms = scorer.terms
    log = Log(orders, currency=terms.currency, gross_margin=terms.gross_margin, timezone="UTC")
    histories = ingest(log, now_us=None).histories
    rows = snapshot(histories, as_of=[as_of], features=list(scorer.inputs))
    return score(scorer, rows.to_pandas(date_as_object=False))
