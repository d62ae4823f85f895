"""The command line: reads the clock, calls a step, prints. Heavy imports wait until a command needs them."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from features.errors import InputError, StayworthError

# An idle OpenMP thread sleeps instead of spinning; it is read when the first heavy import starts the threads.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

app = typer.Typer(
    name="stayworth",
    help="Who is about to leave, what they are worth, and what it pays to keep them.",
    epilog="Start with: stayworth demo. For your own data: stayworth init orders.csv, then stayworth check.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ConfigFile = Annotated[Path, typer.Option("-c", "--config", help="The config file.")]
AsOf = Annotated[str, typer.Option("--as-of", metavar="DAY", help="Midnight UTC of this day, YYYY-MM-DD.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of tables.")]
Trials = Annotated[int | None, typer.Option(min=1, help="Optuna trials; default from the config.")]
DEFAULT_CONFIG = Path("stayworth.toml")


def main() -> None:
    """Run a command; our errors become one message and their exit code."""
    try:
        app()
    except StayworthError as error:
        print(f"stayworth: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def _now() -> datetime:
    """The clock: read here and nowhere else."""
    return datetime.now(UTC)


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """A spinner on standard error that says what is being done; silent where there is no terminal."""
    from rich.console import Console

    with Console(stderr=True, quiet=quiet).status("starting") as status:
        yield status.update


def _print(content: Any, as_json: bool, show: Callable[[Any], None]) -> None:
    if as_json:
        print(json.dumps(content, indent=1, default=str))
    else:
        show(content)


@app.command()
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for everything the demo makes.")] = Path(
        "runs/demo"
    ),
    as_json: Json = False,
) -> None:
    """The whole loop on real data: the 23,570 customers of CDNOW. About two minutes.

    Example: stayworth demo -o runs/demo
    """
    from pipelines import screen
    from pipelines.demo import demo as run

    with _progress(as_json) as say:
        result = run(output, now=_now(), say=say)
    _print(result, as_json, screen.show_demo)


@app.command()
def init(
    orders: Annotated[str, typer.Argument(help="A file, folder or glob of CSV or Parquet files.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write the config.")] = DEFAULT_CONFIG,
    force: Annotated[bool, typer.Option("--force", help="Replace a config that is already there.")] = False,
) -> None:
    """Look at a file of orders and write a commented config with guesses.

    Example: stayworth init orders.csv
    """
    from pipelines import store
    from pipelines.guess import guess

    if output.exists() and not force:
        raise InputError("is there already", where=str(output), next="Name another with -o, or add --force.")
    store.write_text(output, guess(orders, config_folder=output.absolute().parent))
    print(f"Wrote {output}. Read what is marked GUESS and ASSUMED, then: stayworth check -c {output}")


@app.command()
def check(
    config: ConfigFile = DEFAULT_CONFIG,
    leaks: Annotated[bool, typer.Option("--leaks", help="Audit every feature for knowledge of the future.")] = False,
    as_json: Json = False,
) -> None:
    """Read the log: what was accepted, netted and set aside, to the cent, and which horizon fits.

    Example: stayworth check --leaks
    """
    from pipelines import screen
    from pipelines.config import load

    if leaks:
        from pipelines.leak_screen import show_leaks
        from pipelines.leaks import audit, refuse_leaks

        with _progress(as_json) as say:
            found = audit(load(config), now=_now(), say=say)
        _print(found, as_json, show_leaks)
        return refuse_leaks(found)
    from pipelines.check import check as run

    with _progress(as_json) as say:
        say("reading orders")
        result = run(load(config), now=_now())
    return _print(result, as_json, screen.show_check)


@app.command()
def features(
    as_of: Annotated[
        list[str] | None, typer.Option("--as-of", metavar="DAY", help="YYYY-MM-DD; repeat for many days in one pass.")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Parquet or CSV file to write.")] = None,
    known_at: Annotated[
        str | None, typer.Option(metavar="DAY", help="Only what was recorded before that day; default --as-of.")
    ] = None,
    engine: Annotated[
        Literal["duckdb", "spark"], typer.Option(help="What does the work; spark needs PySpark and Java.")
    ] = "duckdb",
    memory: Annotated[
        str | None, typer.Option(metavar="SIZE", help="What the run may take, e.g. 4GB; a larger log is split on disk.")
    ] = None,
    rfm: Annotated[bool, typer.Option("--rfm", help="Add each customer's RFM quintiles among all of the day.")] = False,
    config: ConfigFile = DEFAULT_CONFIG,
    catalogue: Annotated[bool, typer.Option("--list", help="List the features and stop.")] = False,
    as_json: Json = False,
) -> None:
    """Write one row of features per customer and day.

    Example: stayworth features --as-of 2011-06-01 --as-of 2011-09-01 -o features.parquet
    """
    from features.catalogue import listed
    from features.clock import parse_day
    from pipelines import screen

    if catalogue:
        return _print(listed(), as_json, screen.show_features)
    if not as_of or not output:
        raise InputError("--as-of and -o are needed", next="Example: --as-of 2011-09-01 -o features.parquet")
    from pipelines import store
    from pipelines.config import load
    from pipelines.features import write_features

    with _progress(as_json) as say:
        days = [parse_day(day) for day in as_of]
        result = write_features(
            load(config),
            as_of=days,
            known_at=parse_day(known_at) if known_at else None,
            output=output,
            engine=engine,
            memory_bytes=store.size_of(memory) if memory else None,
            rfm=rfm,
            now=_now(),
            say=say,
        )
    return _print(result, as_json, screen.show_pairs)


@app.command()
def train(config: ConfigFile = DEFAULT_CONFIG, trials: Trials = None, as_json: Json = False) -> None:
    """Tune, judge against the opponents on a later window, and register the model in MLflow.

    Example: stayworth train --trials 10
    """
    from pipelines import screen
    from pipelines.config import load
    from pipelines.train import train as run

    with _progress(as_json) as say:
        result = run(load(config), now=_now(), trials=trials, say=say)
    _print(asdict(result), as_json, screen.show_training)


@app.command()
def evaluate(
    config: ConfigFile = DEFAULT_CONFIG,
    cut_offs: Annotated[int, typer.Option(min=1, max=24, help="Test days, a third of the horizon apart.")] = 4,
    trials: Trials = None,
    as_json: Json = False,
) -> None:
    """Backtest the recipe and all opponents at several days, each with nothing known later.

    Example: stayworth evaluate --cut-offs 4
    """
    from pipelines import screen
    from pipelines.config import load
    from pipelines.evaluate import evaluate as run

    with _progress(as_json) as say:
        result = run(load(config), now=_now(), trials=trials, cut_offs=cut_offs, say=say)
    _print(result, as_json, screen.show_backtest)


@app.command()
def score(
    as_of: AsOf,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Parquet or CSV file to write as well.")] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Score every customer with the champion: churn, value, lifetime value and reasons.

    Example: stayworth score --as-of 2011-12-10 -o scores.parquet
    """
    from features.clock import parse_day
    from pipelines import screen
    from pipelines.config import load
    from pipelines.score import score as run
    from pipelines.score import summary

    settings = load(config)
    with _progress(as_json) as say:
        scores = run(settings, as_of=parse_day(as_of), now=_now(), output=output, say=say)
    _print(summary(scores, settings), as_json, screen.show_pairs)


