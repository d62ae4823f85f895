"""The what-if of one more order: a customer's history with an order added just before the day of the scores."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa

from features.errors import InputError
from features.ingest.log import Log
from features.online.one_customer import CustomerRows


def with_order(log: Log, rows: CustomerRows, *, amount: float, as_of: date) -> CustomerRows:
    """Add an order of this amount (currency units), at noon UTC of the day before `as_of`, to a customer's rows.

    The order is written as the log's orders are once they are in their plain form, so that the same code reads it.
    """
    orders = rows["orders"]
    if not orders.num_rows:
        raise InputError("this customer has no rows in the log", where="orders")
    written = {"customer_id": orders["customer_id"][0].as_py(), "file": "what if", "row": 0}
    written["ordered_at"] = _time(log, orders.schema.field("ordered_at").type, as_of=as_of)
    written |= {"amount": amount} if "amount" in orders.column_names else {"unit_price": amount, "quantity": 1}
    columns = {}
    for field in orders.schema:
        value = written.get(field.name)
        is_money = field.name in ("amount", "unit_price") and not pa.types.is_string(field.type)
        is_text = pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        columns[field.name] = pa.array(
            [str(value) if is_text and value is not None else value], pa.float64() if is_money else field.type
        )
    return rows | {"orders": pa.concat_tables([orders, pa.table(columns)], promote_options="permissive")}


def _time(log: Log, kind: pa.DataType, *, as_of: date) -> object:
    """Noon UTC of the day before `as_of`, in the format of a column of this type."""
    noon = datetime.combine(as_of - timedelta(days=1), time(12), UTC)
    local = noon.astimezone(ZoneInfo(log.timezone)) if log.timezone else noon
    if pa.types.is_timestamp(kind):
        return noon if kind.tz else local.replace(tzinfo=None)
    if pa.types.is_date(kind):
        return local.date()
    return local.replace(tzinfo=None).isoformat(" ") if log.timezone else noon.isoformat()
