"""What a customer looked like between two days of scores, step by step (models/scoring/score_change.py), out of the
log.
"""

from datetime import date

import pandas as pd

from features.clock import microseconds
from features.histories.columns import Histories
from features.ingest.log import Log
from features.online.one_customer import ALWAYS, EventCounts, Rows, events, history_of
from features.snapshots.snapshot import snapshot
from models.scoring.score_change import Stations


def score_steps(
    log: Log, rows: Rows, features: list[str], *, first: date, last: date, now_us: int | None
) -> tuple[Stations | None, list[str]]:
    """A customer's feature rows along the walk from one day to a later one, and in words what each step adds.

    None where the log has no order of theirs from before the first day, or none known on the last.
    """
    begin, end = microseconds(first), microseconds(last)
    whole = history_of(log, rows, now_us=now_us)
    cut = history_of(log, rows, now_us=now_us, before_us=begin)
    corrected = _row(cut, features, as_of=first, known_at=last)
    aged = _row(cut, features, as_of=last, known_at=last)
    now = _row(whole, features, as_of=last, known_at=last)
    if whole is None or cut is None or corrected is None or aged is None or now is None:
        return None, []
    late = events(cut, known_at=(begin, end))
    new = events(whole, at=(begin, end), known_at=(ALWAYS[0], end))
    days = (last - first).days
    told = [f"{_counted(late)} became known since", f"{days:,} day{'s' * (days != 1)} went by", _counted(new)]
    return Stations(_row(whole, features, as_of=first, known_at=first), corrected, aged, now), told


def _row(histories: Histories | None, features: list[str], *, as_of: date, known_at: date) -> pd.DataFrame | None:
    if histories is None:
        return None
    found = snapshot(histories, as_of=[as_of], known_at=known_at, features=features)
    return found.to_pandas(date_as_object=False) if len(found) else None


def _counted(found: EventCounts) -> str:
    """Events in words, "2 orders of 35.00, 1 × visit"; "nothing" of none."""
    said = [
        f"{count:,} {what}{'s' * (count != 1)} of {money:,.2f}" if count else f"{money:,.2f} more on older orders"
        for count, what, money in ((found.orders, "order", found.spend), (found.refunds, "refund", found.refunded))
        if count or money
    ]
    return ", ".join([*said, *(f"{count:,} × {kind}" for kind, count in found.interactions.items())]) or "nothing"
