"""Self-test of a model before it serves: its example must score as it did when the model was made.

The customers of the example do not exist; their orders are written here, their features and scores are in the bundle.
The test detects another release of a library, another processor, or a damaged file that still parses.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from features.errors import InputError
from features.ingest.build_histories import ingest
from features.ingest.log import Log
from features.snapshots.snapshot import feature_columns, snapshot
from models.prediction import NUMBERS
from models.scoring import scorer as scoring
from models.scoring.scorer import Example, Scorer

DAYS_BEFORE = {"newcomer": [12], "regular": [400, 310, 215, 120, 30], "lapsed": [700, 650, 480]}
"""The days before the model was made on which each of three customers ordered."""
AMOUNT = 20.0
TOLERANCE = 1e-9
"""The largest difference from the recorded score, relative to its size."""


def with_example(scorer: Scorer, *, as_of: date) -> Scorer:
    """Give the scorer its example; inputs that such orders do not have, such as attributes, are undefined."""
    orders = pd.DataFrame(
        [(name, as_of - timedelta(days), AMOUNT) for name, days_before in DAYS_BEFORE.items() for days in days_before],
        columns=["customer_id", "ordered_at", "amount"],
    )
    terms = scorer.terms
    log = Log(orders, currency=terms.currency, gross_margin=terms.gross_margin, timezone="UTC")
    histories = ingest(log, now_us=None).histories
    features = [name for name in feature_columns(histories, as_of=[as_of]) if name in scorer.inputs]
    table = snapshot(histories, as_of=[as_of], features=features).to_pydict()
    rows = {name: [_plain(value) for value in table[name]] for name in features}
    example = Example(as_of.isoformat(), rows, {})
    return replace(scorer, example=replace(example, scores=_scores(scorer, example)))


def check_example(scorer: Scorer) -> None:
    """Raise InputError if the example does not score as recorded, or if there is none.

    Numbers of scores that models did not give when it was made are not compared.
    """
    if scorer.example is None:
        raise InputError("the bundle has no example to test it on", where=scorer.version, next="Train again.")
    scores = _scores(scorer, scorer.example)
    for name in scorer.example.scores:
        recorded, now = np.array(scorer.example.scores[name]), np.array(scores[name])
        far = ~(np.abs(now - recorded) <= TOLERANCE * np.maximum(np.abs(recorded), 1))
        if far.any():
            row = int(far.argmax())
            raise InputError(
                f"scores its own example differently: {name} {float(now[row])!r} instead of {float(recorded[row])!r}",
                where=f"bundle {scorer.version}",
                next="Use the libraries of requirements.lock, or train again.",
            )


def _scores(scorer: Scorer, example: Example) -> dict[str, list[float]]:
    rows = pd.DataFrame(example.rows, dtype="float64")
    missing = [name for name in scorer.inputs if name not in rows]
    rows = pd.concat([rows, pd.DataFrame(np.nan, rows.index, missing)], axis=1)
    scores = scoring.predict(scorer, rows.assign(customer_id="nobody", as_of=pd.Timestamp(example.as_of)))
    return {name: scores[name].tolist() for name in NUMBERS}


def _plain(value: float) -> float | None:
    return None if value != value else float(value)
