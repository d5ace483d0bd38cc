"""`definitions`: what a merchant configures."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import Actor, DefinitionId, Json, Limit
from commands.runner import perform

app = typer.Typer(
    help="Configuration: providers, products, number series, policies, run definitions.", no_args_is_help=True
)


Why = Annotated[str, typer.Option("--reason", help="Why; kept with each definition that changes.")]


class SwitchedState(StrEnum):
    """Whether a definition is run."""

    EFFECTIVE = "effective"
    NOT_EFFECTIVE = "not_effective"


@app.command("apply")
@changes()
def apply_definitions(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.toml", exists=True, dir_okay=False, readable=True, help="The document.")
    ],
    actor: Actor = "",
    reason: Why = "",
    as_json: Json = False,
) -> None:
    """Make the configuration say what a TOML document says; what it does not name stays as it is.

    A provider that it names has the currencies and methods of the document and no other ones.

    Tables: tax_rates, products, payment_methods, transaction_types, providers, dunning_policies, run_definitions.
    A document with a problem is refused whole, and applying one again changes nothing. Schedules take effect with
    `schedule apply`.
    """
    from commands.changing.changes import person_of
    from commands.configuration.definitions import apply

    who = person_of(actor)
    perform(lambda output: apply(output, file, actor=who, reason=reason), as_json=as_json)


@app.command("switch")
@changes()
def switch_definition(
    definition: DefinitionId,
    state: Annotated[SwitchedState, typer.Argument(help="What it is from now on; only an effective one is run.")],
    actor: Actor = "",
    reason: Why = "",
    as_json: Json = False,
) -> None:
    """Make a run definition effective, or not. A document that says nothing of its state leaves it so.

    A run that has begun goes on; schedules take effect with `schedule apply`.
    """
    from commands.changing.changes import person_of
    from commands.configuration.definitions import switch

    who = person_of(actor)
    perform(lambda output: switch(output, definition, state, actor=who, reason=reason), as_json=as_json)


@app.command("delete")
@changes(final="The definition is gone; its history stays.")
def delete_definition(definition: DefinitionId, actor: Actor = "", reason: Why = "", as_json: Json = False) -> None:
    """Delete a run definition that was never run, not as a shadow either. One that was run is switched off instead.

    Its schedule goes with the next `schedule apply`.
    """
    from commands.changing.changes import person_of
    from commands.configuration.definitions import delete

    who = person_of(actor)
    perform(lambda output: delete(output, definition, actor=who, reason=reason), as_json=as_json)


@app.command("history")
def show_history(definition: DefinitionId, limit: Limit = 50, as_json: Json = False) -> None:
    """Show what was changed of a run definition, by whom, when and why, the newest first."""
    from commands.configuration.definitions import history

    perform(lambda output: history(output, definition, limit), as_json=as_json)


@app.command("list")
def list_definitions(as_json: Json = False) -> None:
    """List everything that is configured."""
    from commands.configuration.definitions import list_all

    perform(list_all, as_json=as_json)
