"""Compile ahead of the first start of the service: `python -m serving.warm`, while an image is built.

The compiled code is kept beside the source, or in the folder NUMBA_CACHE_DIR names, for processors of the same kind.
"""

import tempfile
from datetime import date
from pathlib import Path

import pandas as pd

from features.online import feature_rows, request
from models.prediction import DATES, NUMBERS, REASONS
from serving.store import score_store as store

DAY = date(2020, 2, 1)
MADE_UP_IDS = ["nobody", "nobody else"]


def warm() -> None:
    """Run made-up customers through the pass over histories, and into and out of a store of scores.

    There are two of them: NumPy calls a column of one row contiguous, for which a store's code is compiled anew.
    """
    order = {"ordered_at": "2020-01-01T00:00:00Z", "amount": 1.0}
    customers = [{"customer_id": customer_id, "orders": [order], "interactions": []} for customer_id in MADE_UP_IDS]
    histories = request.histories_of_request(customers, currency="USD", gross_margin=1.0)
    feature_rows.compute_feature_rows(histories, ("recency_days",), as_of=DAY)
    warm_store()


def warm_store() -> None:
    """Write a store of two made-up customers and look them up."""
    texts = dict.fromkeys(REASONS) | {"segment": "VIP", "model_version": "none", "horizon_days": 90}
    same = dict.fromkeys(NUMBERS, 0.5) | dict.fromkeys(DATES, pd.Timestamp(DAY)) | texts | {"as_of": DAY}
    scores = pd.DataFrame([same | {"customer_id": customer_id} for customer_id in MADE_UP_IDS])
    rows = pd.DataFrame({"customer_id": MADE_UP_IDS, "recency_days": [31.0, 31.0]})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scores.store"
        with store.writing(
            path, store.BatchInfo(DAY, 90, "none", "USD", 0.0, 0.0, 0.0, {"recency_days": None})
        ) as writer:
            writer.add(scores, rows)
        scored = store.open_store(path)
        scored.find(MADE_UP_IDS)
        scored.rows(MADE_UP_IDS)
        scored.scores()


if __name__ == "__main__":
    warm()
