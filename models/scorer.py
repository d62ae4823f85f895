"""The whole model: feature rows in, probabilities and money out. What a bundle holds and a service serves.

members     trees, and BG/NBD or Pareto/NBD with Gamma-Gamma: each an opinion of every customer
blend       one opinion of them, its weights learnt on a cut-off that none of them was fitted on
level       moved to where the season and the trend put all customers of a day
intervals   the spread around it, learnt on that same cut-off
tail        how it fades beyond the horizon
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from features.ingest import ingest
from features.log import Log
from features.snapshot import snapshot
from models import blend, churn, explain, intervals, level, lifetime, members, trees
from models.baselines import history
from models.blend import Blend, Opinion
from models.churn import Churn
from models.intervals import Intervals
from models.level import Level
from models.members import COUNTING, Members
from models.recipe import TREES, Recipe
from models.terms import Terms


@dataclass(frozen=True)
class Scorer:
    """A fitted model with all that it takes to score a row."""

    terms: Terms
    inputs: trees.Inputs
    """Feature columns in the order the trees take them, with the names learnt where they are names."""
    members: Members
    blend: Blend
    level: Level
    intervals: Intervals
    tail: lifetime.Tail
    """The shape of buying beyond the horizon, for `clv`."""
    leaving: Churn | None = None
    """Under a contract, trees for its end; else who orders nothing has churned."""
    centre: tuple[float, float] = (0.0, 0.0)
    """The average log-odds of no order and ln of value, features and level taken off: where reasons begin."""
    version: str = "unsaved"
    """The first digits of the bundle's hash."""

    def opinion(self, rows: pd.DataFrame) -> Opinion:
        """The blended opinion of each row at the level of its day."""
        said = self.blend.of(self.members.opinions(rows, self.inputs, self.blend.members))
        return self.level.moved(said, as_of=rows["as_of"].to_numpy())


def fit(
    rows: pd.DataFrame,
    now: pd.DataFrame,
    *,
    features: list[str],
    terms: Terms,
    recipe: Recipe,
    margin_rate: float,
    is_contractual: bool,
) -> Scorer:
    """Learn from the labelled rows of all matured cut-offs.

    now: feature rows of the day the model is made, unlabelled: what BG/NBD and Pareto/NBD are fitted on. margin_rate:
    margin as a share of revenue, 0 … 1, for members that only know revenue. A rehearsal on the cut-offs that had closed
    by the latest one is judged on that one: it gives the weights and the intervals; then all is fitted on all rows.
    """
    inputs = trees.inputs_of(rows, features)
    latest_day = rows["as_of"].max()
    latest = rows[rows["as_of"] == latest_day]
    early = rows[rows["as_of"] <= latest_day - timedelta(days=terms.horizon_days)]
    outcome = members.outcome(latest)

    tail = lifetime.fit_tail(*history(now))
    counting = next(name for name, shape in COUNTING.items() if isinstance(tail.shape, shape))
    names = [recipe.alone] if recipe.alone else [TREES, counting]
    how: dict[str, Any] = {"recipe": recipe, "horizon_days": terms.horizon_days, "margin_rate": margin_rate}
    rehearsal = members.fit(early, latest, inputs, names=names, **how)
    opinions = rehearsal.opinions(latest, inputs, names)
    weights = blend.alone(recipe.alone) if recipe.alone else blend.fit(opinions, outcome)
    rehearsed = weights.of(opinions)
    spread = intervals.fit(rehearsed.moved(*level.measure(rehearsed, outcome)), outcome)

    fitted = members.fit(rows, now, inputs, names=names, **how)
    said = weights.of(fitted.opinions(rows, inputs, weights.members))
    scorer = Scorer(
        terms=terms,
        inputs=inputs,
        members=fitted,
        blend=weights,
        level=members.levels(said, rows),
        intervals=spread,
        tail=tail,
        leaving=_leaving(rows, early, latest, inputs, recipe) if is_contractual else None,
    )
    return replace(scorer, centre=explain.centre(scorer, latest))


def _leaving(
    rows: pd.DataFrame, early: pd.DataFrame, latest: pd.DataFrame, inputs: trees.Inputs, recipe: Recipe
) -> Churn:
    """Trees for the end of the contract; the line that corrects them is the rehearsal's."""
    how: dict[str, Any] = {"params": recipe.churn, "seed": recipe.seed, "monotone": recipe.monotone, "device": recipe.device}
    rehearsed = churn.calibrate(churn.fit(early, inputs, **how), latest, inputs)
    return replace(rehearsed, booster=churn.fit(rows, inputs, **how).booster)


def score(scorer: Scorer, rows: pd.DataFrame) -> pd.DataFrame:
    """Scores of feature rows with reasons: `scores.parquet` but `segment`, which compares with the whole base."""
    return predict(scorer, rows).assign(**explain.reasons(scorer, rows), model_version=scorer.version)


def predict(scorer: Scorer, rows: pd.DataFrame) -> pd.DataFrame:
    """The numbers of the scores, without reasons.

    Probabilities in (0, 1); expected_orders in orders; expected_value, value_p10, value_p90 and clv are margin in
    currency units, over the horizon and the lifetime.
    """
    terms, inputs = scorer.terms, scorer.inputs
    said = scorer.opinion(rows)
    low, high = scorer.intervals.interval(said)
    frequency, recency, age = history(rows)
    clv = lifetime.clv(
        said.expected_value,
        horizon_days=terms.horizon_days,
        lifetime_days=terms.lifetime_days,
        annual_discount_rate=terms.annual_discount_rate,
        tail=scorer.tail,
        frequency=frequency,
        recency=recency,
        T=age,
    )
    return pd.DataFrame(
        {
            "customer_id": rows["customer_id"],
            "as_of": rows["as_of"],
            "horizon_days": np.full(len(rows), terms.horizon_days, np.int32),
            "churn_probability": scorer.leaving.probability(rows, inputs) if scorer.leaving else said.no_order,
            "expected_orders": (1 - said.no_order) * scorer.members.value.orders(rows, inputs),
            "expected_value": said.expected_value,
            "value_p10": low,
            "value_p90": high,
            "clv": clv,
        }
    )


def score_orders(scorer: Scorer, orders: pd.DataFrame, *, as_of: date) -> pd.DataFrame:
    """Scores from raw orders: a frame with customer_id, ordered_at, amount and what else the schema knows.

    Naive times are read as UTC. Every customer with an order before `as_of` gets a row.
    """
    terms = scorer.terms
    log = Log(orders, currency=terms.currency, gross_margin=terms.gross_margin, timezone="UTC")
    histories = ingest(log, now_us=None).histories
    rows = snapshot(histories, as_of=[as_of], features=list(scorer.inputs))
    return score(scorer, rows.to_pandas(date_as_object=False))
