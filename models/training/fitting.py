"""Fitting a Scorer: a validation fit on earlier cut-offs, then a refit on all of them.

validate    fit on the cut-offs closed by the latest one; learn the blend, and what the intervals rest on, on the latest
refit       fit on all cut-offs: base learners, seasonal calibration, intervals, the end of contracts, other horizons
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from features.arrays import Floats
from models.btyd.purchase_model import PurchaseModel
from models.ensemble import base_learners, intervals, stacking, year_ago_level
from models.ensemble.base_learners import BTYD_BASELINES, BaseLearners
from models.ensemble.baselines import purchase_history
from models.ensemble.business_terms import Terms
from models.ensemble.fit_settings import FitSettings
from models.ensemble.recipe import TREES, Recipe
from models.ensemble.stacking import Blend
from models.ensemble.validation_fit import ValidationFit, validate
from models.ensemble.year_ago_level import YearAgoTotals
from models.horizons import fit_horizons
from models.keeping import fit_keeping
from models.keeping.gain_parts import GainParts
from models.keeping.keeping import Keeping
from models.keeping.stay_outcomes import StayOutcomes
from models.lifetime import clv, counting_value, next_order
from models.lifetime.lattice import LifetimeRows
from models.scoring import explain, self_test
from models.scoring.scorer import Scorer, order_margin, predict_lifetime, predict_value
from models.training import extend_horizon
from models.training.temporal_splits import SHORT_DAYS
from models.trees import boosting, churn
from models.trees.churn import Churn
from models.trees.training_rows import Rows, Stream

NO_DRIFT_FROM = 360
"""Days of a horizon from which last year's closed windows are the latest: a drift beyond them would be noise."""


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
    lifetime_rows: LifetimeRows | None = None,
    cost_share: float = 0.0,
    stay_outcomes: StayOutcomes | None = None,
    year_ago: YearAgoTotals | None = None,
    learned_days: int | None = None,
    level_spread: float = 0.0,
) -> Scorer:
    """Fit on the labelled rows of all matured cut-offs; labels of `other_horizons`: models/horizons/fit_horizons.py.

    now: feature rows of the day the model is made, unlabelled: what BG/NBD and Pareto/NBD are fitted on. margin_rate:
    margin as a share of revenue, 0 … 1, for base learners that only know revenue. recent: rows of the last months and
    of the same months a year before, labelled over `temporal_splits.SHORT_DAYS`, for the drift of the seasonal
    calibration. more: rows of the same cut-offs, more than memory holds, on which trees are grown instead, except those
    of other horizons. lifetime_rows: what lifetime values are learned on; None: counting models give them.
    cost_share: costs to serve ÷ margin, where the log has them. stay_outcomes: what the worth of keeping is learned on.
    year_ago: what all customers brought a year before, where no cut-off has seen the season to come.
    learned_days: of the windows that the rows are labelled over, where those are shorter than the horizon
    (models/horizons/longer_horizon.py). level_spread: of the total, beyond that of customers, on the log scale.
    """
    orders, doubts = counting_value.fit_orders(now)
    btyd_name = next(name for name, model in BTYD_BASELINES.items() if isinstance(_likeliest(orders), model))
    settings = FitSettings(
        terms=replace(terms, horizon_days=learned_days or terms.horizon_days),
        recipe=recipe,
        inputs=boosting.inputs_of(rows, features),
        margin_rate=margin_rate,
        is_contractual=is_contractual,
        base_learners=(recipe.alone,) if recipe.alone else (TREES, btyd_name),
        level_spread=level_spread,
    )
    validation = validate(rows, settings, more=more)
    scorer = refit(
        rows,
        now,
        settings,
        validation,
        terms=terms,
        orders=orders,
        doubts=doubts,
        lifetime_rows=lifetime_rows,
        cost_share=cost_share,
        other_horizons=other_horizons,
        recent=recent,
        more=more,
        year_ago=year_ago,
    )
    scorer = replace(scorer, centre=explain.centre(scorer, validation.latest))
    if stay_outcomes is not None:
        scorer = replace(scorer, keeping=_fit_keeping(scorer, stay_outcomes, recipe, cost_share=cost_share))
    return self_test.with_example(scorer, as_of=now["as_of"].iloc[0].date())


