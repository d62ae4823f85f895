"""The leak audit of `stayworth check --leaks`: does any feature of this log know what came later?

Two tests of the features: is every cell the same, to the bit, once the future was removed, and once it was poisoned
(pipelines/leakage/perturbed_futures.py)? Two tests of models (pipelines/leakage/leakage_probes.py): is there nothing to
learn from shuffled labels, and does no single column know more than all others? Only the last applies to the attributes
in the table `customers`, which carry no time.
"""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import InputError, Refusal
from features.histories.columns import Histories
from features.ingest.build_histories import histories_of, ingest, no_order
from features.ingest.open_log import Reading
from features.ingest.reading import reading
from features.snapshots.snapshot import snapshot
from models.ensemble.business_terms import Terms
from models.training.temporal_splits import judged_window
from pipelines.config import Config
from pipelines.leakage import perturbed_futures
from pipelines.leakage.leakage_probes import leakage_probes
from pipelines.training.holdout_evaluation import labelled_rows
from pipelines.training.training_set import training_set

CUSTOMERS = 50_000
"""The most customers that models are trained on; the features are compared for all."""
FUTURES = {"removed": perturbed_futures.remove_future, "poisoned": perturbed_futures.poison_future}


def audit(config: Config, *, now: datetime, say: Callable[[str], None]) -> dict[str, Any]:
    """Audit the log as of the latest day whose horizon has closed; nothing is written.

    `removed` and `poisoned`: cells compared, changed (`moved`), and changed by column. `models`: the leakage probes,
    with the number of customers they used, or only `note` where the history is too short for a model. `leaks`: whether
    any of them found one.
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
    say("training models on what they should not be able to learn")
    content["models"] = _probes(histories, config.terms, seed=config.train.seed)
    return content | {"leaks": bool(findings(content))}


def compare_futures(opened: Reading, honest: pa.Table, *, as_of: date, say: Callable[[str], None]) -> dict[str, Any]:
    """Compare a log's snapshot `honest` with those of the same log once its future was removed, and once poisoned."""
    perturbed_futures.split_future(opened, as_of=as_of)
    content = {}
    for name, perturb in FUTURES.items():
        say(f"comparing every feature with the future {name}")
        with tempfile.TemporaryDirectory(prefix="stayworth-") as folder:
            copy = ingest(perturb(opened, Path(folder)), now_us=None).histories
        content[name] = changed_cells(honest, snapshot(copy, as_of=[as_of]))
    return content


def changed_cells(before: pa.Table, after: pa.Table) -> dict[str, Any]:
    """Compare two snapshots of one day: the cells, how many changed (`moved`: not the same bits), and in which columns.

    A cell that only one of them contains has changed; undefined equals undefined.
    """
    names = list(dict.fromkeys([*before.column_names, *after.column_names]))[2:]
    place = pc.index_in(before["customer_id"], after["customer_id"].combine_chunks()).combine_chunks()
    shared = before.filter(pc.is_valid(place)), after.take(place.drop_null())
    unmatched = before.num_rows + after.num_rows - 2 * shared[0].num_rows
    columns = dict.fromkeys(names, unmatched)
    for name in names:
        both = name in before.column_names and name in after.column_names
        columns[name] += _differing(*(table[name] for table in shared)) if both else shared[0].num_rows
    columns = {name: cells for name, cells in columns.items() if cells}
    rows = before.num_rows + after.num_rows - shared[0].num_rows
    return {"cells": rows * len(names), "moved": sum(columns.values()), "columns": columns}


def _differing(before: pa.ChunkedArray, after: pa.ChunkedArray) -> int:
    """The number of cells of two columns whose bits differ."""
    if pa.types.is_floating(before.type):
        a, b = before.to_numpy(), after.to_numpy()
        return int(((a.view(np.int64) != b.view(np.int64)) & ~(np.isnan(a) & np.isnan(b))).sum())
    differs = pc.coalesce(pc.not_equal(before, after), pc.xor(pc.is_null(before), pc.is_null(after)))
    return pc.sum(differs).as_py() or 0


def _sample(opened: Reading, *, customers: int) -> Histories:
    """The histories of about `CUSTOMERS` customers, chosen by the hash of their ids."""
    every = -(-customers // CUSTOMERS)
    for table in opened.judged:
        opened.db.execute(
            f"create temp view sampled_{table} as select * from usable_{table} where hash(customer_id) % {every} = 0"
        )
    return histories_of(opened, "sampled_orders", "sampled_interactions")[0]


def _probes(histories: Histories, terms: Terms, *, seed: int) -> dict[str, Any]:
    """The leakage probes as of the latest day that can be judged, or a `note` why there are none."""
    try:
        window = judged_window(histories.first_day, histories.end, horizon_days=terms.horizon_days)
        as_of, terms = window.as_of, replace(terms, horizon_days=window.horizon_days)
        training = training_set(histories, terms, as_of=as_of, learned_days=window.learned_days)
    except InputError as error:
        return {"note": error.what}
    test = labelled_rows(histories, terms, as_of=as_of)
    return leakage_probes(training, test, customers=CUSTOMERS, seed=seed)


def findings(content: dict[str, Any]) -> list[str]:
    """Every leak an audit found, in words; none for an honest log."""
    leaks = []
    for name in FUTURES:
        if content[name]["moved"]:
            columns = content[name]["columns"]
            leaks.append(
                f"{content[name]['moved']:,} of {content[name]['cells']:,} cells changed when the future was {name}: "
                f"{', '.join(list(columns)[:5])}{', …' if len(columns) > 5 else ''}"
            )
    models = content["models"]
    if "note" in models:
        return leaks
    shuffled = models["shuffled_labels"]
    if shuffled["leaks"]:
        expected = f"expected 0.50 ± {shuffled['tolerance']:.2f}"
        leaks.append(f"shuffled labels were learned: AUC {shuffled['auc']:.3f}, {expected}")
    for column in models["strongest"]:
        if column["suspicious"]:
            leaks.append(
                f"{column['feature']} alone ranks better (AUC {column['auc']:.3f}) than all others together "
                f"({column['others_auc']:.3f}); adding it to them gains {round(column['worth'], 3) + 0.0:+.3f}"
            )
    return leaks


def refuse_leaks(content: dict[str, Any]) -> None:
    """Raise Refusal if the audit found a leak."""
    leaks = findings(content)
    if leaks:
        raise Refusal(
            f"{len(leaks)} {'leak' if len(leaks) == 1 else 'leaks'}:" + "".join(f"\n  - {leak}" for leak in leaks),
            where=f"features as of {content['as_of']}",
            next="Leave these columns out, or give them as they were on that day; then run this again.",
        )
