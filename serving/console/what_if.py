"""What if a customer had ordered once more, just before the day of the scores: the history with that order in it."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa

from features.errors import InputError
from features.ingest.log import Log
from features.online.one_customer import Rows


def with_order(log: Log, rows: Rows, *, amount: float, as_of: date) -> Rows:
    """A customer's rows and one more: an order of this amount (currency units) at noon UTC of the day before.

    It is written as the log writes its orders, so that whatever reads those reads it.
    """
    orders = rows["orders"]
    if not orders.num_rows:
        raise InputError("has no rows in the log", where="orders")
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
    """Noon UTC of the day before, as a column of this type holds it."""
    noon = datetime.combine(as_of - timedelta(days=1), time(12), UTC)
    local = noon.astimezone(ZoneInfo(log.timezone)) if log.timezone else noon
    if pa.types.is_timestamp(kind):
        return noon if kind.tz else local.replace(tzinfo=None)
    if pa.types.is_date(kind):
        return local.date()
    if log.time_format:
        return local.strftime(log.time_format)
    return local.replace(tzinfo=None).isoformat(" ") if log.timezone else noon.isoformat()
