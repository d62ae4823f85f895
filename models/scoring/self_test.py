"""A model tries itself before it answers anybody: an example of its own must score what it scored when it was made.

The customers of the example do not exist; their orders are written here, their features and scores are in the bundle.
Another release of a library, another processor or a damaged file that still parses shows here.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from features.errors import InputError
from features.ingest.build_histories import ingest
from features.ingest.log import Log
from features.snapshots.snapshot import columns_of, snapshot
from models.prediction import NUMBERS
from models.scoring import scorer as scoring
from models.scoring.scorer import Example, Scorer

ORDERED = {"newcomer": [12], "regular": [400, 310, 215, 120, 30], "lapsed": [700, 650, 480]}
"""How many days before the model was made each of three customers ordered."""
AMOUNT = 20.0
CLOSE = 1e-9
"""How far a score may be from what it was, relative to its size."""


def with_example(scorer: Scorer, *, as_of: date) -> Scorer:
    """The scorer with its example; what such orders leave open, such as attributes, is undefined."""
    orders = pd.DataFrame(
        [(name, as_of - timedelta(days), AMOUNT) for name, before in ORDERED.items() for days in before],
        columns=["customer_id", "ordered_at", "amount"],
    )
    terms = scorer.terms
    log = Log(orders, currency=terms.currency, gross_margin=terms.gross_margin, timezone="UTC")
    histories = ingest(log, now_us=None).histories
    known = [name for name in columns_of(histories, as_of=[as_of]) if name in scorer.inputs]
    table = snapshot(histories, as_of=[as_of], features=known).to_pydict()
    rows = {name: [_plain(one) for one in table[name]] for name in known}
    example = Example(as_of.isoformat(), rows, {})
    return replace(scorer, example=replace(example, scores=_scores(scorer, example)))


def rehearse(scorer: Scorer) -> None:
    """Raise InputError if the example does not score what it scored, or if there is none."""
    if scorer.example is None:
        raise InputError("the bundle has no example to try it on", where=scorer.version, next="Train again.")
    found = _scores(scorer, scorer.example)
    for name in NUMBERS:
        was, now = np.array(scorer.example.scores[name]), np.array(found[name])
        far = ~(np.abs(now - was) <= CLOSE * np.maximum(np.abs(was), 1))
        if far.any():
            row = int(far.argmax())
            raise InputError(
                f"scores its own example otherwise: {name} {float(now[row])!r} instead of {float(was[row])!r}",
                where=f"bundle {scorer.version}",
                next="Use the libraries of requirements.lock, or train again.",
            )


def _scores(scorer: Scorer, example: Example) -> dict[str, list[float]]:
    rows = pd.DataFrame(example.rows, dtype="float64")
    absent = [name for name in scorer.inputs if name not in rows]
    rows = pd.concat([rows, pd.DataFrame(np.nan, rows.index, absent)], axis=1)
    said = scoring.predict(scorer, rows.assign(customer_id="nobody", as_of=pd.Timestamp(example.as_of)))
    return {name: said[name].tolist() for name in NUMBERS}


def _plain(value: float) -> float | None:
    return None if value != value else float(value)
