"""Split of a score's change between two batches of the ledger: corrected data, passing time, new orders, new model.

The ledger has the two scores as they were given out; the log and the models, which are fetched by their versions, give
the scores in between (models/scoring/score_change.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import numpy as np

from features.errors import InputError
from features.families.catalogue import value_in_words
from features.ingest.log import Log
from features.online.one_customer import read_customer_rows
from models.scoring.explain import RHYTHM
from models.scoring.online import read_for
from models.scoring.score_change import DAY, MEASURES, PARTS, Change, ScoreSteps, are_equal, split_change
from models.scoring.scorer import Scorer
from pipelines.batches import ledger
from pipelines.batches.ledger import LedgerEntry
from pipelines.config import Config
from pipelines.monitoring.score_steps import score_steps
from pipelines.order_log import stored_entry

MAX_NAMED = 3
"""Features named in a step at most: those that moved the probability most."""


def list_batches(config: Config) -> list[dict[str, Any]]:
    """The batches of the ledger as JSON, the oldest first."""
    return [
        {
            "as_of": str(entry.as_of),
            "model_version": entry.model_version,
            "horizon_days": entry.horizon_days,
            "scored_at": entry.scored_at.isoformat(),
            "data_end": str(entry.data_end),
            "customers": entry.customers,
            **entry.totals,
            "file": str(entry.file),
        }
        for entry in ledger.entries(config.folder)
    ]


def why(
    config: Config,
    customer_id: str,
    *,
    first: date | None,
    last: date | None,
    now: datetime,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Split the change of a customer's scores from one batch to a later one; None: the two latest.

    `parts` is None where there is nothing to split, such as for a new customer: `in_words` says why.
    """
    say("reading the ledger")
    kept = ledger.entries(config.folder)
    before, after = two_batches(kept, first=first, last=last)
    old_score, new_score = ledger.row(before, customer_id), ledger.row(after, customer_id)
    content: dict[str, Any] = {"customer_id": customer_id, "currency": config.money.currency}
    content |= {"horizon_days": after.horizon_days, "from": old_score, "to": new_score}
    content |= {"change": None, "parts": None}
    if old_score is None and new_score is None:
        raise InputError(
            f"'{customer_id}' has a score neither of {before.as_of} nor of {after.as_of}",
            where="CUSTOMER_ID",
            next="Ids are text, as the log has them: 00123 is not 123.",
        )
    if old_score is None or new_score is None:
        between = kept[kept.index(before) + 1 : kept.index(after)]
        sentence = _came_or_went(customer_id, before, after, between, is_new=old_score is None)
        return content | {"in_words": [sentence]}
    say("fetching the models")
    old = ledger.model_of(before, config.tracking_uri)
    is_same = before.model_version == after.model_version
    new = old if is_same else ledger.model_of(after, config.tracking_uri)
    say("reading the customer's history")
    log, now_us = _read_for(old, new, config.log), int(now.timestamp() * 1_000_000)
    rows = read_customer_rows(log, customer_id, stored_entry(config))
    features = list(dict.fromkeys([*old.inputs, *new.inputs]))
    steps, descriptions = score_steps(log, rows, features, first=before.as_of, last=after.as_of, now_us=now_us)
    if steps is None:
        reason = f"today's log has no order of theirs from before {before.as_of}, or none that counts on {after.as_of}"
        return content | {"in_words": [f"The change cannot be split: {reason}."]}
    known = [np.array([score[name] for name in MEASURES]) for score in (old_score, new_score)]
    change = split_change(old, new, steps, first=known[0], last=known[1])
    models = "the same model" if is_same else f"{after.model_version} instead of {before.model_version}"
    not_reproduced = _not_reproduced(change, before, after, known)
    corrected, *others = descriptions
    parts = [f"{corrected}, but see below" if not_reproduced else corrected, *others, models]
    first_score, last_score = (dict(zip(MEASURES, ends.tolist(), strict=True)) for ends in (change.first, change.last))
    return content | {
        "from": old_score | first_score,
        "to": new_score | last_score,
        "change": {name: last_score[name] - first_score[name] for name in MEASURES},
        "parts": [
            {"part": part, **change.parts.loc[part].to_dict(), "what": what, "because": _because(change, steps, part)}
            for part, what in zip(PARTS, parts, strict=True)
        ],
        "in_words": not_reproduced,
    }


