"""Attributes of customers that tell too well who will leave: the table says how they are today, not how they were."""

from datetime import timedelta
from typing import Any

import numpy as np

from features.histories.columns import Histories
from features.ingest.mistakes.data_warning import DataWarning
from features.snapshots.labels import with_labels
from features.snapshots.snapshot import snapshot
from pipelines.leakage.leaking_columns import leak_in_words, leaking_columns


def leaking_attributes(histories: Histories, *, horizon_days: int, seed: int) -> list[dict[str, Any]]:
    """`leaking_columns` among the attributes, as of the latest day whose horizon has closed; its day as `as_of`."""
    as_of = histories.end - timedelta(days=horizon_days)
    if not histories.attributes or as_of <= histories.first_day:
        return []
    table = snapshot(histories, as_of=[as_of], features=list(histories.attributes))
    if not table.num_rows:
        return []
    rows = with_labels(histories, table, horizon_days=horizon_days).to_pandas(date_as_object=False)
    parsed = rows[list(histories.attributes)].copy()
    for name in parsed:
        if histories.attribute_kinds[name].is_text:
            text = parsed[name].astype(object)
            parsed[name] = text.where(text.notna(), None)
    leaks = leaking_columns(parsed, rows["churned"].to_numpy(np.float64), seed=seed)
    return [leak | {"as_of": as_of.isoformat(), "rows": len(rows)} for leak in leaks]


def leak_warning(leak: dict[str, Any]) -> DataWarning:
    """The warning of an attribute that leaks."""
    return DataWarning(
        "attribute_leak",
        f"As of {leak['as_of']}, {leak_in_words(leak)}. The table customers tells how customers are today.",
        "customers",
        leak["column"],
        leak["rows"],
        f'If so, take "{leak["column"]}" out of [features] attributes.',
    )
