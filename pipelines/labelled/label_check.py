"""The data report of a label table: its labels, what each column holds, columns that leak the label, and advice."""

from typing import Any

from models.labelled.table_columns import ColumnKind, describe_columns, parse_columns
from pipelines.labelled.label_config import LabelConfig, LabelledRows, missing_share, read_labelled
from pipelines.leakage.leaking_columns import leak_in_words, leaking_columns

SMALL = 200
"""Customers of the rarer label below which intervals are wide."""
MOSTLY_MISSING = 0.5


def check_labelled(config: LabelConfig) -> dict[str, Any]:
    """Check a label table: classes, columns, leaks, and `warnings` as those of a log."""
    rows = read_labelled(config)
    columns = describe_columns(rows.features)
    shares = {name: missing_share(rows.features[name]) for name in columns}
    leaks = leaking_columns(parse_columns(rows.features, columns), rows.churned, seed=config.train.seed)
    return {
        "labelled": config.data.labelled,
        "customers": len(rows.churned),
        "label": config.names.churned,
        "left_value": rows.left,
        "classes": rows.values,
        "unlabelled": rows.unlabelled,
        "churn_rate": float(rows.churned.mean()),
        "future_value": config.names.future_value,
        "columns": [
            {
                "column": name,
                "kind": column.kind,
                "missing": shares[name],
                "distinct": int(rows.features[name].nunique()),
                "why": column.form if column.kind == "unused" else "",
            }
            for name, column in columns.items()
        ],
        "leaks": leaks,
        "warnings": _warnings(config, rows, columns, shares, leaks),
    }


def _warnings(
    config: LabelConfig,
    rows: LabelledRows,
    columns: dict[str, ColumnKind],
    shares: dict[str, float],
    leaks: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    def warning(code: str, message: str, column: str, count: int, fix: str) -> dict[str, Any]:
        return {"code": code, "message": message, "table": "labelled", "column": column, "rows": count, "fix": fix}

    customers, found = len(rows.churned), []
    for leak in leaks:
        found.append(
            warning(
                "label-leak",
                leak_in_words(leak),
                leak["column"],
                customers,
                f'If so, leave it out: [label] unused = ["{leak["column"]}"]',
            )
        )
    rarer = int(min(rows.churned.sum(), customers - rows.churned.sum()))
    if rarer < SMALL:
        message = f"only {rarer:,} customers have the rarer label: intervals will be wide"
        found.append(warning("few-labels", message, config.names.churned, rarer, "Add customers if you have more."))
    if rows.unlabelled:
        message = f"{rows.unlabelled:,} rows have no label and are left out"
        fix = "Score them: stayworth score --input FILE."
        found.append(warning("no-label", message, config.names.churned, rows.unlabelled, fix))
    for name, column in columns.items():
        if column.kind == "unused":
            fix = f'Nothing to do; [label] unused = ["{name}"] makes it silent.'
            found.append(warning("not-learned", f"{name} is not learned from: {column.form}", name, customers, fix))
        elif shares[name] > MOSTLY_MISSING:
            message = f"{name} is missing in {shares[name]:.0%} of the rows"
            fix = "Missing is a value of its own; make sure that new rows miss it as often."
            found.append(warning("mostly-missing", message, name, round(shares[name] * customers), fix))
        elif column.kind == "day":
            message = f"{name} holds dates: a table without time cannot say how long ago they were"
            fix = "Give days before the day of the table instead, so that later rows compare."
            found.append(warning("dates", message, name, customers, fix))
    return found
