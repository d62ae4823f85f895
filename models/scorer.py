"""The whole model: feature rows in, probabilities and money out. What a bundle holds and a service serves.

members     trees, and BG/NBD or Pareto/NBD with Gamma-Gamma: each an opinion of every customer
blend       one opinion of them, its weights learnt on a cut-off that none of them was fitted on
level       moved to where the season and the trend put all customers of a day
intervals   the spread around it, learnt on that same cut-off
tail        how it fades beyond the horizon
horizons    the same over other horizons, derived so that none contradicts another
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from features.errors import InputError
from features.ingest import ingest
from features.log import Log
from features.snapshot import snapshot
from models import blend, churn, explain, horizons, intervals, level, lifetime, members, trees, windows
from models.baselines import history
from models.blend import Blend, Opinion
from models.churn import Churn
from models.horizons import Foreseen, Horizon
from models.intervals import Intervals
from models.level import Level
from models.members import COUNTING, Members
from models.recipe import TREES, Recipe
from models.stream import Rows, Stream
from models.terms import Terms
from models.timeline import SHORT_DAYS


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
    horizons: tuple[Horizon, ...] = ()
    """The other horizons it is asked for, nearest to that of the terms first."""
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
    other_horizons: Sequence[int] = (),
    recent: pd.DataFrame | None = None,
    more: Stream | None = None,
) -> Scorer:
    """Learn from the labelled rows of all matured cut-offs; their labels of `other_horizons` are models/windows.py's.

    now: feature rows of the day the model is made, unlabelled: what BG/NBD and Pareto/NBD are fitted on. margin_rate:
    margin as a share of revenue, 0 … 1, for members that only know revenue. A rehearsal on the cut-offs that had closed
    by the latest one is judged on that one: it gives the weights and the intervals; then all is fitted on all rows.
    recent: rows of the last months and of the same months a year before, labelled over `timeline.SHORT_DAYS`, for the
    drift of the level. more: rows of the same cut-offs, more than memory holds, on which trees are grown instead,
    except those of other horizons.
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
    early_more = more.on(early["as_of"]) if more else None
    rehearsal = members.fit(early, latest, inputs, names=names, more=early_more, **how)
    opinions = rehearsal.opinions(latest, inputs, names)
    weights = blend.alone(recipe.alone) if recipe.alone else blend.fit(opinions, outcome)
    rehearsed = weights.of(opinions)
    rehearsed = rehearsed.moved(*level.measure(rehearsed, outcome))
    spread = intervals.fit(rehearsed, outcome)

    drift = None
    if recent is not None:
        short = min(SHORT_DAYS, terms.horizon_days)
        drift = members.drift(tail.shape, now, recent, days=short, margin_rate=margin_rate)
    fitted = members.fit(rows, now, inputs, names=names, more=more, **how)
    said = weights.of(fitted.opinions(rows, inputs, weights.members))
    scorer = Scorer(
        terms=terms,
        inputs=inputs,
        members=fitted,
        blend=weights,
        level=members.levels(said, rows, drift=drift),
        intervals=spread,
        tail=tail,
        leaving=_leaving(more or recipe.drawn(rows), early_more or recipe.drawn(early), latest, inputs, recipe)
        if is_contractual
        else None,
        horizons=windows.fit(
            rows,
            windows.Rehearsal(early, latest, rehearsed, spread),
            inputs,
            days=other_horizons,
            main_days=terms.horizon_days,
            recipe=recipe,
            shape=tail.shape,
            is_contractual=is_contractual,
        ),
    )
    return replace(scorer, centre=explain.centre(scorer, latest))


def _leaving(rows: Rows, early: Rows, latest: pd.DataFrame, inputs: trees.Inputs, recipe: Recipe) -> Churn:
    """Trees for the end of the contract; the line that corrects them is the rehearsal's."""
    how: dict[str, Any] = {
        "params": recipe.churn,
        "seed": recipe.seed,
        "monotone": recipe.monotone,
        "device": recipe.device,
    }
    rehearsed = churn.calibrate(churn.fit(early, inputs, **how), latest, inputs)
    return replace(rehearsed, booster=churn.fit(rows, inputs, **how).booster)


def score(scorer: Scorer, rows: pd.DataFrame) -> pd.DataFrame:
    """Scores of feature rows: `scores.parquet` but `segment`, which compares with the whole base.

    First all rows over the horizon of the terms, with reasons; then all of them over each other one, without.
    """
    main, *others = _predictions(scorer, rows, scorer.horizons).values()
    reasons = explain.reasons(scorer, rows)
    scores = main.assign(**reasons)
    if others:
        scores = pd.concat([scores, *(one.assign(**dict.fromkeys(reasons)) for one in others)], ignore_index=True)
    return scores.assign(model_version=scorer.version)


def predict(scorer: Scorer, rows: pd.DataFrame, *, horizon_days: int | None = None) -> pd.DataFrame:
    """The numbers of the scores, without reasons, over one horizon: that of the terms, or one of `Scorer.horizons`.

    Probabilities in (0, 1); expected_orders in orders; expected_value, value_p10, value_p90 and clv are margin in
    currency units, over the horizon and, the same for all horizons, the lifetime.
    """
    days = horizon_days or scorer.terms.horizon_days
    known = [scorer.terms.horizon_days, *(one.days for one in scorer.horizons)]
    if days not in known:
        raise InputError(
            f"the model looks {', '.join(str(one) for one in sorted(known))} days ahead, not {days}",
            where="horizon_days",
            next="Train it with this horizon among time.horizons.",
        )
    return _predictions(scorer, rows, scorer.horizons if days != known[0] else ())[days]


def _predictions(scorer: Scorer, rows: pd.DataFrame, others: Sequence[Horizon]) -> dict[int, pd.DataFrame]:
    """By horizon in days: that of the terms first, then the others from the shortest on."""
    terms, inputs = scorer.terms, scorer.inputs
    said = scorer.opinion(rows)
    main = Foreseen(
        said,
        (1 - said.no_order) * scorer.members.value.orders(rows, inputs),
        scorer.leaving.probability(rows, inputs) if scorer.leaving else None,
        *scorer.intervals.interval(said),
    )
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
    foreseen = horizons.follow(others, main, rows, inputs, main_days=terms.horizon_days, shape=scorer.tail.shape)
    return {
        days: pd.DataFrame(
            {
                "customer_id": rows["customer_id"],
                "as_of": rows["as_of"],
                "horizon_days": np.full(len(rows), days, np.int32),
                "churn_probability": one.said.no_order if one.leaving is None else one.leaving,
                "expected_orders": one.orders,
                "expected_value": one.said.expected_value,
                "value_p10": one.low,
                "value_p90": one.high,
                "clv": clv,
            }
        )
        for days, one in sorted(foreseen.items(), key=lambda item: (item[0] != terms.horizon_days, item[0]))
    }


def score_orders(scorer: Scorer, orders: pd.DataFrame, *, as_of: date) -> pd.DataFrame:
    """Scores from raw orders: a frame with customer_id, ordered_at, amount and what else the schema knows.

    Naive times are read as UTC. Every customer with an order before `as_of` gets a row per horizon.
    """
    terms = scorer.terms
    log = Log(orders, currency=terms.currency, gross_margin=terms.gross_margin, timezone="UTC")
    histories = ingest(log, now_us=None).histories
    rows = snapshot(histories, as_of=[as_of], features=list(scorer.inputs))
    return score(scorer, rows.to_pandas(date_as_object=False))
