"""Why a customer's score changed between two batches of the ledger: data, time, orders or model.

The ledger says what was said; the log and the models, which are fetched by their versions, say what would have been
said in between (models/scoring/score_change.py).
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np

from features.errors import InputError
from features.families.catalogue import words
from features.online.one_customer import rows_of
from models.scoring.explain import RHYTHM
from models.scoring.score_change import DAY, MEASURES, PARTS, Change, ScoreSteps, are_equal, split_change
from pipelines.batches import ledger
from pipelines.batches.ledger import LedgerEntry
from pipelines.config import Config
from pipelines.monitoring.score_steps import score_steps

MAX_NAMED = 3
"""How many features are named of a step, those that moved the probability most."""


def list_batches(config: Config) -> list[dict[str, Any]]:
    """What the ledger holds, the oldest first."""
    return [
        {
            "as_of": str(one.as_of),
            "model_version": one.model_version,
            "horizon_days": one.horizon_days,
            "scored_at": one.scored_at.isoformat(),
            "data_end": str(one.data_end),
            "customers": one.customers,
            **one.totals,
            "file": str(one.file),
        }
        for one in ledger.entries(config.folder)
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

    `parts` is None where there is nothing to split, as of a customer who is new: `in_words` says why.
    """
    say("reading the ledger")
    kept = ledger.entries(config.folder)
    before, after = two_batches(kept, first=first, last=last)
    one, other = ledger.row(before, customer_id), ledger.row(after, customer_id)
    content: dict[str, Any] = {"customer_id": customer_id, "currency": config.money.currency}
    content |= {"horizon_days": after.horizon_days, "from": one, "to": other, "change": None, "parts": None}
    if one is None and other is None:
        raise InputError(
            f"'{customer_id}' has no score of {before.as_of}, nor of {after.as_of}",
            where="CUSTOMER_ID",
            next="Ids are text, as the log has them: 00123 is not 123.",
        )
    if one is None or other is None:
        between = kept[kept.index(before) + 1 : kept.index(after)]
        return content | {"in_words": [_came_or_went(customer_id, before, after, between, is_new=one is None)]}
    say("fetching the models")
    old = ledger.model_of(before, config.tracking_uri)
    is_same = before.model_version == after.model_version
    new = old if is_same else ledger.model_of(after, config.tracking_uri)
    say("reading the customer's history")
    rows, now_us = rows_of(config.log, customer_id), int(now.timestamp() * 1_000_000)
    features = list(dict.fromkeys([*old.inputs, *new.inputs]))
    seen, told = score_steps(config.log, rows, features, first=before.as_of, last=after.as_of, now_us=now_us)
    if seen is None:
        what = f"today's log has no order of theirs from before {before.as_of}, or none that counts on {after.as_of}"
        return content | {"in_words": [f"The change cannot be split: {what}."]}
    known = [np.array([score[name] for name in MEASURES]) for score in (one, other)]
    change = split_change(old, new, seen, first=known[0], last=known[1])
    models = "the same model" if is_same else f"{after.model_version} instead of {before.model_version}"
    again = _not_as_then(change, before, after, known)
    says = [f"{told[0]}, but see below" if again else told[0], *told[1:], models]
    return content | {
        "change": dict(zip(MEASURES, (known[1] - known[0]).tolist(), strict=True)),
        "parts": [
            {"part": part, **change.parts.loc[part].to_dict(), "what": what, "because": _because(change, seen, part)}
            for part, what in zip(PARTS, says, strict=True)
        ],
        "in_words": again,
    }


def two_batches(
    kept: Sequence[LedgerEntry], *, first: date | None, last: date | None
) -> tuple[LedgerEntry, LedgerEntry]:
    """The latest batch of the day `last`, and the latest before it of the day `first`; None: of any day."""
    ends = [place for place, one in enumerate(kept) if last in (None, one.as_of)]
    if not ends:
        raise _no_batch(kept, f"of {last}" if last else "of any day", where="--to" if last else "ledger")
    after = kept[ends[-1]]
    earlier = [one for one in kept[: ends[-1]] if first in (None, one.as_of)]
    if not earlier:
        which = f"of {first} before the one of {after.as_of}" if first else f"before the one of {after.as_of}"
        raise _no_batch(kept, which, where="--from" if first else "ledger")
    before = earlier[-1]
    if before.horizon_days != after.horizon_days:
        raise InputError(
            f"the scores of {before.as_of} look {before.horizon_days} days ahead, those of {after.as_of} "
            f"{after.horizon_days}: they are not of the same thing",
            where="ledger",
            next="Name two days of one horizon with --from and --to; `stayworth why --list` shows them.",
        )
    return before, after


def _no_batch(kept: Sequence[LedgerEntry], which: str, *, where: str) -> InputError:
    days = list(dict.fromkeys(str(one.as_of) for one in kept))
    found = f"; there are {', '.join(days[-5:])}" if days else ""
    more = f" and {len(days) - 5:,} days before" if len(days) > 5 else ""
    return InputError(
        f"no scores {which} were kept{found}{more}",
        where=where,
        next="`stayworth score --as-of DAY` keeps every batch; `stayworth why --list` shows them.",
    )


def _because(change: Change, seen: ScoreSteps, part: str) -> list[dict[str, Any]]:
    """The features that moved the churn probability most in a step of the old model, and what they came to."""
    row = {"corrected_data": seen.corrected, "passing_time": seen.aged, "new_orders": seen.now}.get(part)
    moved = sorted(change.by_feature.get(part, {}).items(), key=lambda one: -abs(one[1]))[:MAX_NAMED]
    if row is None:
        return []
    other = {RHYTHM: "the rhythm of orders as a whole", DAY: "the season and the trend of the day"}
    return [
        {"feature": name, "churn_probability": adds, "says": other.get(name) or words(name, row[name].iloc[0])}
        for name, adds in moved
    ]


def _came_or_went(
    customer_id: str, before: LedgerEntry, after: LedgerEntry, between: Sequence[LedgerEntry], *, is_new: bool
) -> str:
    """Of a customer with a score in one of the batches only."""
    if is_new:
        day = next((one.as_of for one in between if ledger.row(one, customer_id)), after.as_of)
        return f"'{customer_id}' was first scored on {day}: nothing was known of them on {before.as_of}."
    return (
        f"'{customer_id}' has no score of {after.as_of} any more: they had left by then, or every order of theirs had "
        "been refunded or taken out of the log."
    )


def _not_as_then(change: Change, before: LedgerEntry, after: LedgerEntry, known: Sequence[np.ndarray]) -> list[str]:
    """What cannot be made again of the two scores, in words."""
    said = []
    for batch, then, again in zip((before, after), known, (change.first_again, change.last_again), strict=True):
        if again is None or not are_equal(then, again):
            found = "no score" if again is None else f"{again[0]:.4f}"
            said.append(
                f"The score of {batch.as_of} cannot be made again: its churn probability was {then[0]:.4f}, and "
                f"today's log and config give {found}. Rows were changed without recorded_at, or the config was; the "
                "difference counts as corrected data."
            )
    return said
