"""Why: what each feature adds to a customer's probability and money, exactly, and the largest reasons in words.

Trees say what each feature adds to their log-odds and to their ln of value (Lundberg et al. 2020, Nature Machine
Intelligence 2, exact, nothing sampled); the other member of the blend counts as one reason, its distance from the
average customer. Those parts are added up on the log scales. A probability or an amount is then divided among the
features in proportion to them, so that they sum to the score to the last digit; expected value = P(order) × value given
an order is divided between its two factors evenly, as Shapley's value of two players does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from features.catalogue import words
from models import trees
from models.blend import Opinion
from models.likelihood import Floats
from models.recipe import TREES
from models.scorer import Scorer

REASONS = 3
RHYTHM = "expected_from_rhythm"
"""The reason of a member that looks at the rhythm of orders as a whole."""


@dataclass(frozen=True)
class Parts:
    """What adds up to a score: `base + added.sum(axis=1)` is the score of each customer."""

    names: list[str]
    """Features, then `expected_from_rhythm`."""
    base: Floats
    """The score of a customer of whom nothing is known but the day, (rows,)."""
    added: Floats
    """(rows, names)."""


def no_order(scorer: Scorer, rows: pd.DataFrame) -> Parts:
    """What adds up to the probability of no order within the horizon; under a contract, to that of its end."""
    if scorer.leaving:
        parts = trees.contributions(scorer.leaving.booster, trees.matrix(rows, scorer.inputs))
        added = np.column_stack([scorer.leaving.slope * parts[:, :-1], np.zeros(len(rows))])
        base = scorer.leaving.slope * parts[:, -1] + scorer.leaving.intercept
        return _divided(_names(scorer), base, added, scorer.leaving.probability(rows, scorer.inputs))
    said, (base, added), _ = _added(scorer, rows)
    return _divided(_names(scorer), base, added, said.no_order)


def expected_value(scorer: Scorer, rows: pd.DataFrame) -> Parts:
    """What adds up to the expected value, currency units."""
    said, (odds_base, odds), (value_base, values) = _added(scorer, rows)
    order, value = expit(-said.log_odds), np.exp(said.log_value)
    order_base, given_base = expit(-odds_base), np.exp(value_base)
    of_order = _shares(odds) * ((order - order_base) * (value + given_base) / 2)[:, None]
    of_value = _shares(values) * ((value - given_base) * (order + order_base) / 2)[:, None]
    added = of_order + of_value
    return Parts(_names(scorer), said.expected_value - added.sum(axis=1), added)


def reasons(scorer: Scorer, rows: pd.DataFrame) -> pd.DataFrame:
    """Up to three reasons that raise the churn probability, with the customer's own numbers.

    Columns reason_1 … reason_3 (text or None), largest first: "62 days since the last order, usually 21". What a member
    adds that looks at the rhythm as a whole is said by these words too.
    """
    parts = no_order(scorer, rows)
    added = parts.added[:, :-1].copy()
    added[:, parts.names.index("recency_days")] += parts.added[:, -1]
    order = np.argsort(-added, axis=1, kind="stable")[:, :REASONS]
    raises = np.take_along_axis(added, order, axis=1) > 0
    columns = {name: rows[name].to_numpy() for name in scorer.inputs}
    usual = columns.get("gap_mean_days", np.full(len(rows), np.nan))
    said: dict[str, list[str | None]] = {}
    for place in range(REASONS):
        said[f"reason_{place + 1}"] = [
            _words(parts.names[feature], columns, row, usual) if raised else None
            for row, (feature, raised) in enumerate(zip(order[:, place], raises[:, place], strict=True))
        ]
    return pd.DataFrame(said, index=rows.index, dtype=object)


def _words(name: str, columns: Mapping[str, np.ndarray], row: int, usual: Floats) -> str:
    text = words(name, columns[name][row])
    if name == "recency_days" and usual[row] == usual[row]:
        text += f", usually {usual[row]:,.0f}"
    return text


def _names(scorer: Scorer) -> list[str]:
    return [*scorer.inputs, RHYTHM]


def centre(scorer: Scorer, rows: pd.DataFrame) -> tuple[float, float]:
    """What is left of the average customer's log-odds and ln of value when features and level are taken off."""
    said = scorer.blend.of(scorer.members.opinions(rows, scorer.inputs, scorer.blend.members))
    quiet, value = _features(scorer, rows)
    return float(np.mean(said.log_odds - quiet.sum(axis=1))), float(np.mean(said.log_value - value.sum(axis=1)))


def _added(scorer: Scorer, rows: pd.DataFrame) -> tuple[Opinion, tuple[Floats, Floats], tuple[Floats, Floats]]:
    """The opinion, and of its log-odds of no order and of its ln of value the base and what each name adds.

    Bases have the shape (rows,), what is added (rows, names).
    """
    said, nobody = scorer.opinion(rows), np.zeros(len(rows))
    at_level = scorer.level.moved(
        Opinion(nobody + scorer.centre[0], nobody + scorer.centre[1]), as_of=rows["as_of"].to_numpy()
    )
    quiet, value = _features(scorer, rows)
    return (
        said,
        (at_level.log_odds, np.column_stack([quiet, said.log_odds - quiet.sum(axis=1) - at_level.log_odds])),
        (at_level.log_value, np.column_stack([value, said.log_value - value.sum(axis=1) - at_level.log_value])),
    )


def _features(scorer: Scorer, rows: pd.DataFrame) -> tuple[Floats, Floats]:
    """What the trees' features add to the log-odds of no order and to the ln of value, (rows, features) each."""
    data = trees.matrix(rows, scorer.inputs)
    quiet, value = (weights.get(TREES, 0.0) for weights in (scorer.blend.no_order, scorer.blend.value))
    return (
        quiet * trees.contributions(scorer.members.quiet.booster, data)[:, :-1],
        value * scorer.members.value.contributions(data),
    )


def _divided(names: list[str], base: Floats, added: Floats, score: Floats) -> Parts:
    """A probability divided in proportion to what each name adds to its log-odds."""
    start = expit(base)
    parts = _shares(added) * (score - start)[:, None]
    return Parts(names, score - parts.sum(axis=1), parts)


def _shares(added: Floats) -> Floats:
    """Each part over the sum of all; nothing where they cancel."""
    total = added.sum(axis=1, keepdims=True)
    return np.divide(added, total, out=np.zeros_like(added), where=np.abs(total) > 1e-12)
