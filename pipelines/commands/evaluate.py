"""The options of `stayworth evaluate`."""

from typing import Annotated

import typer

from pipelines.commands.options import DEFAULT_CONFIG, ConfigFile, Json, Trials, print_result, progress


def evaluate(
    context: typer.Context,
    config: ConfigFile = DEFAULT_CONFIG,
    cut_offs: Annotated[
        int, typer.Option(min=1, max=24, help="Number of test days, a third of the horizon apart.")
    ] = 4,
    trials: Trials = None,
    plan_budget: Annotated[
        float | None, typer.Option(min=0, metavar="M", help="Also backtest the plan of this budget on each test day.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Backtest the recipe and all baselines on several test days, each with nothing known later.

    Example: stayworth evaluate --cut-offs 4 --plan-budget 1000
    """
    from pipelines import run_folder
    from pipelines.campaigns import policy_backtest
    from pipelines.config import load
    from pipelines.evaluate import evaluate as run
    from pipelines.screens.evaluate import show_backtest, show_policy_backtest

    settings = load(config)
    with progress(as_json) as say:
        result = run(settings, now=context.obj(), trials=trials, cut_offs=cut_offs, plan_budget=plan_budget, say=say)
    print_result(result, as_json, show_backtest)
    if plan_budget is not None and not as_json:
        path = settings.folder / policy_backtest.POLICY_BACKTEST
        show_policy_backtest(run_folder.read_json(path, next=""))
