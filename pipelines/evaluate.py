"""Rolling-origin backtest: the whole recipe on several days, each model judged on the window after its day."""

from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import Any

from features.errors import InputError
from models.scoring.scorer import Scorer
from models.trees import boosting
from pipelines import run_folder
from pipelines.campaigns.configured_offers import evaluation_offer
from pipelines.campaigns.gain_backtest import worth_days
from pipelines.campaigns.policy_backtest import (
    PastPlan,
    backtest_offers,
    plan_in_hindsight,
    write_policy_backtest,
)
from pipelines.config import Config
from pipelines.order_log import read_orders
from pipelines.reporting import evaluation_charts
from pipelines.training import tracking
from pipelines.training.holdout_evaluation import CONFIDENCE, backtest_days, evaluate_model, labelled_rows
from pipelines.training.judgement import judgement, with_horizon
from pipelines.training.lifetime_evaluation import evaluate_lifetimes
from pipelines.training.serving_costs import costs_if_any
from pipelines.training.training_data import draw_within_memory
from pipelines.training.training_set import fit_model, training_set
from pipelines.training.tuning import tune
from retention.customer_base.segments import gain_cut

RESAMPLES = 100


def evaluate(
    config: Config,
    *,
    now: datetime,
    trials: int | None,
    cut_offs: int,
    plan_budget: float | None = None,
    say: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Evaluate the recipe on `cut_offs` test days, oldest first; written to backtest.json, then logged to MLflow.

    The test days step back from the latest by a third of the horizon, fewer where the history is too short. Where it is
    too short to judge the horizon at all, the longest that can be judged is, and each evaluation says so (`judgement`).
    Parameters are tuned once, before the oldest test day, so no cut-off benefits from what came after it. plan_budget:
    in currency units; the plan of this budget is backtested on each day too (pipelines/campaigns/policy_backtest.py).
    Of a log larger than the config's memory, customers are drawn as in training.
    """
    terms, seed = config.terms, config.train.seed
    boosting.check_device(config.train.device)
    run_folder.refuse_unwritable(config.folder / run_folder.BACKTEST)
    offers = backtest_offers(config) if plan_budget is not None else []
    planned: list[PastPlan] = []
    say("reading orders")
    everybody = read_orders(config, now=now, say=say).histories
    histories = draw_within_memory(everybody, config, say=say)
    if plan_budget is not None and histories.customers < everybody.customers:
        raise InputError(
            "a plan of this budget is of all customers, and their training set does not fit into memory",
            where="--plan-budget",
            next="Leave it out, or give more with --memory.",
        )
    window, judged = judgement(histories.first_day, histories.end, horizon_days=terms.horizon_days)
    config = with_horizon(config, judged.judged_days)
    terms = config.terms
    horizons = [worth_days(terms)] if plan_budget is not None else []
    learned_days, may_count = window.learned_days_before, not judged.is_judged
    make = partial(training_set, histories, terms, learned_days=learned_days, may_count=may_count)
    days = backtest_days(histories, horizon_days=terms.horizon_days, cut_offs=cut_offs)
    oldest = make(as_of=days[0])
    tuned = tune(
        oldest.rows,
        oldest.features,
        oldest.timeline.folds,
        trials=trials or config.train.trials,
        seed=seed,
        say=say,
        monotone=config.train.monotone,
        device=config.train.device,
    )
    recipe = tuned.recipe(config.train)
    results, offer, cut = [], evaluation_offer(config), gain_cut(config.offers)
    models: dict[date, Scorer] = {}
    for number, day in enumerate(days, 1):
        say(f"cut-off {number} of {len(days)}: {day}")
        training = make(as_of=day, horizons=horizons)
        model = fit_model(training, terms, recipe)
        test = labelled_rows(histories, terms, as_of=day)
        evaluation = evaluate_model(
            test, training, model, terms, offer=offer, gain_cut=cut, resamples=RESAMPLES, seed=seed
        )
        results.append(evaluation if judged.is_judged else evaluation | {"judgement": judged.content})
        if plan_budget is not None:
            models[day] = model
            planned.append(
                plan_in_hindsight(config, offers, training, recipe, model, test, histories, budget=plan_budget)
            )
    run_folder.write_json(config.folder / run_folder.BACKTEST, results)
    if plan_budget is not None:
        write_policy_backtest(config, histories, offers, models, planned, now=now, budget=plan_budget)
    say("logging to MLflow")
    tracking.log_backtest(
        uri=config.tracking_uri,
        results=results,
        params=recipe.flat() | {"horizon_days": terms.horizon_days},
        figures=evaluation_charts.evaluation_figures(results[-1]),
    )
    return results


def evaluate_lifetime(
    config: Config, *, now: datetime, cut_offs: int, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Judge lifetime values on years that have closed, oldest day first; written to backtest_lifetime.json."""
    boosting.check_device(config.train.device)
    path = config.folder / run_folder.LIFETIME_BACKTEST
    run_folder.refuse_unwritable(path)
    say("reading orders")
    histories = read_orders(config, now=now, say=say).histories
    judged = evaluate_lifetimes(
        histories,
        config,
        cut_offs=cut_offs,
        resamples=RESAMPLES,
        confidence=CONFIDENCE,
        costs=costs_if_any(config, now=now),
        say=say,
    )
    run_folder.write_json(path, judged)
    return judged
