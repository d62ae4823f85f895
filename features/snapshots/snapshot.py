"""Compute one row of features per customer and cut-off from histories."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from itertools import pairwise

import numpy as np
import pyarrow as pa

from features.clock import DAY, cut_offs, microseconds
from features.errors import InputError
from features.families.catalogue import catalogue, feature_named, feature_templates
from features.histories.attributes import attribute_column
from features.histories.columns import Histories
from features.ingest.open_log import Reading
from features.kernel.code_generation import compile_pass, row_layout
from features.kernel.feature import Feature
from features.kernel.pass_arguments import CutOffs, PassOutput
from features.kernel.slices import InteractionsByKind

CHUNK_CELLS = 4_000_000
"""Values in one chunk of rows, 32 MB."""


def snapshot(
    histories: Histories, *, as_of: list[date], known_at: date | None = None, features: Sequence[str] | None = None
) -> pa.Table:
    """Features of every customer with an order known before each day of `as_of` who had not left by then.

    Returns customer_id (text), as_of (date) and the features (float64, money in currency units, undefined = NaN;
    names as text), sorted by customer, then day. known_at: only what was recorded before that day (default: before
    each day of `as_of`). features: names of columns, default all that the log has. Raises InputError for a feature
    that the log cannot give.
    """
    table = pa.concat_tables(snapshot_chunks(histories, as_of=as_of, known_at=known_at, features=features))
    return table.set_column(0, "customer_id", table["customer_id"].cast(pa.string()))


def snapshot_chunks(
    histories: Histories, *, as_of: list[date], known_at: date | None = None, features: Sequence[str] | None = None
) -> Iterator[pa.Table]:
    """The rows of `snapshot` in tables of bounded size, in its order; threads compute some tables ahead.

    customer_id is a dictionary of text, which Parquet writes unchanged.
    """
    days = cut_offs(as_of)
    is_cut = histories.before_us is not None and histories.before_us <= days[0]
    if known_at and known_at > min(as_of) and not is_cut:
        raise ValueError("what became known after as_of needs a log read as if nothing had happened since")
    limits = np.full(len(days), microseconds(known_at)) if known_at else days
    names = feature_columns(histories, as_of=as_of, known_at=known_at) if features is None else list(features)
    rows = SnapshotPass(histories, names, as_of=days, known_at=limits)
    step = max(1, CHUNK_CELLS // (len(days) * max(len(names), 1)))
    bounds = [*range(0, histories.customers, step), histories.customers]
    threads = os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        ahead: list[Future[pa.Table]] = []
        for span in pairwise(bounds):
            ahead.append(pool.submit(rows.table, *span))
            if len(ahead) > threads:
                yield ahead.pop(0).result()
        for table in ahead:
            yield table.result()


def feature_columns(log: Histories | Reading, *, as_of: list[date], known_at: date | None = None) -> list[str]:
    """The features that a log can give, and its used attributes; kinds of interaction first seen later add none."""
    last = microseconds(known_at or max(as_of))
    kinds = tuple(kind for kind, at in log.kinds.items() if at < last)
    return [*catalogue(log.present, kinds), *log.attributes]


class SnapshotPass:
    """The compiled pass over histories, ready to run on spans of customers."""

    def __init__(self, histories: Histories, names: list[str], *, as_of: np.ndarray, known_at: np.ndarray):
        self.histories, self.as_of, self.known_at, self.names = histories, as_of, known_at, names
        features = {name: None if name in histories.attributes else _feature(histories, name) for name in names}
        self.features = {name: feature for name, feature in features.items() if feature is not None}
        wanted = tuple(self.features.values())
        self.pass_ = compile_pass(feature_templates())
        self.layout = row_layout(feature_templates(), wanted, histories.kinds)

    def table(self, first: int, last: int) -> pa.Table:
        """The rows of the customers `first:last`; the compiled pass holds no lock, so threads share the work."""
        histories = self.histories
        columns = histories.columns.span(first, last)
        interactions = int(np.diff(columns.interaction_starts).max(initial=0))
        uses_kinds = len(self.layout.kind_columns) > 0
        kinds = InteractionsByKind(
            np.empty(len(self.layout.kind_columns) + 1 if uses_kinds else 0, np.int64),
            np.empty(interactions, np.int64),
            np.empty(interactions if len(columns.interaction_value) else 0),
        )
        first_order = columns.at[columns.starts[:-1]]
        most = int(sum((first_order < day).sum() for day in self.as_of))
        out = np.empty((len(self.features), most))
        output = PassOutput(out, np.empty(most, np.int64), np.empty(most, np.int64))
        rows = self.pass_.walk(
            columns, CutOffs(self.as_of, self.known_at), self.layout, kinds, histories.minor_units, output
        )
        customer, day = output.customer[:rows] + first, output.as_of[:rows]
        gone = histories.gone(customer, as_of=day, known_at=self.known_at[np.searchsorted(self.as_of, day)])
        kept = np.flatnonzero(~gone) if gone.any() else slice(rows)
        customer, day = customer[kept], day[kept]
        values = {name: column[kept] for name, column in zip(self.features, out, strict=True)}
        ids = pa.DictionaryArray.from_arrays(customer - first, histories.customer_ids[first:last])
        table = {"customer_id": ids, "as_of": pa.array((day // DAY).astype(np.int32)).cast(pa.date32())}
        for name in self.names:
            if name not in values:
                kind = histories.attribute_kinds[name]
                table[name] = attribute_column(histories.attributes[name], kind, customer=customer, as_of=day)
            elif self.features[name].unit == "channel":
                codes = values[name].astype(np.int32)
                table[name] = pa.array(histories.channels, pa.string()).take(pa.array(codes, mask=codes < 0))
            else:
                table[name] = pa.array(values[name])
        return pa.table(table)


def _feature(histories: Histories, name: str) -> Feature:
    """The feature of a column; raises InputError where the log cannot give it."""
    feature = feature_named(name)
    if name in histories.attribute_kinds:
        raise InputError(
            f"the attribute {name} is left out: {histories.attribute_kinds[name].why}",
            where="customers",
            next="Give the table as it was when the model was trained, or train again.",
        )
    if feature is None:
        raise InputError(f"there is no feature '{name}'", next="`stayworth features --list` shows them.")
    missing = sorted(feature.requires - histories.present)
    if missing:
        raise InputError(
            f"the feature {name} needs {missing[0]}, which the log does not have",
            next="Name the table under [data] in the config, or the column under [columns.orders].",
        )
    return feature
