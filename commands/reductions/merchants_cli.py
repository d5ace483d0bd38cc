"""`merchants`: who takes part in rewards, and on which terms."""

from pathlib import Path
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import AsCsv, Json
from commands.runner import perform

app = typer.Typer(help="Merchants that take part in rewards, and their settings.", no_args_is_help=True)


@app.command("apply")
@changes()
def apply_merchants(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="A TOML document.")
    ],
    as_json: Json = False,
) -> None:
    """Apply merchants, their groups and back-end reduction settings, all or nothing. A merchant overrides its group.

    An example is docs/merchants.example.toml. Awards keep the settings that they were given under.
    """
    from commands.reductions.merchants import apply

    perform(lambda output: apply(output, file), as_json=as_json)


@app.command("list")
def list_merchants(as_csv: AsCsv = False, as_json: Json = False) -> None:
    """List merchants with the settings that hold for each."""
    from commands.reductions.merchants import list_all

    perform(list_all, as_json=as_json, as_csv=as_csv)
