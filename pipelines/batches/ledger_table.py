"""The table of a batch in the ledger: the columns of scores that are kept, and how exactly.

Most bytes of scores are the last digits of their numbers, which no compression makes smaller. `MEASURES` are rounded by
less than `why` takes to be equal: it finds the same scores reproduced, and then has all their digits again
(models/scoring/score_change.py). Sums over a batch stay right to nine digits. All other numbers, which are only looked
at, are rounded by less than anybody would see. On disk bytes of one place stand together (BYTE_STREAM_SPLIT of the
Parquet format), and of an id stands what differs from the one before it (DELTA_BYTE_ARRAY).
"""

import numpy as np
import pyarrow as pa

from features.arrays import Floats
from models.prediction import NUMBERS
from models.scoring.score_change import MEASURES
from pipelines.batches.staged_scores import SCHEMA

COLUMNS = tuple(name for name in SCHEMA.names if not name.startswith("reason_"))
"""The columns that are kept: those of scores, without the reasons."""
ENCODINGS = {"customer_id": "DELTA_BYTE_ARRAY", **dict.fromkeys(NUMBERS, "BYTE_STREAM_SPLIT")}
PRECISION = {name: 2.0**-30 if name in MEASURES else 2.0**-12 for name in NUMBERS}
"""What a number may be off by at most, relative to the larger of it and 1: 9e-10 and 2.4e-4."""


def kept_columns(scores: pa.Table) -> pa.Table:
    """The columns of scores that are kept, their numbers rounded to `PRECISION`."""
    table = scores.select(COLUMNS)
    for name, precision in PRECISION.items():
        numbers = rounded(table[name].to_numpy(), precision=precision)
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(numbers))
    return table


def rounded(numbers: Floats, *, precision: float) -> Floats:
    """Round numbers so that none is off by more than `precision`, a power of two, times the larger of it and 1.

    >>> rounded(np.array([0.3, 1000.3]), precision=2**-4).tolist()
    [0.25, 1024.0]
    """
    _, exponent = np.frexp(np.maximum(np.abs(numbers), 1))
    step = np.ldexp(precision, exponent)
    return np.rint(numbers / step) * step
