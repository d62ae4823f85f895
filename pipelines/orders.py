"""The config's log of orders, read and accounted for."""

from datetime import datetime

from features.ingest import Ingested, ingest
from pipelines import store
from pipelines.config import Config


def read_orders(config: Config, *, now: datetime) -> Ingested:
    """Read the orders and leave the quarantine and the reconciliation in the output folder."""
    ingested = ingest(
        config.orders,
        mapping=config.columns.orders,
        timezone=config.time.timezone,
        time_format=config.time.format,
        currency=config.money.currency,
        gross_margin=config.money.gross_margin,
        exclude_products=config.data.exclude_products,
        now_us=int(now.timestamp() * 1_000_000),
    )
    store.write_table(config.folder / store.QUARANTINE, ingested.quarantine)
    store.write_json(config.folder / store.RECONCILIATION, reconciliation(ingested))
    return ingested


def reconciliation(ingested: Ingested) -> list[dict[str, str | int]]:
    """The reconciliation as JSON rows: what, rows, amount (text, exact)."""
    return [{"what": one.what, "rows": one.rows, "amount": str(one.amount)} for one in ingested.reconciliation]
