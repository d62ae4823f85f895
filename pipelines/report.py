"""Write the customer-base report from the files that earlier commands left."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from features import audit_log
from pipelines import run_folder
from pipelines.batches.latest_scores import latest_scores
from pipelines.batches.total_misses import judged_horizons, judged_lifetimes, lifetime_misses
from pipelines.campaigns.configured_offers import offers_with_save_rate
from pipelines.campaigns.customer_effects import customer_effects
from pipelines.config import Config
from pipelines.order_log import refuse_input_as_output
from pipelines.plan import assumptions
from pipelines.registry_audit import account_name
from pipelines.reporting.page import page
from pipelines.reporting.report_data import customer_base
from retention.analyses.chapters import chapters
from retention.analyses.early_warning import early_warnings
from retention.customer_base.customer_base import CustomerBase
from retention.economics.customer_equity import UNKNOWN_MISS, CustomerEquity, customer_equity
from retention.economics.profit_curve import profit_curve
from retention.measurement.save_rate_store import believed_worth_factor

CURVE_POINTS = 40
"""Budgets on the profit curve."""
CUSTOMERS_NAMED = 100
"""Most customers named in a report with ids: those with the most value at risk."""


def write_report(
    config: Config, *, output: Path | None, now: datetime, with_ids: bool = False, say: Callable[[str], None]
) -> Path:
    """Write the page from the latest metrics, scores, plan (if there is one) and log.

    with_ids: name the customers with the most value at risk; the audit log records who asked for it.
    """
    path = output or config.folder / run_folder.REPORT
    run_folder.refuse_unwritable(path)
    refuse_input_as_output(config, [path])
    folder = config.folder
    metrics = run_folder.read_json(folder / run_folder.METRICS, next="Train first: stayworth train.")
    scores = latest_scores(folder)
    planned = (folder / run_folder.PLAN).exists() and (folder / run_folder.PLAN_SUMMARY).exists()
    summary = run_folder.read_json(folder / run_folder.PLAN_SUMMARY, next="Plan again.") if planned else None
    offer_names = [offer["offer"] for offer in summary["offers"]] if summary else []
    offers = [offer for offer in offers_with_save_rate(config) if offer.name in offer_names]
    effects = customer_effects(config, offers, as_of=scores["as_of"].iloc[0].date())
    reconciliation = run_folder.read_json(folder / run_folder.RECONCILIATION, next="Check first: stayworth check.")
    say("reading the log")
    cost_share = metrics.get("lifetime", {}).get("cost_share", 0.0)
    backtest, lifetimes = judged_horizons(folder), judged_lifetimes(folder)
    base = customer_base(config, now=now, clv_cost_share=cost_share)
    worth = partial(_worth, metrics=metrics, lifetimes=lifetimes)
    say("looking at the customer base")
    html = page(
        metrics=metrics,
        scores=scores,
        plan=run_folder.read_table(folder / run_folder.PLAN, next="Plan again.") if planned else None,
        plan_summary=summary,
        profit_curve=profit_curve(
            scores,
            effects.offers,
            points=CURVE_POINTS,
            effects=effects.frame,
            worth=believed_worth_factor(folder),
        )
        if offers
        else None,
        title="Customer base",
        currency=config.money.currency,
        assumptions=assumptions(config),
        reconciliation=[entry | {"amount": float(entry["amount"])} for entry in reconciliation],
        written_on=now.date().isoformat(),
        worth=worth(base.customers),
        worth_by_segment={
            segment: worth(rows) for segment, rows in base.customers.groupby(base.customers["segment"].fillna("(none)"))
        },
        lifetimes=lifetimes,
        weeks=run_folder.read_json_if_there(folder / run_folder.WEEKS, next="") or (),
        chapters=chapters(base),
        backtest=backtest,
        customers_named=CUSTOMERS_NAMED if with_ids else 0,
        early_warnings=early_warnings(base).head(CUSTOMERS_NAMED) if with_ids else None,
    )
    say("writing the report")
    if with_ids:
        audit_log.append(
            folder / audit_log.FILE,
            _audit_entry(base, now=now),
            next="No customer is named without its audit line: make room.",
        )
    run_folder.write_text(path, html)
    return path


def _audit_entry(base: CustomerBase, *, now: datetime) -> dict[str, Any]:
    """Entry of the audit log for a report that names customers."""
    return {
        "at": now.isoformat(timespec="seconds"),
        "who": account_name(),
        "what": "report with ids",
        "customers": min(CUSTOMERS_NAMED, len(base.customers)),
        "as_of": base.as_of.isoformat(),
    }


def _worth(customers: pd.DataFrame, metrics: dict[str, Any], lifetimes: list[dict[str, Any]]) -> CustomerEquity:
    """The worth of customers, in doubt by what lifetime values missed on past days, and usually miss."""
    typical_miss = metrics.get("lifetime", {}).get("typical_miss", UNKNOWN_MISS)
    return customer_equity(customers, *lifetime_misses(lifetimes), typical_miss=typical_miss)
