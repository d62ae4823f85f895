"""The options of `stayworth evaluate`."""

from typing import Annotated

import typer

from features.errors import InputError
from pipelines.commands.options import (
    DEFAULT_CONFIG,
    ConfigFile,
    Fresh,
    Json,
    Memory,
    Trials,
    parse_memory,
    print_result,
    progress,
    refuse_of_logs,
)


def evaluate(
    context: typer.Context,
    fresh: Fresh = False,
    memory: Memory = None,
    config: ConfigFile = DEFAULT_CONFIG,
    cut_offs: Annotated[
        int,
        typer.Option(min=1, max=24, help="Number of test days, a third of the horizon apart; with --lifetime 30 days."),
    ] = 4,
    trials: Trials = None,
    plan_budget: Annotated[
        float | None, typer.Option(min=0, metavar="M", help="Also backtest the plan of this budget on each test day.")
    ] = None,
    lifetime: Annotated[
        bool, typer.Option("--lifetime", help="Judge lifetime values instead, on years that have closed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Backtest the recipe and all baselines on several test days, each with nothing known later.

    Example: stayworth evaluate --cut-offs 4 --plan-budget 1000
    """
    from pipelines import run_folder
    from pipelines.campaigns import policy_backtest
    from pipelines.evaluate import evaluate as run
    from pipelines.evaluate import evaluate_lifetime
    from pipelines.labelled.label_config import LabelConfig, load_either
    from pipelines.screens.evaluate import show_backtest, show_lifetimes, show_policy_backtest

    settings = load_either(config).run_with(is_fresh=fresh, memory_bytes=parse_memory(memory))
    if isinstance(settings, LabelConfig):
        from pipelines.labelled.train_labelled import evaluate_labelled
        from pipelines.screens.labelled import show_label_evaluation

        refuse_of_logs("evaluate", {"--lifetime": lifetime, "--plan-budget": plan_budget})
        with progress(as_json) as say:
            evaluation = evaluate_labelled(settings, trials=trials, say=say)
        print_result(evaluation, as_json, show_label_evaluation)
        return
    if lifetime:
        refuse_with_lifetime(trials=trials, plan_budget=plan_budget)
        with progress(as_json) as say:
            judged = evaluate_lifetime(settings, now=context.obj(), cut_offs=cut_offs, say=say)
        print_result(judged, as_json, show_lifetimes)
        return
    with progress(as_json) as say:
        result = run(settings, now=context.obj(), trials=trials, cut_offs=cut_offs, plan_budget=plan_budget, say=say)
    print_result(result, as_json, show_backtest)
    if plan_budget is not None and not as_json:
        path = settings.folder / policy_backtest.POLICY_BACKTEST
        show_policy_backtest(run_folder.read_json(path, next=""))


def refuse_with_lifetime(*, trials: int | None, plan_budget: float | None) -> None:
    """Raise InputError for an option that says nothing to `--lifetime`, rather than ignore it."""
    given = [name for name, value in {"--trials": trials, "--plan-budget": plan_budget}.items() if value is not None]
    if given:
        raise InputError(
            f"{' and '.join(given)} cannot be used with it",
            where="--lifetime",
            next="Lifetime values are judged with untuned parameters and without a plan: leave it out, or run twice.",
        )