@app.command()
def plan(
    budget: Annotated[float, typer.Option(help="What the campaign may cost, in currency units.")],
    capacity: Annotated[int | None, typer.Option(min=1, help="How many can be contacted at most.")] = None,
    offer: Annotated[str | None, typer.Option(help="Which offer of the config; default the first.")] = None,
    output: Annotated[
        list[Path] | None, typer.Option("-o", "--output", help="Parquet or CSV file to write; repeat for both.")
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Choose whom to contact under a budget, with a random holdout, and say what it is expected to earn.

    Example: stayworth plan --budget 1000 -o plan.csv
    """
    from pipelines import screen
    from pipelines.config import load
    from pipelines.plan import make_plan

    settings = load(config)
    made = make_plan(settings, budget=budget, capacity=capacity, offer_name=offer, outputs=output or [])
    _print(made.summary | {"currency": settings.money.currency}, as_json, screen.show_plan)


@app.command()
def report(
    output: Annotated[Path | None, typer.Option("-o", "--output", help="HTML file to write.")] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Write one self-contained HTML page: value at risk, the plan, the evaluation.

    Example: stayworth report -o report.html
    """
    from pipelines import screen
    from pipelines.config import load
    from pipelines.report import write_report

    path = write_report(load(config), output=output, now=_now())
    _print({"report": str(path)}, as_json, screen.show_pairs)


@app.command()
def serve(
    config: ConfigFile = DEFAULT_CONFIG,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 for a free one.")] = 3000,
) -> None:
    """Serve the latest scores over HTTP on this machine; the token comes from STAYWORTH_TOKEN or is made and shown.

    Example: stayworth serve --port 3000
    """
    from pipelines import store
    from pipelines.config import load
    from serving.launch import serve as run

    run(load(config).folder / store.SCORES, port=port, token=os.environ.get("STAYWORTH_TOKEN"))