def refit(
    rows: pd.DataFrame,
    now: pd.DataFrame,
    settings: FitSettings,
    validation: ValidationFit,
    *,
    terms: Terms,
    orders: Sequence[PurchaseModel],
    doubts: Sequence[str],
    lifetime_rows: LifetimeRows | None = None,
    cost_share: float = 0.0,
    other_horizons: Sequence[int] = (),
    recent: pd.DataFrame | None = None,
    more: Stream | None = None,
    year_ago: YearAgoTotals | None = None,
) -> Scorer:
    """Fit everything on all rows, with the blend of the validation fit; arguments as of `fit`.

    terms: with the horizon asked for; those of the settings have the days of the windows learned on.

    orders, doubts: the counting models, and what they leave in doubt (models/lifetime/counting_value.py).
    """
    purchase_model = _likeliest(orders)
    inputs = settings.inputs
    fitted = base_learners.fit(rows, now, settings, more=more)
    blend = _blend(rows, now, settings, validation, fitted)
    drift = None
    if recent is not None and settings.terms.horizon_days < NO_DRIFT_FROM:
        short = min(SHORT_DAYS, settings.terms.horizon_days)
        margin_rate = settings.margin_rate
        drift = base_learners.yearly_drift(purchase_model, now, recent, days=short, margin_rate=margin_rate)
    past = blend.combine(fitted.predict(rows, inputs, blend.base_learners))
    calibration = base_learners.fit_calibration(past, rows, drift=drift)
    spread = intervals.fit(validation.prediction, validation.outcome)
    blended = blend.combine(fitted.predict(now, inputs, blend.base_learners))
    longer = None
    if settings.level_spread:
        spread = spread.widened(settings.level_spread)
    if settings.terms.horizon_days < terms.horizon_days:
        learned = calibration
        longer, calibration, purchase_model = extend_horizon.extend(
            rows,
            now,
            settings,
            fitted,
            blended,
            calibration,
            purchase_model,
            horizon_days=terms.horizon_days,
            trees_share=blend.share_of(TREES),
        )
        shifts = np.array(calibration.shifts_at(as_of=now["as_of"].iloc[0].date()))
        extended = longer.extend(blended.shifted(*shifts), purchase_history(now), purchase_model)
        if year_ago:
            longer = longer.shifted(*year_ago_level.foretold_extended(year_ago, extended, learned))
            extended = longer.extend(blended.shifted(*shifts), purchase_history(now), purchase_model)
        blended = extended.shifted(*-shifts)
        doubts = (*doubts, extend_horizon.doubt(settings.terms.horizon_days, terms.horizon_days))
    elif year_ago:
        calibration = replace(calibration, foretold=year_ago_level.foretold(year_ago, blended, calibration))
    beyond = replace(settings, terms=terms)
    return Scorer(
        terms=terms,
        inputs=inputs,
        base_learners=fitted,
        blend=blend,
        calibration=calibration,
        intervals=spread,
        lifetime=clv.fit(
            lifetime_rows,
            now,
            beyond,
            blended=blended,
            calibration=calibration,
            orders=orders,
            cost_share=cost_share,
            doubts=doubts,
        ),
        purchase_model=purchase_model,
        rhythm=next_order.fit(now),
        contract_end=_fit_contract_end(rows, validation, settings, more=more) if settings.is_contractual else None,
        longer_horizon=longer,
        horizons=fit_horizons.extended(other_horizons, terms.horizon_days, purchase_model, spread)
        if longer
        else fit_horizons.fit(
            rows,
            validation,
            settings,
            days=other_horizons,
            purchase_model=purchase_model,
            main_intervals=spread,
        ),
    )


