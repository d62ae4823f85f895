"""`stayworth check --leaks`: does any feature of this log know what came later?

Two questions to the features: is every cell the same, to the bit, after the future was removed, and after it was
poisoned (pipelines/leakage/perturbed_futures.py)? Two to models (pipelines/leakage/leakage_probes.py): is there nothing
to learn from shuffled labels, and does no single column know more than all others? The last is the only one to ask of
the attributes in the table `customers`, which carry no time.
"""

import tempfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import InputError, Refusal
from features.histories.columns import Histories
from features.ingest.build_histories import histories_of, ingest, no_order
from features.ingest.reading import Reading, reading
from features.snapshots.snapshot import snapshot
from models.ensemble.business_terms import Terms
from pipelines.config import Config
from pipelines.leakage import perturbed_futures
from pipelines.leakage.leakage_probes import leakage_probes
from pipelines.training.holdout_evaluation import labelled_rows
from pipelines.training.training_set import training_set

CUSTOMERS = 50_000
"""Customers the models are shown, at most; the features are compared for all."""
FUTURES = {"removed": perturbed_futures.remove_future, "poisoned": perturbed_futures.poison_future}


def audit(config: Config, *, now: datetime, say: Callable[[str], None]) -> dict[str, Any]:
    """The leak audit as of the latest day whose horizon has closed; nothing is written.

    `removed` and `poisoned`: cells compared, moved, and moved by column. `models`: the canaries, with the number of
    customers shown to them, or only `note` where the history is too short for a model. `leaks`: whether any of them
    found one.
    """
    with reading(config.log, now_us=int(now.timestamp() * 1_000_000)) as opened:
        say("reading the log")
        histories, _ = histories_of(opened, "usable_orders", "usable_interactions")
        if histories.customers == 0:
            raise no_order(opened)
        as_of = histories.end - timedelta(days=config.time.horizon_days)
        honest = snapshot(histories, as_of=[as_of])
        if not honest.num_rows:
            raise InputError(
                f"no customer is known {config.time.horizon_days} days before the end of the orders, {histories.end}",
                where=opened.where("orders"),
                next="Choose a shorter time.horizon_days, or give more history.",
            )
        content: dict[str, Any] = {"as_of": as_of.isoformat(), "customers": honest.num_rows}
        content |= compare_futures(opened, honest, as_of=as_of, say=say)
        if histories.customers > CUSTOMERS:
            histories = _sample(opened, customers=histories.customers)
    say("teaching models what they should not learn")
    content["models"] = _canaries(histories, config.terms, config.features.attributes, seed=config.train.seed)
    return content | {"leaks": bool(findings(content))}


def compare_futures(opened: Reading, honest: pa.Table, *, as_of: date, say: Callable[[str], None]) -> dict[str, Any]:
    """What `moved` when the future of a log was removed, and when it was poisoned; honest: its own snapshot."""
    perturbed_futures.split_future(opened, as_of=as_of)
    content = {}
    for name, changed in FUTURES.items():
        say(f"comparing every feature with the future {name}")
        with tempfile.TemporaryDirectory(prefix="stayworth-") as folder:
            copy = ingest(changed(opened, Path(folder)), now_us=None).histories
        content[name] = changed_cells(honest, snapshot(copy, as_of=[as_of]))
    return content


def changed_cells(before: pa.Table, after: pa.Table) -> dict[str, Any]:
    """Two snapshots of one day, cell by cell: cells compared, how many moved (not the same bits), and in which columns.

    A cell that only one of them has has moved; undefined equals undefined.
    """
    names = list(dict.fromkeys([*before.column_names, *after.column_names]))[2:]
    place = pc.index_in(before["customer_id"], after["customer_id"].combine_chunks()).combine_chunks()
    shared = before.filter(pc.is_valid(place)), after.take(place.drop_null())
    of_one = before.num_rows + after.num_rows - 2 * shared[0].num_rows
    columns = dict.fromkeys(names, of_one)
    for name in names:
        both = name in before.column_names and name in after.column_names
        columns[name] += _differing(*(table[name] for table in shared)) if both else shared[0].num_rows
    columns = {name: cells for name, cells in columns.items() if cells}
    rows = before.num_rows + after.num_rows - shared[0].num_rows
    return {"cells": rows * len(names), "moved": sum(columns.values()), "columns": columns}


def _differing(one: pa.ChunkedArray, other: pa.ChunkedArray) -> int:
    if pa.types.is_floating(one.type):
        a, b = one.to_numpy(), other.to_numpy()
        return int(((a.view(np.int64) != b.view(np.int64)) & ~(np.isnan(a) & np.isnan(b))).sum())
    differs = pc.coalesce(pc.not_equal(one, other), pc.xor(pc.is_null(one), pc.is_null(other)))
    return pc.sum(differs).as_py() or 0


def _sample(opened: Reading, *, customers: int) -> Histories:
    """The histories of about `CUSTOMERS` customers, chosen by the hash of their ids."""
    every = -(-customers // CUSTOMERS)
    for table in opened.judged:
        opened.db.execute(
            f"create temp view sampled_{table} as select * from usable_{table} where hash(customer_id) % {every} = 0"
        )
    return histories_of(opened, "sampled_orders", "sampled_interactions")[0]


def _canaries(histories: Histories, terms: Terms, attributes: Sequence[str], *, seed: int) -> dict[str, Any]:
    """What the models say, or why there are none."""
    as_of = histories.end - timedelta(days=terms.horizon_days)
    try:
        taught = training_set(histories, terms, as_of=as_of)
    except InputError as error:
        return {"note": error.what}
    return leakage_probes(
        taught, labelled_rows(histories, terms, as_of=as_of), attributes, customers=CUSTOMERS, seed=seed
    )


def findings(content: dict[str, Any]) -> list[str]:
    """Every leak an audit found, in words; none for an honest log."""
    found = []
    for name in FUTURES:
        if content[name]["moved"]:
            columns = content[name]["columns"]
            found.append(
                f"{content[name]['moved']:,} of {content[name]['cells']:,} cells moved when the future was {name}: "
                f"{', '.join(list(columns)[:5])}{', …' if len(columns) > 5 else ''}"
            )
    models = content["models"]
    if "note" in models:
        return found
    shuffled = models["shuffled_labels"]
    if shuffled["leaks"]:
        found.append(f"shuffled labels were learnt: AUC {shuffled['auc']:.3f}, expected 0.50 ± {shuffled['tolerance']}")
    for one in models["strongest"]:
        if one["suspicious"]:
            found.append(
                f"{one['feature']} alone ranks better (AUC {one['auc']:.3f}) than all others together "
                f"({one['others_auc']:.3f}); it is worth {one['worth']:+.3f}"
            )
    return found


def refuse_leaks(content: dict[str, Any]) -> None:
    """Raise Refusal if the audit found a leak."""
    found = findings(content)
    if found:
        raise Refusal(
            f"{len(found)} {'leak' if len(found) == 1 else 'leaks'}:" + "".join(f"\n  - {one}" for one in found),
            where=f"features as of {content['as_of']}",
            next="Leave the columns out, or give them as they were on that day; then run this again.",
        )
