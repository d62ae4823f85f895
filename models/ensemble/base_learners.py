"""Those whose opinions are blended: trees, and the opponents that a model is blended with or served by.

The season of each cut-off is taken off before the trees learn: what BG/NBD or Pareto/NBD, which know no seasons, missed
of each cut-off's totals is an offset of the log-odds and divides the value. Without it trees take whatever tells
cut-offs apart, such as how far back the log reaches, for a cause of the season.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit

from models.btyd import gamma_gamma
from models.btyd.bgnbd import BGNBD
from models.btyd.gamma_gamma import GammaGamma
from models.btyd.pareto_nbd import ParetoNBD
from models.ensemble import seasonal_calibration, stacking
from models.ensemble.baselines import Baseline, BuyTillYouDie, Hiatus, RfmLogistic, fit_baselines, repeat_spend
from models.ensemble.recipe import TREES, Recipe
from models.ensemble.seasonal_calibration import Level
from models.ensemble.stacking import LogPrediction, Outcome
from models.trees import boosting, churn, value
from models.trees.churn import Churn
from models.trees.training_rows import Stream, changed
from models.trees.value import Value

COUNTING: dict[str, type[BGNBD] | type[ParetoNBD]] = {"bgnbd_gamma_gamma": BGNBD, "pareto_nbd_gamma_gamma": ParetoNBD}
"""The opponents that count orders until a customer stops, and the shape of buying each stands on."""
SIMPLE: dict[str, type[Hiatus] | type[RfmLogistic]] = {"hiatus": Hiatus, "rfm_logistic": RfmLogistic}
"""The other opponents that can serve from the features of a row."""
OFFSET = "(offset)"
"""The column of the season's log-odds; no feature has such a name."""


@dataclass(frozen=True)
class BaseLearners:
    """Fitted on the same rows."""

    quiet: Churn
    """Trees for the probability of no order."""
    value: Value
    """Trees for orders and value given an order."""
    simple: Mapping[str, Baseline]
    """The others, by name."""

    def opinions(
        self, rows: pd.DataFrame, inputs: boosting.Inputs, names: Sequence[str], *, data: boosting.Matrix | None = None
    ) -> dict[str, LogPrediction]:
        """What those named say of each row; data: the rows as trees take them, if they are at hand."""
        said = {name: stacking.log_prediction_of(self.simple[name].predict(rows)) for name in names if name != TREES}
        if TREES in names:
            data = boosting.matrix(rows, inputs) if data is None else data
            said[TREES] = stacking.log_prediction(self.quiet.of(data), self.value.margin_of(data))
        return {name: said[name] for name in names}


def fit(
    rows: pd.DataFrame,
    known: pd.DataFrame,
    inputs: boosting.Inputs,
    *,
    recipe: Recipe,
    horizon_days: int,
    margin_rate: float,
    names: Sequence[str],
    more: Stream | None = None,
) -> BaseLearners:
    """Fit on labelled rows; known: rows of the latest day, on whose features alone BG/NBD and Pareto/NBD are fitted.

    names: the members wanted; the trees are grown in any case, for the expected orders. more: what the trees are grown
    on instead, rows of the same cut-offs.
    """
    quiet_rows = rows.assign(churned=~rows["bought"])  # under a contract, who left may have ordered
    opponents = fit_baselines(quiet_rows, known, horizon_days=horizon_days, margin_rate=margin_rate)
    counting = next(opponents[name] for name in (*names, *COUNTING) if name in COUNTING)
    season = levels(stacking.log_prediction_of(counting.predict(rows)), rows)
    drawn = recipe.drawn(rows)
    start = float(logit(1 - drawn["bought"].mean()) - _seasons(season, drawn)[0].mean())
    taught = changed(drawn if more is None else more, partial(_season_off, season, start))
    how: dict[str, Any] = {"seed": recipe.seed, "device": recipe.device}
    quiet = churn.fit(
        taught, inputs, target="quiet", offset=OFFSET, params=recipe.churn, monotone=recipe.monotone, **how
    )
    valuer = value.fit(taught, inputs, params=recipe.value, kind=recipe.kind, **how)
    return BaseLearners(quiet, valuer, {name: one for name, one in opponents.items() if name in names})


def levels(said: LogPrediction, rows: pd.DataFrame, *, drift: tuple[float, float] | None = None) -> Level:
    """The level of each cut-off among labelled rows."""
    return seasonal_calibration.learn(*_by_day(said, rows), drift=drift)


def drift(
    shape: BGNBD | ParetoNBD, now: pd.DataFrame, recent: pd.DataFrame, *, days: int, margin_rate: float
) -> tuple[float, float] | None:
    """How the base moved in a year beyond what a shape of buying says that knows no season, over windows of `days`.

    now: the rows that the shape was fitted on; recent: rows labelled over such windows, of days and of the same days a
    year before.
    """
    if recent.empty:
        return None
    counting = BuyTillYouDie(shape, gamma_gamma.fit(*repeat_spend(now)), days, margin_rate)
    return seasonal_calibration.drift(*_by_day(stacking.log_prediction_of(counting.predict(recent)), recent))


def _by_day(said: LogPrediction, rows: pd.DataFrame) -> tuple[dict[str, LogPrediction], dict[str, Outcome]]:
    """What was said and what became of them, cut-off by cut-off."""
    days = rows["as_of"].to_numpy().astype("datetime64[D]")
    places = {str(day): days == day for day in np.unique(days)}
    return (
        {day: LogPrediction(said.log_odds[of], said.log_value[of]) for day, of in places.items()},
        {day: outcome(rows[of]) for day, of in places.items()},
    )


def outcome(rows: pd.DataFrame) -> Outcome:
    """What became of the customers of labelled rows."""
    return Outcome(rows["bought"].to_numpy(bool), rows["future_value"].to_numpy(np.float64))


def _season_off(season: Level, start: float, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows for the trees: `quiet`, the offset of its log-odds, start and season, and the value without its season."""
    log_odds, log_value = _seasons(season, rows)
    value = rows["future_value"] * np.exp(-log_value)
    return rows.assign(quiet=~rows["bought"], future_value=value, **{OFFSET: log_odds + start})


def _seasons(season: Level, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The shifts of each row's cut-off."""
    place = np.searchsorted(season.days, rows["as_of"].dt.strftime("%Y-%m-%d").to_numpy(str))
    return np.array(season.log_odds)[place], np.array(season.log_value)[place]


def to_json(simple: Mapping[str, Baseline]) -> dict[str, Any]:
    """The members that are no trees, as plain numbers."""
    return {name: asdict(one) for name, one in simple.items()}  # type: ignore[call-overload]


def from_json(content: Mapping[str, Any]) -> dict[str, Baseline]:
    """What `to_json` made; raises KeyError or TypeError on anything else."""
    return {name: _opponent(name, dict(fields)) for name, fields in content.items()}


def _opponent(name: str, fields: dict[str, Any]) -> Baseline:
    if name in COUNTING:
        orders, spend = COUNTING[name](**fields.pop("orders")), GammaGamma(**fields.pop("spend"))
        return BuyTillYouDie(orders, spend, **fields)
    return SIMPLE[name](**{field: tuple(numbers) for field, numbers in fields.items()})
