"""Why: what each feature adds to a customer's probability and money, exactly, and the largest reasons in words.

Trees say what each feature adds to their log-odds and to their ln of value (Lundberg et al. 2020, Nature Machine
Intelligence 2, exact, nothing sampled); the other member of the blend counts as one reason, its distance from the
average customer. Those parts are added up on the log scales. A probability or an amount is then divided among the
features in proportion to them, so that they sum to the score to the last digit; expected value = P(order) × value given
an order is divided between its two factors evenly, as Shapley's value of two players does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from features.arrays import Floats
from features.families.catalogue import named, words
from models.ensemble.recipe import TREES
from models.ensemble.stacking import LogPrediction
from models.prediction import REASONS
from models.scoring.scorer import Scorer, View
from models.trees import boosting

RHYTHM = "expected_from_rhythm"
"""The reason of a member that looks at the rhythm of orders as a whole."""


@dataclass(frozen=True)
class Contributions:
    """What adds up to a score: `base + added.sum(axis=1)` is the score of each customer."""

    names: list[str]
    """Features, then `expected_from_rhythm`."""
    base: Floats
    """The score of a customer of whom nothing is known but the day, (rows,)."""
    added: Floats
    """(rows, names)."""


def no_order(scorer: Scorer, view: View) -> Contributions:
    """What adds up to the probability of no order within the horizon; under a contract, to that of its end."""
    if scorer.leaving:
        parts = boosting.contributions(scorer.leaving.booster, view.data)
        added = np.column_stack([scorer.leaving.slope * parts[:, :-1], np.zeros(len(parts))])
        base = scorer.leaving.slope * parts[:, -1] + scorer.leaving.intercept
        return _divided(_names(scorer), base, added, scorer.leaving.of(view.data))
    base, added = _parts(view.said.log_odds, _average(scorer, view).log_odds, _quiet(scorer, view.data))
    return _divided(_names(scorer), base, added, view.said.no_order)


def expected_value(scorer: Scorer, view: View) -> Contributions:
    """What adds up to the expected value, currency units."""
    said, data, level = view.said, view.data, _average(scorer, view)
    odds_base, odds = _parts(said.log_odds, level.log_odds, _quiet(scorer, data))
    value_base, values = _parts(said.log_value, level.log_value, _value(scorer, data))
    order, value = expit(-said.log_odds), np.exp(said.log_value)
    order_base, given_base = expit(-odds_base), np.exp(value_base)
    of_order = _shares(odds) * ((order - order_base) * (value + given_base) / 2)[:, None]
    of_value = _shares(values) * ((value - given_base) * (order + order_base) / 2)[:, None]
    added = of_order + of_value
    return Contributions(_names(scorer), said.expected_value - added.sum(axis=1), added)


def reasons(scorer: Scorer, view: View) -> pd.DataFrame:
    """Up to three reasons that raise the churn probability, with the customer's own numbers.

    Columns reason_1 … reason_3 (text or None), largest first: "62 days since the last order, usually 21". What a member
    adds that looks at the rhythm as a whole is said by these words too.
    """
    rows, parts = view.given.rows, no_order(scorer, view)
    added = parts.added[:, :-1].copy()
    added[:, parts.names.index("recency_days")] += parts.added[:, -1]
    order = np.argsort(-added, axis=1, kind="stable")[:, : len(REASONS)]
    raises = np.take_along_axis(added, order, axis=1) > 0
    usual = rows["gap_mean_days"].to_numpy() if "gap_mean_days" in scorer.inputs else np.full(len(rows), np.nan)
    said = np.full(order.shape, None, dtype=object)
    for feature in np.unique(order[raises]):
        name = parts.names[feature]
        row, place = np.nonzero((order == feature) & raises)
        texts = _sentences(name, rows[name].to_numpy()[row])
        if name == "recency_days":
            texts = [
                f"{text}, usually {gap:,.0f}" if gap == gap else text
                for text, gap in zip(texts, usual[row].tolist(), strict=True)
            ]
        said[row, place] = texts
    return pd.DataFrame(said, columns=list(REASONS), index=rows.index, dtype=object)


def _sentences(name: str, values: np.ndarray) -> list[str]:
    """Each value of a column in words, those that read the same looked up once."""
    feature = named(name)
    if feature is None or not np.issubdtype(values.dtype, np.floating):
        return [words(name, value) for value in values]
    numbers = [feature.number(value) for value in values.tolist()]
    known = {
        number: feature.sentence(value) for number, value in dict(zip(numbers, values.tolist(), strict=True)).items()
    }
    return [known[number] for number in numbers]


def _names(scorer: Scorer) -> list[str]:
    return [*scorer.inputs, RHYTHM]


def centre(scorer: Scorer, rows: pd.DataFrame) -> tuple[float, float]:
    """What is left of the average customer's log-odds and ln of value when features and level are taken off."""
    said = scorer.blend.of(scorer.members.opinions(rows, scorer.inputs, scorer.blend.members))
    data = boosting.matrix(rows, scorer.inputs)
    quiet, value = _quiet(scorer, data), _value(scorer, data)
    return float(np.mean(said.log_odds - quiet.sum(axis=1))), float(np.mean(said.log_value - value.sum(axis=1)))


def _average(scorer: Scorer, view: View) -> LogPrediction:
    """The opinion of the average customer at the level of each row's day."""
    nobody = np.zeros(len(view.given.as_of))
    average = LogPrediction(nobody + scorer.centre[0], nobody + scorer.centre[1])
    return scorer.level.moved(average, as_of=view.given.as_of)


def _parts(said: Floats, base: Floats, features: Floats) -> tuple[Floats, Floats]:
    """The base, (rows,), and what each name adds to it, (rows, names): the features, and the rest of what is said."""
    return base, np.column_stack([features, said - features.sum(axis=1) - base])


def _quiet(scorer: Scorer, data: boosting.Matrix) -> Floats:
    """What the trees' features add to the log-odds of no order, (rows, features)."""
    return scorer.blend.no_order.get(TREES, 0.0) * boosting.contributions(scorer.members.quiet.booster, data)[:, :-1]


def _value(scorer: Scorer, data: boosting.Matrix) -> Floats:
    """What they add to the ln of value, (rows, features)."""
    return scorer.blend.value.get(TREES, 0.0) * scorer.members.value.contributions(data)


def _divided(names: list[str], base: Floats, added: Floats, score: Floats) -> Contributions:
    """A probability divided in proportion to what each name adds to its log-odds."""
    start = expit(base)
    parts = _shares(added) * (score - start)[:, None]
    return Contributions(names, score - parts.sum(axis=1), parts)


def _shares(added: Floats) -> Floats:
    """Each part over the sum of all; nothing where they cancel."""
    total = added.sum(axis=1, keepdims=True)
    return np.divide(added, total, out=np.zeros_like(added), where=np.abs(total) > 1e-12)
