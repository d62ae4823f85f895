"""The canaries of a training run: what models of its own rows betray (pipelines/canaries.py), for the gate."""

from collections.abc import Sequence
from typing import Any

from features.histories import Histories
from features.labels import with_labels
from features.snapshot import snapshot
from models.terms import Terms
from pipelines.canaries import dominance, shuffled_labels
from pipelines.learn import FEWEST, Lesson

CUSTOMERS = 5_000
"""Customers of the test day the canaries are shown, at most: among as many, 0.02 of AUC shows."""


def canaries(
    histories: Histories, taught: Lesson, terms: Terms, attributes: Sequence[str], *, seed: int
) -> dict[str, Any]:
    """`shuffled_labels` and `strongest` on the rows of a lesson and of the day it was made, or a `note` why not."""
    as_of = taught.timeline.as_of
    table = snapshot(histories, as_of=[as_of], features=taught.features)
    test = with_labels(histories, table, horizon_days=terms.horizon_days).to_pandas(date_as_object=False)
    if min(test["churned"].sum(), (~test["churned"]).sum()) < FEWEST:
        return {"note": f"fewer than {FEWEST} customers left, or stayed, after {as_of}"}
    rows = taught.rows
    if len(test) > CUSTOMERS:
        test = test.sample(CUSTOMERS, random_state=seed)
        rows = rows[rows["customer_id"].isin(test["customer_id"])].reset_index(drop=True)
    known = [name for name in attributes if name in taught.features]
    return {
        "customers": len(test),
        "shuffled_labels": shuffled_labels(rows, test, taught.features, seed=seed),
        "strongest": dominance(rows, test, taught.features, known, seed=seed),
    }
