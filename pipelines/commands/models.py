"""The commands about the registry: models list, promote, rollback. The clock comes with the context."""

from typing import Annotated

import typer

from pipelines.commands.options import DEFAULT_CONFIG, ConfigFile, Json, printed

app = typer.Typer(
    name="models",
    help="The registered versions: list them, promote one, roll back.",
    no_args_is_help=True,
)


@app.command("list")
def list_versions(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Every version: its bundle, when and on what it was made, its aliases, metrics, and what the gate said.

    Example: stayworth models list
    """
    from pipelines.config import load
    from pipelines.promotion import listed
    from pipelines.screens import models

    printed(listed(load(config)), as_json, models.show_versions)


@app.command()
def promote(
    context: typer.Context,
    version: Annotated[int, typer.Argument(min=1, help="The number of the version, as `models list` shows it.")],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Make a version the champion, whatever the gate said, once every byte of it is checked.

    Example: stayworth models promote 4
    """
    from pipelines.config import load
    from pipelines.promotion import promote as run
    from pipelines.screens import models

    printed(run(load(config), str(version), now=context.obj(), why="by hand"), as_json, models.show_move)


@app.command()
def rollback(context: typer.Context, config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Make the champion before this one the champion again.

    Example: stayworth models rollback
    """
    from pipelines.config import load
    from pipelines.promotion import roll_back
    from pipelines.screens import models

    printed(roll_back(load(config), now=context.obj()), as_json, models.show_move)
