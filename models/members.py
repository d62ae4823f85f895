"""Those whose opinions are blended: trees, and the opponents that a model is blended with or served by.

The season of each cut-off is taken off before the trees learn: what BG/NBD or Pareto/NBD, which know no seasons, missed
of each cut-off's totals is an offset of the log-odds and divides the value. Without it trees take whatever tells
cut-offs apart, such as how far back the log reaches, for a cause of the season.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit

from models import blend, churn, level, trees, value
from models.baselines import BuyTillYouDie, Hiatus, Opponent, RfmLogistic, fit_opponents
from models.bgnbd import BGNBD
from models.blend import Opinion, Outcome
from models.churn import Churn
from models.gamma_gamma import GammaGamma
from models.level import Level
from models.pareto_nbd import ParetoNBD
from models.recipe import TREES, Recipe
from models.value import Value

COUNTING: dict[str, type[BGNBD] | type[ParetoNBD]] = {"bgnbd_gamma_gamma": BGNBD, "pareto_nbd_gamma_gamma": ParetoNBD}
"""The opponents that count orders until a customer stops, and the shape of buying each stands on."""
SIMPLE: dict[str, type[Hiatus] | type[RfmLogistic]] = {"hiatus": Hiatus, "rfm_logistic": RfmLogistic}
"""The other opponents that can serve from the features of a row."""
FIT_ROWS = 100_000
"""Rows the trees are grown on at most, drawn at random: more of the same customers taught them nothing measurable."""


@dataclass(frozen=True)
class Members:
    """Fitted on the same rows."""

    quiet: Churn
    """Trees for the probability of no order."""
    value: Value
    """Trees for orders and value given an order."""
    simple: Mapping[str, Opponent]
    """The others, by name."""

    def opinions(self, rows: pd.DataFrame, inputs: trees.Inputs, names: Sequence[str]) -> dict[str, Opinion]:
        """What those named say of each row."""
        said = {name: blend.opinion_of(self.simple[name].predict(rows)) for name in names if name != TREES}
        if TREES in names:
            said[TREES] = blend.opinion(self.quiet.probability(rows, inputs), self.value.margin(rows, inputs))
        return {name: said[name] for name in names}


def fit(
    rows: pd.DataFrame,
    known: pd.DataFrame,
    inputs: trees.Inputs,
    *,
    recipe: Recipe,
    horizon_days: int,
    margin_rate: float,
    names: Sequence[str],
) -> Members:
    """Fit on labelled rows; known: rows of the latest day, on whose features alone BG/NBD and Pareto/NBD are fitted.

    names: the members wanted; the trees are grown in any case, for the expected orders.
    """
    opponents = fit_opponents(rows, known, horizon_days=horizon_days, margin_rate=margin_rate)
    counting = next(opponents[name] for name in (*names, *COUNTING) if name in COUNTING)
    season = levels(blend.opinion_of(counting.predict(rows)), rows)
    drawn = rows if len(rows) <= FIT_ROWS else rows.sample(FIT_ROWS, random_state=recipe.seed).sort_index()
    log_odds, log_value = _seasons(season, drawn)
    quiet = churn.fit(
        drawn.assign(quiet=~drawn["bought"]),
        inputs,
        target="quiet",
        offset=log_odds - log_odds.mean() + logit(1 - drawn["bought"].mean()),
        params=recipe.churn,
        seed=recipe.seed,
        monotone=recipe.monotone,
        device=recipe.device,
    )
    valuer = value.fit(
        drawn.assign(future_value=drawn["future_value"] * np.exp(-log_value)),
        inputs,
        params=recipe.value,
        seed=recipe.seed,
        kind=recipe.kind,
        device=recipe.device,
    )
    return Members(quiet, valuer, {name: one for name, one in opponents.items() if name in names})


def levels(said: Opinion, rows: pd.DataFrame) -> Level:
    """The level of each cut-off among labelled rows."""
    days = rows["as_of"].to_numpy().astype("datetime64[D]")
    places = {str(day): days == day for day in np.unique(days)}
    return level.learn(
        {day: Opinion(said.log_odds[of], said.log_value[of]) for day, of in places.items()},
        {day: outcome(rows[of]) for day, of in places.items()},
    )


def outcome(rows: pd.DataFrame) -> Outcome:
    """What became of the customers of labelled rows."""
    return Outcome(rows["bought"].to_numpy(bool), rows["future_value"].to_numpy(np.float64))


def _seasons(season: Level, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The shifts of each row's cut-off."""
    place = np.searchsorted(season.days, rows["as_of"].dt.strftime("%Y-%m-%d").to_numpy(str))
    return np.array(season.log_odds)[place], np.array(season.log_value)[place]


def to_json(simple: Mapping[str, Opponent]) -> dict[str, Any]:
    """The members that are no trees, as plain numbers."""
    return {name: asdict(one) for name, one in simple.items()}  # type: ignore[call-overload]


def from_json(content: Mapping[str, Any]) -> dict[str, Opponent]:
    """What `to_json` made; raises KeyError or TypeError on anything else."""
    return {name: _opponent(name, dict(fields)) for name, fields in content.items()}


def _opponent(name: str, fields: dict[str, Any]) -> Opponent:
    if name in COUNTING:
        orders, spend = COUNTING[name](**fields.pop("orders")), GammaGamma(**fields.pop("spend"))
        return BuyTillYouDie(orders, spend, **fields)
    return SIMPLE[name](**{field: tuple(numbers) for field, numbers in fields.items()})