def _blend(
    rows: pd.DataFrame, now: pd.DataFrame, settings: FitSettings, validation: ValidationFit, fitted: BaseLearners
) -> Blend:
    """The blend of the validation fit; its weights of the order drawn towards those learned on all cut-offs.

    Trees of a validation fit have seen fewer cut-offs than those that serve, the longer the horizon, and deserve less
    weight: the share of its weights is the square of the share of cut-offs that taught it. The other weights are
    learned on trees that have not seen the customer, with a level for each cut-off.
    """
    blend, names = validation.blend, settings.base_learners
    if len(names) == 1:
        return blend
    own = (validation.early["as_of"].nunique() / rows["as_of"].nunique()) ** 2
    counted = fitted.predict(rows, settings.inputs, [name for name in names if name != TREES])
    log_odds = {name: prediction.log_odds for name, prediction in counted.items()}
    log_odds[TREES] = base_learners.unseen_log_odds(rows, now, settings)
    days = np.unique(rows["as_of"].to_numpy(), return_inverse=True)[1]
    learned = stacking.no_order_weights(log_odds, rows["bought"].to_numpy(bool), days)
    mixed = {name: round(own * blend.no_order[name] + (1 - own) * learned[name], 6) for name in names}
    return replace(blend, no_order=mixed)


def _likeliest(models: Sequence[PurchaseModel]) -> PurchaseModel:
    return max(models, key=lambda model: model.log_likelihood)


def _fit_contract_end(
    rows: pd.DataFrame, validation: ValidationFit, settings: FitSettings, *, more: Stream | None
) -> Churn:
    """Trees of the end of the contract on all rows, with the calibration slope and intercept of the validation fit."""
    recipe, inputs = settings.recipe, settings.inputs

    def grow(sample: Rows) -> Churn:
        return churn.fit(
            sample,
            inputs,
            params=recipe.churn,
            seed=recipe.seed,
            monotone=recipe.monotone,
            device=recipe.device,
        )

    early = more.on(validation.early["as_of"]) if more else recipe.sample(validation.early)
    calibrated = churn.calibrate(grow(early), validation.latest, inputs)
    return replace(calibrated, booster=grow(more or recipe.sample(rows)).booster)


def _fit_keeping(scorer: Scorer, outcomes: StayOutcomes, recipe: Recipe, *, cost_share: float) -> Keeping | None:
    """Who can be saved and what saving them adds, given the values of the model."""
    later = predict_lifetime(scorer, scorer.predict_frame(outcomes.later_frame)).value
    learned_on = _comparables(scorer, outcomes, recipe, scorer.terms, later, cost_share=cost_share)
    return None if learned_on is None else fit_keeping.fit(learned_on)


def fit_gains_over(
    scorer: Scorer, outcomes: StayOutcomes, recipe: Recipe, *, days: int, cost_share: float
) -> tuple[Keeping, GainParts] | None:
    """Gains of so many days instead of a lifetime, undiscounted, and what they are made of.

    None where too few only just stayed or were silent, and under a contract. days: twice the horizon at least. For
    hindsight: what came can be counted over days that have closed only.
    """
    terms = replace(scorer.terms, lifetime_days=days, annual_discount_rate=0.0)
    predicted = scorer.predict_frame(outcomes.later_frame)
    later = predict_value(scorer, predicted, days=days - terms.horizon_days)
    learned_on = _comparables(scorer, outcomes, recipe, terms, later, cost_share=cost_share)
    if learned_on is None or outcomes.is_contractual:
        return None
    return fit_keeping.fit(learned_on), fit_keeping.fit_parts(learned_on)


def _comparables(
    scorer: Scorer, outcomes: StayOutcomes, recipe: Recipe, terms: Terms, later_value: Floats, *, cost_share: float
) -> fit_keeping.Comparables | None:
    return fit_keeping.comparables(
        outcomes,
        scorer.inputs,
        terms=terms,
        later_value=later_value,
        order_margin=order_margin(scorer, scorer.predict_frame(outcomes.frame)),
        cost_share=cost_share,
        seed=recipe.seed,
        device=recipe.device,
    )
