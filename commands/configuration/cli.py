"""`definitions`: what a merchant configures."""

from pathlib import Path
from typing import Annotated

import typer

from commands.options import Json
from commands.runner import perform

app = typer.Typer(
    help="Configuration: providers, products, number series, policies, run definitions.", no_args_is_help=True
)


@app.command("apply")
def apply_definitions(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.toml", exists=True, dir_okay=False, readable=True, help="The document.")
    ],
    as_json: Json = False,
) -> None:
    """Make the configuration say what a TOML document says; what it does not name stays as it is.

    Tables: tax_rates, products, payment_methods, transaction_types, providers, dunning_policies, run_definitions.
    A document with a problem is refused whole, and applying one again changes nothing. Schedules take effect with
    `schedule apply`.
    """
    from commands.configuration.definitions import apply

    perform(lambda output: apply(output, file), as_json=as_json)


@app.command("list")
def list_definitions(as_json: Json = False) -> None:
    """List everything that is configured."""
    from commands.configuration.definitions import list_all

    perform(list_all, as_json=as_json)
