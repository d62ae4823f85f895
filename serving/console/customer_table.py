"""Table of chosen customers of a batch: the columns of `scores.parquet`, and the value at risk."""

import numpy as np
import pyarrow as pa

from models.prediction import DATES, NUMBERS
from retention.economics.profit import value_at_risk
from serving.store import id_index, shared_texts
from serving.store.file_format import TEXTS
from serving.store.score_store import Store


def customer_table(store: Store, places: np.ndarray) -> pa.Table:
    """The customers at these places, in that order: ids, scores, segments, reasons; money in currency units."""
    info, count = store.info, len(places)
    records = store.records[places]
    ids, begins = id_index.gather_ids(store.heap, np.ascontiguousarray(records["start"]))
    numbers = {name: np.ascontiguousarray(records[name]) for name in NUMBERS}
    texts = {name: _texts(store, records[name]) for name in TEXTS}
    return pa.table(
        {
            "customer_id": pa.LargeStringArray.from_buffers(count, pa.py_buffer(begins), pa.py_buffer(ids)),
            "as_of": pa.array(np.full(count, info.as_of, "datetime64[D]")),
            "horizon_days": pa.array(np.full(count, info.horizon_days, np.int32)),
            **numbers,
            **{name: pa.array(np.ascontiguousarray(records[name]).view("datetime64[D]")) for name in DATES},
            "value_at_risk": value_at_risk(numbers),
            **texts,
            "model_version": pa.array([info.model_version], pa.string()).take(pa.array(np.zeros(count, np.int64))),
        }
    )


def _texts(store: Store, numbers: np.ndarray) -> pa.Array:
    used, codes = np.unique(numbers, return_inverse=True)
    texts = [None if number == shared_texts.NO_TEXT else store.text(int(number)) for number in used]
    return pa.array(texts, pa.string()).take(pa.array(codes))
