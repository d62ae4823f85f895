"""The command line: reads the clock, calls a step, prints. Heavy imports wait until a command needs them."""

import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from features.errors import StayworthError
from pipelines.commands import campaign, console, data, effects, models, monitor, serve, simulate, why
from pipelines.commands.options import (
    DEFAULT_CONFIG,
    AsOf,
    ConfigFile,
    Json,
    Memory,
    Trials,
    days_ahead,
    printed,
    progress,
)

# An idle OpenMP thread sleeps instead of spinning; it is read when the first heavy import starts the threads.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

INTERRUPTED = 130
"""Exit code after ctrl-C."""

app = typer.Typer(
    name="stayworth",
    help="Who is about to leave, what they are worth, and what it pays to keep them.",
    epilog="Start with: stayworth demo. For your own data: stayworth init orders.csv, then stayworth check.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run a command; our errors become one message and their exit code."""
    try:
        app()
    except StayworthError as error:
        print(f"stayworth: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            print("stayworth: stopped before the end; no file and no model is left half made", file=sys.stderr)
        raise


def _now() -> datetime:
    """The clock: read here and nowhere else."""
    return datetime.now(UTC)


@app.callback()
def clock(context: typer.Context) -> None:
    """Hand the clock to the commands that stand in other files."""
    context.obj = _now


@app.command()
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for everything the demo makes.")] = Path(
        "runs/demo"
    ),
    as_json: Json = False,
) -> None:
    """The whole loop on real data: the 23,570 customers of CDNOW. About three minutes.

    Example: stayworth demo -o runs/demo
    """
    from pipelines.demo import demo as run
    from pipelines.screens import tables

    with progress(as_json) as say:
        result = run(output, now=_now(), say=say)
    printed(result, as_json, tables.show_demo)


app.command()(data.init)
app.command()(data.check)
app.command()(data.features)


@app.command()
def train(
    config: ConfigFile = DEFAULT_CONFIG,
    trials: Trials = None,
    horizons: Annotated[
        str | None,
        typer.Option(metavar="DAYS", help="Further days to look ahead, e.g. 30,90,180; default the config's."),
    ] = None,
    engine: Annotated[
        Literal["duckdb", "spark"], typer.Option(help="What grows the trees; spark needs PySpark and Java.")
    ] = "duckdb",
    memory: Memory = None,
    as_json: Json = False,
) -> None:
    """Tune, judge against the champion and the opponents on a later window, register, and promote if the gate says so.

    Exit code 1 if the gate refuses: the model is registered and the old champion serves on.

    Example: stayworth train --trials 10
    """
    from pipelines import run_folder
    from pipelines.config import load
    from pipelines.gate import gate
    from pipelines.screens import tables
    from pipelines.train import train as run

    with progress(as_json) as say:
        memory_bytes = run_folder.size_of(memory) if memory else None
        ahead = days_ahead(horizons) if horizons else None
        how: dict[str, Any] = {"horizons": ahead, "memory_bytes": memory_bytes, "engine": engine}
        result = run(load(config), now=_now(), trials=trials, say=say, **how)
    printed(asdict(result), as_json, tables.show_training)
    gate.refuse(result.metrics["gate"], version=result.registered)


@app.command()
def evaluate(
    config: ConfigFile = DEFAULT_CONFIG,
    cut_offs: Annotated[int, typer.Option(min=1, max=24, help="Test days, a third of the horizon apart.")] = 4,
    trials: Trials = None,
    plan_budget: Annotated[
        float | None, typer.Option(min=0, metavar="M", help="Judge the plan of such a budget on each day too.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Backtest the recipe and all opponents at several days, each with nothing known later.

    Example: stayworth evaluate --cut-offs 4 --plan-budget 1000
    """
    from pipelines import run_folder
    from pipelines.campaigns import policy_backtest
    from pipelines.config import load
    from pipelines.evaluate import evaluate as run
    from pipelines.screens import evaluate as policy_screen
    from pipelines.screens import tables

    settings = load(config)
    with progress(as_json) as say:
        result = run(settings, now=_now(), trials=trials, cut_offs=cut_offs, plan_budget=plan_budget, say=say)
    printed(result, as_json, tables.show_backtest)
    if plan_budget is not None and not as_json:
        path = settings.folder / policy_backtest.POLICY_BACKTEST
        policy_screen.show_policy_backtest(run_folder.read_json(path, next=""))


@app.command()
def score(
    as_of: AsOf,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE|URL",
            help="To write as well: Parquet, CSV, or a table, postgresql://USER@HOST/BASE#TABLE",
        ),
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    memory: Memory = None,
    as_json: Json = False,
) -> None:
    """Score every customer with the champion: churn, value, lifetime value and reasons.

    Example: stayworth score --as-of 2011-12-10 -o scores.parquet
    """
    from features.clock import parse_day
    from pipelines import run_folder
    from pipelines.config import load
    from pipelines.score import score as run
    from pipelines.screens import tables

    how: dict[str, Any] = {"output": output, "memory_bytes": run_folder.size_of(memory) if memory else None}
    with progress(as_json) as say:
        settings = load(config)
        told = run(settings, as_of=parse_day(as_of), now=_now(), say=say, **how)
    printed(told, as_json, tables.show_pairs)
    if not as_json:
        typer.echo(
            f"Written to {settings.folder / run_folder.SCORES}. Next: stayworth plan --budget M, or stayworth report"
        )


app.command()(effects.effects)
app.command()(campaign.plan)
app.command()(campaign.readout)
app.command()(monitor.monitor)
app.command()(why.why)


@app.command()
def report(
    output: Annotated[Path | None, typer.Option("-o", "--output", help="HTML file to write.")] = None,
    with_ids: Annotated[
        bool, typer.Option("--with-ids", help="Name the customers with the most value at risk.")
    ] = False,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Write one self-contained HTML page: what the customers are worth, who leaves, why, what to do, and what it pays.

    Example: stayworth report -o report.html
    """
    from pipelines.config import load
    from pipelines.report import write_report
    from pipelines.screens import tables

    with progress(as_json) as say:
        path = write_report(load(config), output=output, now=_now(), with_ids=with_ids, say=say)
    printed({"report": str(path)}, as_json, tables.show_pairs)


app.add_typer(models.app)
app.command()(serve.serve)
app.command()(console.console)
app.command()(simulate.simulate)
