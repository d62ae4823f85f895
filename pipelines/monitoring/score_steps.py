"""Feature rows of a customer from one day of scores to another, step by step (models/scoring/score_change.py)."""

from datetime import date

import pandas as pd

from features.clock import microseconds
from features.histories.columns import Histories
from features.ingest.log import Log
from features.online.one_customer import ALL_TIME, CustomerRows, EventCounts, count_events, customer_history
from features.snapshots.snapshot import snapshot
from models.scoring.score_change import ScoreSteps


def score_steps(
    log: Log, rows: CustomerRows, features: list[str], *, first: date, last: date, now_us: int | None
) -> tuple[ScoreSteps | None, list[str]]:
    """A customer's feature rows at each step from one day to a later one, and what each step adds, in words.

    None where the log has no order of theirs from before the first day, or none known on the last.
    """
    begin, end = microseconds(first), microseconds(last)
    history = customer_history(log, rows, now_us=now_us)
    earlier = customer_history(log, rows, now_us=now_us, before_us=begin)
    corrected = _feature_row(earlier, features, as_of=first, known_at=last)
    aged = _feature_row(earlier, features, as_of=last, known_at=last)
    now = _feature_row(history, features, as_of=last, known_at=last)
    if history is None or earlier is None or corrected is None or aged is None or now is None:
        return None, []
    late = count_events(earlier, known_at=(begin, end))
    new = count_events(history, at=(begin, end), known_at=(ALL_TIME[0], end))
    days = (last - first).days
    sentences = [
        f"{_counts_in_words(late)} became known since",
        f"{days:,} day{'s' * (days != 1)} went by",
        _counts_in_words(new),
    ]
    return ScoreSteps(_feature_row(history, features, as_of=first, known_at=first), corrected, aged, now), sentences


def _feature_row(
    histories: Histories | None, features: list[str], *, as_of: date, known_at: date
) -> pd.DataFrame | None:
    if histories is None:
        return None
    table = snapshot(histories, as_of=[as_of], known_at=known_at, features=features)
    return table.to_pandas(date_as_object=False) if len(table) else None


def _counts_in_words(counts: EventCounts) -> str:
    """Events in words, "2 orders of 35.00, 1 × visit"; "nothing" without any."""
    phrases = [
        f"{count:,} {name}{'s' * (count != 1)} of {money:,.2f}" if count else f"{money:,.2f} more on older orders"
        for count, name, money in (
            (counts.orders, "order", counts.spend),
            (counts.refunds, "refund", counts.refunded),
        )
        if count or money
    ]
    return ", ".join([*phrases, *(f"{count:,} × {kind}" for kind, count in counts.interactions.items())]) or "nothing"
