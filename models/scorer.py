"""The whole model: feature rows in, probabilities and money out. What a bundle holds and a service serves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from features.ingest import ingest
from features.log import Log
from features.snapshot import snapshot
from models import bgnbd, churn, intervals, lifetime, trees, value
from models.baselines import history
from models.bgnbd import BGNBD
from models.churn import Churn
from models.explain import reasons
from models.intervals import Intervals
from models.terms import Terms
from models.value import Value


@dataclass(frozen=True)
class Scorer:
    """A fitted model with all that it takes to score a row."""

    terms: Terms
    inputs: trees.Inputs
    """Feature columns in the order the trees take them, with the names learnt where they are names."""
    churn: Churn
    value: Value
    intervals: Intervals
    tail: BGNBD
    """The shape of buying beyond the horizon, for `clv`."""
    version: str = "unsaved"
    """The first digits of the bundle's hash."""


def fit(
    rows: pd.DataFrame,
    latest: pd.DataFrame,
    *,
    features: Sequence[str],
    terms: Terms,
    churn_params: Mapping[str, float],
    value_params: Mapping[str, float],
    seed: int,
) -> Scorer:
    """Learn from labelled rows of many cut-offs, then calibrate on the rows of the latest matured one.

    `latest` must lie a whole horizon after the cut-offs of `rows`; models/timeline.py sees to it.
    """
    inputs = trees.inputs_of(rows, features)
    churner = churn.calibrate(churn.fit(rows, inputs, params=churn_params, seed=seed), latest, inputs)
    probability = churner.probability(latest, inputs)
    valuer = value.calibrate(value.fit(rows, inputs, params=value_params, seed=seed), probability, latest, inputs)
    expected = (1 - probability) * valuer.margin(latest, inputs)
    return Scorer(
        terms=terms,
        inputs=inputs,
        churn=churner,
        value=valuer,
        intervals=intervals.fit(expected, latest["future_value"].to_numpy()),
        tail=bgnbd.fit(*history(latest)),
    )


def score(scorer: Scorer, rows: pd.DataFrame) -> pd.DataFrame:
    """Scores of feature rows with reasons: `scores.parquet` but `segment`, which compares with the whole base."""
    said = reasons(scorer.churn.booster, rows, scorer.inputs)
    return predict(scorer, rows).assign(**said, model_version=scorer.version)


def predict(scorer: Scorer, rows: pd.DataFrame) -> pd.DataFrame:
    """The numbers of the scores, without reasons.

    Probabilities in (0, 1); expected_orders in orders; expected_value, value_p10, value_p90 and clv are margin in
    currency units, over the horizon and the lifetime.
    """
    terms, inputs = scorer.terms, scorer.inputs
    churn_probability = scorer.churn.probability(rows, inputs)
    expected_value = (1 - churn_probability) * scorer.value.margin(rows, inputs)
    low, high = scorer.intervals.interval(expected_value)
    frequency, recency, age = history(rows)
    clv = lifetime.clv(
        expected_value,
        horizon_days=terms.horizon_days,
        lifetime_days=terms.lifetime_days,
        annual_discount_rate=terms.annual_discount_rate,
        bgnbd=scorer.tail,
        frequency=frequency,
        recency=recency,
        T=age,
    )
    return pd.DataFrame(
        {
            "customer_id": rows["customer_id"],
            "as_of": rows["as_of"],
            "horizon_days": np.full(len(rows), terms.horizon_days, np.int32),
            "churn_probability": churn_probability,
            "expected_orders": (1 - churn_probability) * scorer.value.orders(rows, inputs),
            "expected_value": expected_value,
            "value_p10": low,
            "value_p90": high,
            "clv": clv,
        }
    )


def score_orders(scorer: Scorer, orders: pd.DataFrame, *, as_of: date) -> pd.DataFrame:
    """Scores from raw orders: a frame with customer_id, ordered_at, amount and what else the schema knows.

    Naive times are read as UTC. Every customer with an order before `as_of` gets a row.
    """
    terms = scorer.terms
    log = Log(orders, currency=terms.currency, gross_margin=terms.gross_margin, timezone="UTC")
    histories = ingest(log, now_us=None).histories
    rows = snapshot(histories, as_of=[as_of], features=list(scorer.inputs))
    return score(scorer, rows.to_pandas(date_as_object=False))
