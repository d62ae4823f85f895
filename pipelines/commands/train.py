"""The options of `stayworth train`."""

from dataclasses import asdict
from typing import Annotated, Literal

import typer

from pipelines.commands.options import (
    DEFAULT_CONFIG,
    ConfigFile,
    Fresh,
    Json,
    Memory,
    Trials,
    parse_horizons,
    parse_memory,
    print_result,
    progress,
    refuse_of_logs,
)


def train(
    context: typer.Context,
    fresh: Fresh = False,
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
    from pipelines.gate import gate
    from pipelines.labelled.label_config import LabelConfig, load_either
    from pipelines.screens.train import show_training
    from pipelines.train import train as run

    settings = load_either(config).run_with(is_fresh=fresh, memory_bytes=parse_memory(memory))
    if isinstance(settings, LabelConfig):
        from pipelines.labelled.train_labelled import train_labelled
        from pipelines.screens.labelled import show_label_training

        refuse_of_logs("train", {"--horizons": horizons, "--memory": memory, "--engine spark": engine == "spark"})
        with progress(as_json) as say:
            trained = train_labelled(settings, now=context.obj(), trials=trials, say=say)
        print_result(asdict(trained), as_json, show_label_training)
        return gate.refuse(trained.metrics["gate"], version=trained.registered)
    with progress(as_json) as say:
        further = parse_horizons(horizons) if horizons else None
        result = run(
            settings,
            now=context.obj(),
            trials=trials,
            say=say,
            horizons=further,
            engine=engine,
        )
    print_result(asdict(result), as_json, show_training)
    return gate.refuse(result.metrics["gate"], version=result.registered)
