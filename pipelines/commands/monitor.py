"""The command `monitor`. The clock comes with the context."""

from typing import Annotated, Any

import typer

from pipelines.commands.options import DEFAULT_CONFIG, ConfigFile, Json, Trials, printed, progress


def monitor(
    context: typer.Context,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DAY", help="Midnight UTC of this day; default the end of the log.")
    ] = None,
    retrain: Annotated[
        bool, typer.Option("--retrain", help="Train, through the gate, if the verdict says so.")
    ] = False,
    trials: Trials = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Say whether the champion is still right, from drift and from what became of its scores: retrain, watch or fine.

    Exit code 1 where the verdict is "retrain", so that a scheduler notices; with --retrain where the gate then refuses.

    Example: stayworth monitor --as-of 2011-12-10
    """
    from features.clock import parse_day
    from pipelines.config import load
    from pipelines.gate import gate
    from pipelines.monitor import monitor as run
    from pipelines.monitor import refuse, retrained
    from pipelines.screens import monitor as monitor_screen

    settings, now = load(config), context.obj()
    day = parse_day(as_of) if as_of else None
    gated: dict[str, Any] | None = None
    with progress(as_json) as say:
        content = run(settings, as_of=day, now=now, say=say)
        if retrain and content["verdict"] == "retrain":
            gated = retrained(settings, now=now, trials=trials, say=say)
            content = content | {"retrained": gated}
    printed(content, as_json, monitor_screen.show_monitor)
    if gated is None:
        refuse(content)
    else:
        gate.refuse(gated["gate"], version=gated["registered"])
