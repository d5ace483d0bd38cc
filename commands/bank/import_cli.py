"""`import`: what comes from outside, file by file."""

from pathlib import Path
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import Actor, Json
from commands.runner import perform

app = typer.Typer(help="Files from outside: bank statements, rates of exchange.", no_args_is_help=True)


@app.callback()
def imports() -> None:
    """Files from outside: bank statements, rates of exchange."""


@app.command("bank")
@changes()
def import_bank(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            readable=True,
            help="CSV, MT940, camt.053, camt.052 or camt.054, or a ZIP file of these.",
        ),
    ],
    layout: Annotated[
        str,
        typer.Option(
            "--layout",
            help="How the bank's CSV is written, of `definitions list`; else whose columns it has.",
        ),
    ] = "",
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Post the credits of a bank statement as bank transfers; importing a file again changes nothing.

    The account is found by its id, by an invoice's number, or by an RF reference of either. Money whose account is
    unknown, ambiguous, terminated, of another owner or currency, that a bank returned, or whose details do not come to
    it, goes to suspense: see `suspense list` and `transactions move`. Debits are listed and not posted. A bad line, and
    one of which nobody can say whether it has come before, is reported and left out. Of a ZIP file each file is
    imported by itself, in the order of their names. A bank's own CSV is read by one of the `statement_layouts` of the
    definitions.
    """
    from commands.bank.statement_import import import_statement

    perform(lambda output: import_statement(output, file, actor=actor, layout=layout), as_json=as_json)
