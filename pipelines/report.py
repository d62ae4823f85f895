"""The customer-base report from what the commands before it left."""

from datetime import datetime
from pathlib import Path

from pipelines import store
from pipelines.config import Config
from pipelines.latest import latest_scores
from pipelines.orders import refuse_input_as_output
from pipelines.page import page
from pipelines.plan import assumptions
from retention.plan import profit_curve

POINTS = 40
"""Budgets on the profit curve."""


def write_report(config: Config, *, output: Path | None, now: datetime) -> Path:
    """Write the page from the latest metrics, scores and plan; a plan need not be there yet."""
    path = output or config.folder / store.REPORT
    store.writable(path)
    refuse_input_as_output(config, [path])
    folder = config.folder
    metrics = store.read_json(folder / store.METRICS, next="Train first: stayworth train.")
    scores = latest_scores(folder)
    planned = (folder / store.PLAN).exists() and (folder / store.PLAN_SUMMARY).exists()
    summary = store.read_json(folder / store.PLAN_SUMMARY, next="Plan again.") if planned else None
    offer = next((one for one in config.offers if summary and one.name == summary["offer"]), None)
    reconciliation = store.read_json(folder / store.RECONCILIATION, next="Check first: stayworth check.")
    html = page(
        metrics=metrics,
        scores=scores,
        plan=store.read_table(folder / store.PLAN, next="Plan again.") if planned else None,
        plan_summary=summary,
        profit_curve=profit_curve(scores, offer, points=POINTS) if offer else None,
        title="Customer base",
        currency=config.money.currency,
        assumptions=assumptions(config),
        reconciliation=[entry | {"amount": float(entry["amount"])} for entry in reconciliation],
        written_on=now.date().isoformat(),
    )
    store.write_text(path, html)
    return path
