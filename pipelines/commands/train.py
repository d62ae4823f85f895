"""The options of `stayworth train`."""

from dataclasses import asdict
from typing import Annotated, Literal

import typer

from pipelines.commands.options import (
    DEFAULT_CONFIG,
    ConfigFile,
    Json,
    Memory,
    Trials,
    parse_horizons,
    parse_memory,
    print_result,
    progress,
)


def train(
    context: typer.Context,
    config: ConfigFile = DEFAULT_CONFIG,
    trials: Trials = None,
    horizons: Annotated[
        str | None,
        typer.Option(metavar="DAYS", help="Further horizons to score, in days, e.g. 30,90,180; default: the config's."),
    ] = None,
    engine: Annotated[
        Literal["duckdb", "spark"], typer.Option(help="Engine that grows the trees; spark needs PySpark and Java.")
    ] = "duckdb",
    memory: Memory = None,
    as_json: Json = False,
) -> None:
    """Train a model, compare it with the champion and the baselines, and promote it if it passes the gate.

    They are compared on a later window that none of them was trained on.

    Exit code 1 if the gate refuses the model: it is still registered, and the old champion keeps serving.

    Example: stayworth train --trials 10
    """
    from pipelines.config import load
    from pipelines.gate import gate
    from pipelines.screens.train import show_training
    from pipelines.train import train as run

    with progress(as_json) as say:
        memory_bytes = parse_memory(memory)
        further = parse_horizons(horizons) if horizons else None
        result = run(
            load(config),
            now=context.obj(),
            trials=trials,
            say=say,
            horizons=further,
            memory_bytes=memory_bytes,
            engine=engine,
        )
    print_result(asdict(result), as_json, show_training)
    gate.refuse(result.metrics["gate"], version=result.registered)
