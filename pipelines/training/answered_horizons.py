"""What `train` gives for a horizon, found out without training: the cut-offs it would learn on and their labels."""

from dataclasses import replace
from datetime import date

from features.errors import InputError
from features.histories.columns import Histories
from features.snapshots.churn_horizon import Answered
from features.snapshots.labels import with_labels
from features.snapshots.snapshot import snapshot
from models.training.temporal_splits import timeline
from pipelines.training.judgement import judgement
from pipelines.training.training_set import instructive_cut_offs

FIRST_CUSTOMERS = 20_000
"""The customers whose labels are counted first; where theirs are enough, so are those of all."""


def answered_horizon(histories: Histories, horizon_days: int) -> Answered:
    """What the log gives for a horizon."""
    try:
        window, judged = judgement(histories.first_day, histories.end, horizon_days=horizon_days)
        is_counted_if_few = not judged.is_judged or window.learned_days < window.horizon_days
        for as_of, days, may_count in (
            (window.as_of, window.learned_days, is_counted_if_few),
            (histories.end, judged.learned_days, judged.learned_days < horizon_days),
        ):
            _refuse_uninstructive(histories, as_of=as_of, learned_days=days, may_count=may_count)
    except InputError:
        return Answered(trainable=False, judged=False)
    return Answered(trainable=True, judged=judged.is_judged)


def answer_in_words(histories: Histories, horizon_days: int) -> str:
    """Whether `train` judges a horizon, or why it refuses it."""
    try:
        judged = judgement(histories.first_day, histories.end, horizon_days=horizon_days)[1]
    except InputError as error:
        return error.what
    if not answered_horizon(histories, horizon_days).trainable:
        return f"too few customers order, or too few do not, to learn from windows of {judged.learned_days} days"
    return judged.in_words


def _refuse_uninstructive(histories: Histories, *, as_of: date, learned_days: int, may_count: bool) -> None:
    """Raise InputError where a training set on windows of so many days would."""
    first_day = histories.first_day
    cut_offs = timeline(first_day, as_of=as_of, horizon_days=learned_days)
    for customers in dict.fromkeys((min(FIRST_CUSTOMERS, histories.customers), histories.customers)):
        part = replace(histories.span(0, customers), whole=(first_day, histories.end))
        table = snapshot(part, as_of=cut_offs.matured, features=["recency_days"])
        rows = with_labels(part, table, horizon_days=learned_days).to_pandas(date_as_object=False)
        try:
            instructive_cut_offs(cut_offs, rows, may_count=may_count)
            return
        except InputError:
            if customers == histories.customers:
                raise