def _read_for(old: Scorer, new: Scorer, log: Log) -> Log:
    """The log with the attributes of both models, read as the newer one learned them where both have one."""
    earlier, later = read_for(old, log), read_for(new, log)
    return replace(
        later,
        attributes=tuple(dict.fromkeys([*earlier.attributes, *later.attributes])),
        attribute_kinds={**earlier.attribute_kinds, **later.attribute_kinds},
    )


def two_batches(
    kept: Sequence[LedgerEntry], *, first: date | None, last: date | None
) -> tuple[LedgerEntry, LedgerEntry]:
    """The latest batch of the day `last`, and the latest before it of the day `first`; None: of any day."""
    ends = [place for place, entry in enumerate(kept) if last in (None, entry.as_of)]
    if not ends:
        raise _no_batch(kept, f"of {last}" if last else "of any day", where="--to" if last else "ledger")
    after = kept[ends[-1]]
    earlier = [entry for entry in kept[: ends[-1]] if first in (None, entry.as_of)]
    if not earlier:
        which = f"of {first} before the one of {after.as_of}" if first else f"before the one of {after.as_of}"
        raise _no_batch(kept, which, where="--from" if first else "ledger")
    before = earlier[-1]
    if before.horizon_days != after.horizon_days:
        raise InputError(
            f"the scores of {before.as_of} look {before.horizon_days} days ahead, those of {after.as_of} "
            f"{after.horizon_days}: they cannot be compared",
            where="ledger",
            next="Name two days of one horizon with --from and --to; `stayworth why --list` shows them.",
        )
    return before, after


def _no_batch(kept: Sequence[LedgerEntry], which: str, *, where: str) -> InputError:
    days = list(dict.fromkeys(str(entry.as_of) for entry in kept))
    listed = f"; there are those of {', '.join(days[-5:])}" if days else ""
    earlier = len(days) - 5
    more = f" and of {earlier:,} earlier day{'s' * (earlier != 1)}" if earlier > 0 else ""
    return InputError(
        f"no scores {which} were kept{listed}{more}",
        where=where,
        next="`stayworth score --as-of DAY` keeps every batch; `stayworth why --list` shows them.",
    )


def _because(change: Change, steps: ScoreSteps, part: str) -> list[dict[str, Any]]:
    """The features that moved the churn probability most in a step of the old model, and their values in words."""
    row = {"corrected_data": steps.corrected, "passing_time": steps.aged, "new_orders": steps.now}.get(part)
    moved = sorted(change.by_feature.get(part, {}).items(), key=lambda item: -abs(item[1]))[:MAX_NAMED]
    if row is None:
        return []
    other = {RHYTHM: "the rhythm of orders as a whole", DAY: "the season and the trend of the day"}
    return [
        {"feature": name, "churn_probability": adds, "says": other.get(name) or value_in_words(name, row[name].iloc[0])}
        for name, adds in moved
    ]


def _came_or_went(
    customer_id: str, before: LedgerEntry, after: LedgerEntry, between: Sequence[LedgerEntry], *, is_new: bool
) -> str:
    """A sentence about a customer who has a score in only one of the batches."""
    if is_new:
        day = next((entry.as_of for entry in between if ledger.row(entry, customer_id)), after.as_of)
        return f"'{customer_id}' was first scored on {day}: nothing was known about them on {before.as_of}."
    return (
        f"'{customer_id}' has no score of {after.as_of}: they had left by then, or all their orders had been refunded "
        "or taken out of the log."
    )


def _not_reproduced(change: Change, before: LedgerEntry, after: LedgerEntry, known: Sequence[np.ndarray]) -> list[str]:
    """A sentence for each of the two scores that cannot be reproduced."""
    sentences = []
    for batch, then, again in zip((before, after), known, (change.first_again, change.last_again), strict=True):
        if again is None or not are_equal(then, again):
            today = "no score" if again is None else f"{again[0]:.4f}"
            sentences.append(
                f"The score of {batch.as_of} cannot be reproduced: its churn probability was {then[0]:.4f}, and "
                f"today's log and config give {today}. Rows were changed without recorded_at, or the config was "
                "changed; the difference counts as corrected data."
            )
    return sentences
