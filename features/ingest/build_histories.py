"""Build `Histories` from a shop's log, with every row and every cent accounted for.

Lines with one order id are one order; without ids, one customer at one instant. A negative line is a refund: of
the order whose id it carries, else of the latest earlier order of the same customer with the same product and
amount (features/histories/refund_matching.py), else it stands alone and lowers what the customer spent on the day
of the refund.
"""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import InputError
from features.histories.assemble import NO_INTERACTIONS, assemble_orders, is_prompt, sort_interactions, sort_lines
from features.histories.attributes import AttributeKind, group_names, used_attributes
from features.histories.columns import NEVER, Columns, Histories
from features.histories.counting_sort import Arrays
from features.ingest.log import Log
from features.ingest.open_log import Reading
from features.ingest.reading import reading
from features.ingest.reconciliation import Reconciliation, Tally, quarantine, reconcile
from features.ingest.schema import minor_units


@dataclass(frozen=True)
class Ingested:
    """The histories of a log, its reconciliation and its quarantine."""

    histories: Histories
    account: Reconciliation
    """The reconciliation of every row and cent."""
    quarantine: pa.Table
    """The rows that cannot be used; see `account.quarantine`."""


def ingest(log: Log, *, now_us: int | None) -> Ingested:
    """Read a log. now_us: rows after it are in the future (None: not checked).

    Raises InputError, having written nothing.
    """
    with reading(log, now_us=now_us) as opened:
        return ingested(opened)


def ingested(opened: Reading) -> Ingested:
    """The histories of an open log; raises InputError where no row is an order."""
    histories, tally = histories_of(opened, "usable_orders", "usable_interactions")
    if histories.customers == 0:
        raise no_order(opened)
    return Ingested(histories, reconcile(opened.counted(), tally), pa.concat_tables(quarantine(opened)))


def no_order(opened: Reading) -> InputError:
    """The error for a log in which no row is an order."""
    reasons = [f"{group.reason}: {group.rows:,}" for group in opened.judged["orders"] if group.reason]
    return InputError(
        f"no row is an order ({', '.join(reasons) or 'refunds only'})",
        where=opened.where("orders"),
        next="Check [columns.orders].",
    )


def histories_of(
    opened: Reading, orders: str, interactions: str, customers: str | None = "usable_customers"
) -> tuple[Histories, Tally]:
    """The histories of the customers with an order in the relation `orders`, and the tally of their rows.

    The relations have the columns of the views `usable_orders`, `usable_interactions` and `usable_customers`.
    customers: None for histories without what that table says; see `describe_customers`.
    """
    db = opened.db
    db.execute(f"""
        create or replace temp table buyers as
        select customer_id, (row_number() over (order by customer_id) - 1)::int as customer
        from (select distinct customer_id from {orders} where cents >= 0)""")
    ids = db.sql("select customer_id from buyers order by customer").to_arrow_table()["customer_id"].combine_chunks()
    lines = _fetch_rows(opened, orders)
    rate = 1 if "margin_micros" in lines else round(opened.log.gross_margin * 1_000_000)
    columns, netted = assemble_orders(*sort_lines(lines, len(ids)), margin_micros=rate)
    del lines
    has_interactions = "interactions" in opened.types
    columns |= sort_interactions(
        _fetch_rows(opened, interactions) if has_interactions else dict(NO_INTERACTIONS), len(ids)
    )
    columns["prompt"] = is_prompt(columns)
    histories = Histories(
        customer_ids=ids,
        columns=Columns(**columns),
        minor_units=minor_units(opened.log.currency),
        present=opened.present,
        channels=tuple(opened.channels),
        kinds=opened.kinds,
        before_us=opened.before_us,
    )
    described = 0
    if customers is not None:
        about = describe_customers(opened, customers, ids)
        described, histories = about.customers, about.of(histories)
    return histories, Tally(*netted, len(columns["interaction_at"]), described, len(ids))


def _fetch_rows(opened: Reading, relation: str) -> Arrays:
    """The columns of the buyers' rows as arrays, `customer` for customer_id; hashes as int64, missing values NaN."""
    table = opened.db.sql(
        f"select customer, rows.* exclude (customer_id) from {relation} as rows join buyers using (customer_id)"
    ).to_arrow_table()
    rows: Arrays = {}
    for name in table.column_names:
        column = table[name]
        if pa.types.is_floating(column.type) and column.null_count:
            column = pc.fill_null(column, np.nan)
        values = column.to_numpy()
        rows[name] = values.view(np.int64) if values.dtype == np.uint64 else values
    return rows


@dataclass(frozen=True)
class CustomerColumns:
    """What the table `customers` says of the customers of histories."""

    customers: int
    """Those who have a row in it; the others have null attributes and have not left."""
    attributes: dict[str, pa.Array]
    kinds: dict[str, AttributeKind]
    unseen_names: dict[str, Counter[str]]
    left_us: np.ndarray | None
    """None where the log does not say who left."""

    def of(self, histories: Histories) -> Histories:
        """The histories with it."""
        return replace(
            histories,
            attributes=self.attributes,
            attribute_kinds=self.kinds,
            unseen_names=self.unseen_names,
            left_us=self.left_us,
        )


def describe_customers(opened: Reading, relation: str, ids: pa.Array) -> CustomerColumns:
    """What a relation such as `usable_customers` says of the customers with these ids, in their order."""
    kinds = opened.attribute_kinds
    if "customers" not in opened.types:
        return CustomerColumns(0, {}, kinds, {}, None)
    opened.db.register("described_ids", pa.table({"customer_id": ids}))
    rows = opened.db.sql(
        f"select rows.* from {relation} as rows join described_ids using (customer_id)"
    ).to_arrow_table()
    place = pc.index_in(ids, rows["customer_id"].combine_chunks())
    attributes: dict[str, pa.Array] = {}
    unseen: dict[str, Counter[str]] = {}
    for number, (name, kind) in enumerate(used_attributes(kinds).items()):
        attributes[name] = rows[f"attribute_{number}"].combine_chunks().take(place)
        if kind.is_text:
            grouped, unseen[name] = group_names(attributes[name].to_pylist(), kind)
            attributes[name] = pa.array(grouped, pa.string())
    unseen = {name: counts for name, counts in unseen.items() if counts}
    left_us = None
    if opened.contractual:
        left_us = pc.fill_null(rows["left_us"].combine_chunks().take(place), NEVER).to_numpy().astype(np.int64)
    return CustomerColumns(rows.num_rows, attributes, kinds, unseen, left_us)
