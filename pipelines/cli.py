"""The command line: builds the app, reads the clock, and turns errors into messages and exit codes.

Heavy imports wait until a command needs them.
"""

import os
import sys
from datetime import UTC, datetime

import typer

from features.errors import StayworthError
from pipelines.commands import (
    check,
    console,
    demo,
    effects,
    evaluate,
    features,
    init,
    models,
    monitor,
    plan,
    readout,
    report,
    score,
    serve,
    simulate,
    store,
    train,
    why,
)

# An idle OpenMP thread sleeps instead of spinning; the variable is read when the first heavy import starts the threads.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

INTERRUPTED = 130
"""Exit code after ctrl-C."""

app = typer.Typer(
    name="stayworth",
    help="Predict which customers are about to leave, what they are worth, and what it pays to keep them.",
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
    except SystemExit as exit_:
        if exit_.code == INTERRUPTED:
            print("stayworth: stopped before the end; no file and no model is left half made", file=sys.stderr)
        raise


def _now() -> datetime:
    """The clock: read here and nowhere else."""
    return datetime.now(UTC)


@app.callback()
def hand_over_the_clock(context: typer.Context) -> None:
    """Give the commands the clock with their context."""
    context.obj = _now


app.command()(demo.demo)
app.command()(init.init)
app.command()(check.check)
app.command()(features.features)
app.command()(train.train)
app.command()(evaluate.evaluate)
app.command()(score.score)
app.command()(effects.effects)
app.command()(plan.plan)
app.command()(readout.readout)
app.command()(monitor.monitor)
app.command()(why.why)
app.command()(report.report)
app.command()(store.store)
app.add_typer(models.app)
app.command()(serve.serve)
app.command()(console.console)
app.command()(simulate.simulate)
