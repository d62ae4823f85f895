"""The options of `stayworth monitor`."""

from typing import Annotated, Any

import typer

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
)


def monitor(
    context: typer.Context,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DAY", help="Midnight UTC of this day; default: the end of the log."),
    ] = None,
    retrain: Annotated[
        bool, typer.Option("--retrain", help='Train a new model, through the gate, if the verdict is "retrain".')
    ] = False,
    trials: Trials = None,
    fresh: Fresh = False,
    memory: Memory = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Check whether the champion is still right, by drift and by how its scores turned out: retrain, watch or fine.

    Exit code 1 if the verdict is "retrain", for schedulers; with --retrain, if the gate refuses the new model.

    Example: stayworth monitor --as-of 2011-12-10
    """
    from features.clock import parse_day
    from pipelines.config import load
    from pipelines.gate import gate
    from pipelines.monitor import monitor as run
    from pipelines.monitor import refuse_outdated
    from pipelines.monitor import retrain as train_again
    from pipelines.screens.monitor import show_monitor

    settings, now = load(config).run_with(is_fresh=fresh, memory_bytes=parse_memory(memory)), context.obj()
    day = parse_day(as_of) if as_of else None
    gated: dict[str, Any] | None = None
    with progress(as_json) as say:
        content = run(settings, as_of=day, now=now, say=say)
        if retrain and content["verdict"] == "retrain":
            gated = train_again(settings, now=now, trials=trials, say=say)
            content = content | {"retrained": gated}
    print_result(content, as_json, show_monitor)
    if gated is None:
        refuse_outdated(content)
    else:
        gate.refuse(gated["gate"], version=gated["registered"])
