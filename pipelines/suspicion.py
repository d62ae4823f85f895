"""The canaries of a lesson: what models of its own rows betray (pipelines/canaries.py); for the gate and the audit."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pipelines.canaries import dominance, shuffled_labels
from pipelines.learn import FEWEST, Lesson


def canaries(
    taught: Lesson, test: pd.DataFrame, attributes: Sequence[str], *, customers: int, seed: int
) -> dict[str, Any]:
    """`shuffled_labels` and `strongest` on the rows of a lesson and the test rows of its day, or a `note` why not.

    customers: of the test day, are shown at most.
    """
    if min(test["churned"].sum(), (~test["churned"]).sum()) < FEWEST:
        return {"note": f"fewer than {FEWEST} customers left, or stayed, after {taught.timeline.as_of}"}
    rows = taught.rows
    if len(test) > customers:
        test = test.sample(customers, random_state=seed)
        rows = rows[rows["customer_id"].isin(test["customer_id"])].reset_index(drop=True)
    known = [name for name in attributes if name in taught.features]
    return {
        "customers": len(test),
        "shuffled_labels": shuffled_labels(rows, test, taught.features, seed=seed),
        "strongest": dominance(rows, test, taught.features, known, seed=seed),
    }
