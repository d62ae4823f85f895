"""Compile now what the first start of the service would wait for: `python -m serving.warm`, while an image is built.

What is compiled is kept beside the code, or in the folder NUMBA_CACHE_DIR names, for processors of the same kind.
"""

import tempfile
from datetime import date
from pathlib import Path

import pandas as pd

from features import few, request
from serving import store
from serving.store_file import NUMBERS, REASONS

DAY = date(2020, 2, 1)


def warm() -> None:
    """Take one customer who does not exist through the pass over histories, and into a store of scores and out."""
    order = {"ordered_at": "2020-01-01T00:00:00Z", "amount": 1.0}
    customer = {"customer_id": "nobody", "orders": [order], "interactions": []}
    histories = request.histories([customer], currency="USD", gross_margin=1.0)
    few.seen(histories, ("recency_days",), as_of=DAY)
    _store()


def _store() -> None:
    told = dict.fromkeys(REASONS) | {"segment": "VIP", "model_version": "none", "horizon_days": 90}
    scores = pd.DataFrame([dict.fromkeys(NUMBERS, 0.5) | told | {"customer_id": "nobody", "as_of": DAY}])
    rows = pd.DataFrame({"customer_id": ["nobody"], "recency_days": [31.0]})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scores.store"
        with store.writing(path, store.About(DAY, 90, "none", "USD", 0.0, 0.0, {"recency_days": None})) as writer:
            writer.add(scores, rows)
        held = store.open(path)
        held.find(["nobody"])
        held.rows(["nobody"])


if __name__ == "__main__":
    warm()
