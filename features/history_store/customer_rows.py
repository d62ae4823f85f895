"""What the table `customers` says of the customers of an entry, as an entry of its own.

    described.arrow     a row per customer of the histories: the attributes and, under a contract, `left_us`
    quarantine.rows     the rows of the table that cannot be used (Parquet)

It is apart from the histories, as what an attribute holds is told by the model that asks (`Log.attribute_kinds`).
"""

from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa

from features.histories.attributes import AttributeKind, used_attributes
from features.history_store.build_rows import QUARANTINE, read_arrow, write_arrow, write_tables
from features.history_store.entry import Draft, Entry
from features.ingest.build_histories import CustomerColumns, describe_customers
from features.ingest.mistakes.customer_attributes import attribute_warnings, unread_attributes
from features.ingest.open_log import Reading
from features.ingest.reconciliation import quarantine

DESCRIBED, LEFT_US = "described.arrow", "left_us"
ATTRIBUTE = "attribute: "
"""What stands before the name of an attribute in a column's."""


def write_customers(opened: Reading, ids: pa.Array, draft: Draft) -> None:
    """Write what the open table `customers` says of the customers with these ids."""
    columns = describe_customers(opened, "usable_customers", ids)
    described = {f"{ATTRIBUTE}{name}": values for name, values in columns.attributes.items()}
    if columns.left_us is not None:
        described[LEFT_US] = pa.array(columns.left_us)
    write_arrow(draft.folder / DESCRIBED, pa.record_batch(described))
    write_tables(draft.folder / QUARANTINE, quarantine(opened, ["customers"], with_place=True))
    unread = [warning.message for warning in unread_attributes(opened)]
    draft.about |= {
        "customers": columns.customers,
        "judged": {"customers": opened.judged["customers"]},
        "malformed": {"customers": opened.malformed("customers")},
        "kinds": {name: asdict(kind) for name, kind in columns.kinds.items()},
        "unseen_names": columns.unseen_names,
        "unread": unread,
        "warnings": [warning.message for warning in attribute_warnings(opened)],
    }


def read_customers(entry: Entry) -> CustomerColumns:
    """What `write_customers` wrote, mapped."""
    about = entry.about
    kinds = {name: _kind(content) for name, content in about["kinds"].items()}
    table = read_arrow(entry.file(DESCRIBED)).combine_chunks()
    columns = {name: table[name].combine_chunks() for name in table.column_names}
    left_us: np.ndarray | None = columns[LEFT_US].to_numpy() if LEFT_US in columns else None
    return CustomerColumns(
        about["customers"],
        {name: columns[f"{ATTRIBUTE}{name}"] for name in used_attributes(kinds)},
        kinds,
        {name: Counter(counts) for name, counts in about["unseen_names"].items()},
        left_us,
    )


def _kind(content: dict[str, Any]) -> AttributeKind:
    return AttributeKind(**content | {name: tuple(content[name]) for name in ("names", "rare")})
