"""The screens of `why` and `why --list`."""

from typing import Any

from rich.markup import escape

from models.scoring.score_change import MEASURES
from pipelines.screens.tables import console, table_of

FORMS = {"churn_probability": ".1%", "expected_value": ",.2f", "clv": ",.2f"}


def show_change(content: dict[str, Any]) -> None:
    """Print the earlier score, what each part adds to it, and the later score."""
    table = table_of("", "churn probability", f"expected value, {content['currency']}", "clv")
    table.title = f"{escape(content['customer_id'])}, {content['horizon_days']} days ahead"
    _score(table, content["from"])
    for part in content["parts"] or []:
        name = f"  {part['part'].replace('_', ' ')}: {part['what']}"
        table.add_row(escape(name), *(f"{round(part[measure], 9) + 0.0:+{FORMS[measure]}}" for measure in MEASURES))
        for reason in part["because"]:
            table.add_row(escape(f"    {reason['says']}"), f"{reason['churn_probability']:+.1%}", "", "", style="dim")
    _score(table, content["to"])
    console.print(table)
    for sentence in content["in_words"]:
        console.print(escape(sentence))


def _score(table: Any, score: dict[str, Any] | None) -> None:
    if score is not None:
        numbers = (f"{score[measure]:{FORMS[measure]}}" for measure in MEASURES)
        table.add_row(f"as of {score['as_of']}, by model {score['model_version']}", *numbers, style="bold")


def show_batches(content: list[dict[str, Any]]) -> None:
    """Print the ledger, a row per batch."""
    table = table_of("as of", "model", "horizon, days", "scored at", "orders until", "customers", "value at risk")
    for batch in content:
        table.add_row(
            batch["as_of"],
            batch["model_version"],
            str(batch["horizon_days"]),
            batch["scored_at"][:16].replace("T", " "),
            batch["data_end"],
            f"{batch['customers']:,}",
            f"{batch['value_at_risk']:,.0f}",
        )
    console.print(table if content else "No scores are kept yet: `stayworth score --as-of DAY` keeps every batch.")
