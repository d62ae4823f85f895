"""Is the data what the config says? What was read, what was set aside, and which horizon fits."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from models import horizon
from pipelines.config import Config
from pipelines.orders import read_orders, reconciliation, write_account


def check(config: Config, *, now: datetime) -> dict[str, Any]:
    """The data report: reconciliation, extent, horizons with their false-churn rates, and the one advised."""
    ingested = read_orders(config, now=now)
    histories = ingested.histories
    judged, follow_up = horizon.candidates(histories)
    best = horizon.advised(judged)
    write_account(config, ingested.account, [ingested.quarantine])
    return {
        "orders": str(config.log.orders),
        "customers": histories.customers,
        "order_count": len(histories.columns.at),
        "first_day": histories.first_day.isoformat(),
        "end": histories.end.isoformat(),
        "currency": config.money.currency,
        "reconciliation": reconciliation(ingested.account.orders),
        "interactions": reconciliation(ingested.account.interactions),
        "horizons": [asdict(one) for one in judged],
        "follow_up_days": follow_up,
        "horizon_days": config.time.horizon_days,
        "advised_horizon_days": best.horizon_days if best else None,
    }
