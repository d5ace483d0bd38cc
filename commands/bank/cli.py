"""`refunds` by bank transfer: accounts in credit get their money back, month by month."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import Actor, Json, PeriodText, day_of
from commands.output import Output
from commands.runner import perform
from models.bank.refund_plan import FileFormat, PainVersion

Who = Annotated[str, typer.Option("--actor", help="Who decides; kept with the month.")]
Why = Annotated[str, typer.Option("--reason", help="Why; kept with the month.")]

app = typer.Typer(help="Refunds: through the gateway, and month by month through the bank.", no_args_is_help=True)


@app.command("export")
@changes()
def export_refunds(
    period: PeriodText,
    file: Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False, help="The file to write; it must be new.")],
    *,
    file_format: Annotated[FileFormat, typer.Option("--format", help="What the bank reads.")] = FileFormat.PAIN_001,
    version: Annotated[PainVersion, typer.Option("--version", help="The version of pain.001 that the bank reads.")] = (
        PainVersion.V09
    ),
    payees: Annotated[
        Path | None,
        typer.Option("--payees", exists=True, dir_okay=False, readable=True, help="Bank details, CSV; never stored."),
    ] = None,
    payer_name: Annotated[str, typer.Option("--payer-name", help="Your name at the bank.")] = "",
    payer_iban: Annotated[str, typer.Option("--payer-iban", help="Your account at the bank.")] = "",
    payer_bic: Annotated[str, typer.Option("--payer-bic", help="Your bank's code, if it asks for it.")] = "",
    execute_on: Annotated[
        date | None, typer.Option("--execute-on", parser=day_of, metavar="DAY", help="Day of payment; else today.")
    ] = None,
    include_gateway: Annotated[
        bool, typer.Option("--include-gateway", help="Also accounts whose money a gateway could send back.")
    ] = False,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Draft a refund for every customer's account with a negative balance, and write the bank's file.

    A month's refunds are drafted once: a later export of it writes those that still wait, and adds nobody. Whoever is
    left out is listed with the reason. Drafts change no balance; `refunds confirm` posts what the bank has paid. What
    the schedule has drafted has no file before `refunds release`.
    """
    from commands.bank.refund_export import Export, export

    payer = (payer_name, payer_iban, payer_bic)
    day = execute_on or datetime.now().astimezone().date()
    options = Export(period, file, file_format, payees, payer, day, include_gateway, actor, version)
    perform(lambda output: export(output, options), as_json=as_json)


@app.command("release")
@changes(final="The bank's file can be written, and be paid.")
def release_refunds(period: PeriodText, actor: Who, reason: Why, as_json: Json = False) -> None:
    """Release the refunds that the schedule has drafted for a month: `refunds export` writes their file from now on.

    Above the limit of `refund_files` in the definitions it waits for another person: `approvals`.
    """
    from commands.bank.release import release_refunds as release

    async def released(output: Output) -> None:
        await release(output, period, actor=actor, reason=reason)

    perform(released, as_json=as_json)


@app.command("reject")
@changes(final="Every draft of the month is rejected.")
def reject_refunds(period: PeriodText, actor: Who, reason: Why, as_json: Json = False) -> None:
    """Reject the refunds that the schedule has drafted for a month: what is due comes with the next month's."""
    from commands.bank.bank_refunds import decide

    perform(lambda output: decide(output, period, release=False, actor=actor, reason=reason), as_json=as_json)


@app.command("confirm")
@changes()
def confirm_refunds(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", exists=True, dir_okay=False, readable=True, help="CSV, pain.002, a statement or ZIP."
        ),
    ],
    rejection_reason: Annotated[
        str, typer.Option("--rejection-reason", help="A reason from `transactions reasons` for what the bank refused.")
    ] = "declined",
    layout: Annotated[
        str, typer.Option("--layout", help="How the bank's own CSV is written; else whose columns it has.")
    ] = "",
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Apply the bank's answers: paid refunds are posted, refused ones rejected, and all others stay pending.

    Applying a file again changes nothing. An answer about a whole file or batch counts for each of its refunds that has
    none of its own. Of a statement only the debits count that carry a refund's reference, or name a file of refunds.
    """
    from commands.bank.refund_confirmation import confirm

    perform(
        lambda output: confirm(output, file, actor=actor, rejection_reason=rejection_reason, layout=layout),
        as_json=as_json,
    )


@app.command("adopt")
@changes()
def adopt_refunds(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            readable=True,
            help="pain.001 or CSV of `export`, pain.002, camt.",
        ),
    ],
    actor: Annotated[str, typer.Option("--actor", help="Who says so; kept with each refund.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with each refund.")],
    payees: Annotated[
        Path | None,
        typer.Option("--payees", exists=True, dir_okay=False, readable=True, help="Bank details, CSV; never stored."),
    ] = None,
    as_json: Json = False,
) -> None:
    """After a restore: write down again the refunds of a file that the bank has and the database may have forgotten.

    Until `recover settle` says that no file is missing, nobody is refunded by bank transfer. What a file names is in no
    other file from then on; `refunds confirm` posts it. Whose a forgotten refund is, CSV says, and else the payees'
    file by the bank account that was paid.
    """
    from commands.bank.missing.refund_adoption import adopt

    perform(lambda output: adopt(output, file, payees, actor=actor, reason=reason), as_json=as_json)
