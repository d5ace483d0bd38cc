"""`definitions`: what a merchant configures."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import Actor, AsCsv, DefinitionId, Json, Limit
from commands.runner import perform

app = typer.Typer(
    help="Configuration: what the ledger works by, providers, policies, rules, run definitions.", no_args_is_help=True
)


Why = Annotated[str, typer.Option("--reason", help="Why; kept with each part that changes.")]
Document = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="The document.")
]


class SwitchedState(StrEnum):
    """Whether a definition is run."""

    EFFECTIVE = "effective"
    NOT_EFFECTIVE = "not_effective"


@app.command("apply")
@changes()
def apply_definitions(
    file: Document,
    actor: Actor = "",
    reason: Why = "",
    as_json: Json = False,
) -> None:
    """Make the configuration say what a document says, TOML or .json; what it does not name stays as it is.

    A provider that it names has the currencies and methods of the document and no other ones. Of the tables that it
    lists in `whole`, what it does not name is taken away, or refused with what uses it.

    A document with a problem is refused whole, applying one again changes nothing, and one that changes something is
    the next version of the configuration. Schedules take effect with `schedule apply`.
    """
    from commands.changing.changes import person_of
    from commands.configuration.definitions import apply

    who = person_of(actor)
    perform(lambda output: apply(output, file, actor=who, reason=reason), as_json=as_json)


@app.command("diff")
def compare_definitions(file: Document, as_json: Json = False) -> None:
    """Show what `definitions apply` would change of each field, or why it would be refused; nothing is written."""
    from commands.configuration.definitions import diff

    perform(lambda output: diff(output, file), as_json=as_json)


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
def show_history(
    part: Annotated[
        str, typer.Argument(metavar="[ID]", help="Id of a part, such as a run definition's; else everything.")
    ] = "",
    kind: Annotated[str, typer.Option("--kind", help="Its table in the document, such as products.")] = "",
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Show what was changed of the configuration, by whom, when and why, with which version, the newest first."""
    from commands.configuration.definitions import history

    perform(lambda output: history(output, part, kind, limit), as_json=as_json)


@app.command("show")
def show_version(
    version: Annotated[int, typer.Argument(min=1, help="Version, as `definitions history` has it.")],
    as_json: Json = False,
) -> None:
    """Show the document that a version came with, as it was applied; its JSON can be applied again."""
    from commands.configuration.definitions import show

    perform(lambda output: show(output, version), as_json=as_json)


@app.command("export")
def export_definitions(as_json: Json = True) -> None:
    """Give out everything that is configured as one JSON document, which changes nothing when it is applied.

    With it a company that was configured by SQL, or by several documents, begins to keep one.
    """
    from commands.configuration.definitions import export

    perform(export, as_json=as_json)


@app.command("list")
def list_definitions(
    kind: Annotated[str, typer.Option("--kind", help="One table of the document alone, such as products.")] = "",
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List everything that is configured, or one table of it; only one table can be CSV."""
    from commands.configuration.definitions import list_all

    if as_csv and not kind:
        raise typer.BadParameter("a table has its own columns: give --kind", param_hint="--csv")
    perform(lambda output: list_all(output, kind), as_json=as_json, as_csv=as_csv)
