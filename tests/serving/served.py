"""What is served in the tests: a batch of real scores, and the model that made them."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd

from models.artifacts import bundle
from models.scoring import batch_scores, self_test
from models.scoring.scorer import Scorer
from retention.customer_base.segments import average_cuts, value_quadrants
from serving.store import score_store as store
from tests.serving.running import SECRET_ID

GAIN_CUT = 0.5
"""As if the cheapest contact cost this, in currency units."""


@dataclass(frozen=True)
class Batch:
    """What is served."""

    folder: Path
    """scores.store, and the folder bundle."""
    scores: pd.DataFrame
    rows: pd.DataFrame
    orders: pd.DataFrame


def batch_in(folder: Path, model: Scorer, rows: pd.DataFrame, orders: pd.DataFrame) -> Batch:
    """The scores of these rows as of 1998-04-02, the last customer under another name."""
    (folder / "bundle").mkdir()
    training = {"as_of": "1998-04-02", "horizon_days": 90, "seed": 7, "params": {}}
    bundle.write(folder / "bundle", model, training=training)
    made = bundle.read(folder / "bundle")
    last = rows["customer_id"].iloc[-1]
    rows = rows.assign(customer_id=rows["customer_id"].replace(last, SECRET_ID))
    scores = written(folder / "scores.store", made, rows)
    return Batch(folder, scores, rows, orders.assign(customer_id=orders["customer_id"].replace(last, SECRET_ID)))


def written(path: Path, made: Scorer, rows: pd.DataFrame) -> pd.DataFrame:
    """Score the rows into a store at `path`; returns the scores."""
    scores = batch_scores.score(made, rows)
    current_cut, future_cut = average_cuts(rows["spend_last_365d"], scores["clv"])
    segment = value_quadrants(
        *(rows["spend_last_365d"], scores["clv"], scores["gain"]),
        current_cut=current_cut,
        future_cut=future_cut,
        gain_cut=GAIN_CUT,
    )
    scores = scores.assign(segment=segment)
    about = store.BatchInfo(
        as_of=date(1998, 4, 2),
        horizon_days=made.terms.horizon_days,
        model_version=made.version,
        currency=made.terms.currency,
        current_cut=current_cut,
        future_cut=future_cut,
        gain_cut=GAIN_CUT,
        features=dict(made.inputs),
    )
    with store.writing(path, about) as writer:
        writer.add(scores, rows)
    return scores


def pessimist(scorer: Scorer) -> Scorer:
    """The same model, but that it believes of everyone a lower chance to order again: its scores are others."""
    calibration = replace(scorer.calibration, log_odds=[shift + 0.5 for shift in scorer.calibration.log_odds])
    return self_test.with_example(replace(scorer, calibration=calibration), as_of=date(1998, 4, 2))


def asked_of(batch: Batch, customer_ids: list[str]) -> dict:
    """A request with the raw histories of these customers as of the day of the batch."""
    orders = batch.orders[batch.orders["customer_id"].isin(customer_ids)]
    orders = orders.assign(
        amount=orders["amount"].astype(float),
        ordered_at=pd.to_datetime(orders["ordered_at"]).dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    lines = {one: rows.drop(columns="customer_id").to_dict("records") for one, rows in orders.groupby("customer_id")}
    return {"as_of": "1998-04-02", "customers": [{"customer_id": one, "orders": lines[one]} for one in customer_ids]}
