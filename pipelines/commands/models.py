"""The options of `stayworth models list`, `models promote` and `models rollback`."""

from typing import Annotated

import typer

from pipelines.commands.options import DEFAULT_CONFIG, ConfigFile, Json, print_result

app = typer.Typer(
    name="models",
    help="List the registered versions, promote one, or roll back.",
    no_args_is_help=True,
)


@app.command("list")
def list_versions(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """List every version: its bundle, when and on what data it was made, its aliases, metrics, and the gate's decision.

    Example: stayworth models list
    """
    from pipelines.labelled.label_config import load_either
    from pipelines.promotion import list_versions as run
    from pipelines.screens.models import show_versions

    print_result(run(load_either(config)), as_json, show_versions)


@app.command()
def promote(
    context: typer.Context,
    version: Annotated[int, typer.Argument(min=1, help="Number of the version, as `models list` shows it.")],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Make a version the champion, whatever the gate said, once every byte of it has been checked.

    Example: stayworth models promote 4
    """
    from pipelines.labelled.label_config import load_either
    from pipelines.promotion import promote as run
    from pipelines.screens.models import show_move

    print_result(run(load_either(config), str(version), now=context.obj(), why="by hand"), as_json, show_move)


@app.command()
def rollback(context: typer.Context, config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Make the previous champion the champion again.

    Example: stayworth models rollback
    """
    from pipelines.labelled.label_config import load_either
    from pipelines.promotion import roll_back
    from pipelines.screens.models import show_move

    print_result(roll_back(load_either(config), now=context.obj()), as_json, show_move)
