"""Compile now what the first start of the service would wait for: `python -m serving.warm`, while an image is built.

What is compiled is kept beside the code, or in the folder NUMBA_CACHE_DIR names, for processors of the same kind.
"""

import tempfile
from datetime import date
from pathlib import Path

import pandas as pd

from features.online import feature_rows, request
from models.prediction import NUMBERS, REASONS
from serving.store import store

DAY = date(2020, 2, 1)
NOBODY = ["nobody", "nobody else"]


def warm() -> None:
    """Take customers who do not exist through the pass over histories, and into a store of scores and out.

    Two of them: NumPy calls a column of one row contiguous, and code is compiled for contiguous columns anew.
    """
    order = {"ordered_at": "2020-01-01T00:00:00Z", "amount": 1.0}
    customers = [{"customer_id": one, "orders": [order], "interactions": []} for one in NOBODY]
    histories = request.histories(customers, currency="USD", gross_margin=1.0)
    feature_rows.seen(histories, ("recency_days",), as_of=DAY)
    _store()


def _store() -> None:
    told = dict.fromkeys(REASONS) | {"segment": "VIP", "model_version": "none", "horizon_days": 90}
    scores = pd.DataFrame([dict.fromkeys(NUMBERS, 0.5) | told | {"customer_id": one, "as_of": DAY} for one in NOBODY])
    rows = pd.DataFrame({"customer_id": NOBODY, "recency_days": [31.0, 31.0]})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scores.store"
        with store.writing(path, store.BatchInfo(DAY, 90, "none", "USD", 0.0, 0.0, {"recency_days": None})) as writer:
            writer.add(scores, rows)
        held = store.open_store(path)
        held.find(NOBODY)
        held.rows(NOBODY)
        held.scores()


if __name__ == "__main__":
    warm()
