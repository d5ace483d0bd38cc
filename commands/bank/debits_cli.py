"""`debits`: bank debits by file, from what is due to what the bank answers."""

from pathlib import Path
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import After, AsCsv, Json, Limit, Since, Until
from commands.options import list_page as list_page_of
from commands.output import Output
from commands.runner import perform
from models.bank.debit import DebitState

app = typer.Typer(help="Bank debits: files for the bank, and its answers.", no_args_is_help=True)

Actor = Annotated[str, typer.Option("--actor", help="Who does it; kept with the batch.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the batch.")]


@app.command("export")
@changes()
def export_debits(
    provider: Annotated[str, typer.Argument(metavar="PROVIDER", help="Whose debits.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False, help="The file to write; it must be new.")],
    actor: Actor,
    reason: Reason,
    batch: Annotated[
        str, typer.Option("--batch", help="Write the file of this batch once more; nothing is added to it.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Put every debit that is due into a batch, and write the bank's file (pain.008).

    A debit is in one batch for good. The file of a batch says the same whenever it is written, so that a bank that
    gets it twice knows it again. `debits sent` notes that you have given it to the bank.
    """
    from commands.bank.debits import export

    perform(lambda output: export(output, provider, file, batch, actor=actor, reason=reason), as_json=as_json)


@app.command("release")
@changes()
def release_batch(
    batch: Annotated[str, typer.Argument(metavar="BATCH", help="Id of a batch, such as DDB-7.")],
    actor: Actor,
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Release the file of a batch; above the limit of `debit_files` it waits for another person: `approvals`.

    `debits export` does the same for the batch that it writes. Without limits nothing has to be released.
    """
    from commands.bank.release import release_debits

    async def released(output: Output) -> None:
        await release_debits(output, batch, actor=actor, reason=reason)

    perform(released, as_json=as_json)


@app.command("sent")
@changes()
def note_sent(
    batch: Annotated[str, typer.Argument(metavar="BATCH", help="Id of a batch, such as DDB-7.")],
    actor: Actor,
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Note that a batch was given to the bank; an answer of the bank says the same."""
    from commands.bank.debits import note_sent as note

    perform(lambda output: note(output, batch, actor=actor, reason=reason), as_json=as_json)


@app.command("confirm")
@changes()
def confirm_debits(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="pain.002, or a ZIP file."),
    ],
    actor: Actor,
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Apply what the bank says of a file: what it refuses is declined and collected further; the rest waits.

    Money moves by `import bank` alone: a statement brings debits in, and takes them back. Applying a file again changes
    nothing.
    """
    from commands.bank.debits import confirm

    perform(lambda output: confirm(output, file, actor=actor, reason=reason), as_json=as_json)


@app.command("refuse")
@changes()
def refuse_debit(
    debit: Annotated[str, typer.Argument(metavar="DEBIT", help="Its end-to-end id, such as DD-7.")],
    code: Annotated[str, typer.Option("--code", help="The bank's reason of ISO 20022, such as AM04.")],
    actor: Actor,
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Note that the bank has refused one debit, where it sends no pain.002: it is declined and collected further.

    Money that a statement has brought is taken back by a statement alone. Saying it again changes nothing.
    """
    from commands.bank.debits import refuse

    perform(lambda output: refuse(output, debit, code, actor=actor, reason=reason), as_json=as_json)


@app.command("adopt")
@changes()
def adopt_file(
    provider: Annotated[str, typer.Argument(metavar="PROVIDER", help="Whose debits.")],
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="pain.008 of `export`.")
    ],
    actor: Actor,
    reason: Reason,
    as_json: Json = False,
) -> None:
    """After a restore: write down again what a file asks that the bank has and the database has forgotten.

    Until `recover settle` says that no file is missing, none is exported. What was asked for in the gap as well is
    known by mandate and amount once its run, or its collection, has asked for it anew.
    """
    from commands.bank.debits import adopt

    perform(lambda output: adopt(output, provider, file, actor=actor, reason=reason), as_json=as_json)


@app.command("list")
def list_debits(
    *,
    account: Annotated[str, typer.Option("--account", help="Only debits of this account.")] = "",
    state: Annotated[DebitState | None, typer.Option("--state", help="Only debits in this state.")] = None,
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List debits, the newest first, a page at a time."""
    from commands.bank.debits import list_page

    page = list_page_of(after, limit, since, until)
    perform(
        lambda output: list_page(output, page, account_id=account, state=state or ""), as_json=as_json, as_csv=as_csv
    )
