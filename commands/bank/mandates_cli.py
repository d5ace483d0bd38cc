"""`mandates`: payers' permissions to debit their bank accounts."""

from datetime import date
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import AccountId, After, AsCsv, Json, Limit, Since, Until, day_of
from commands.options import list_page as list_page_of
from commands.runner import perform
from models.bank.mandate import MandateState

app = typer.Typer(help="Mandates: payers' permissions to debit their bank accounts.", no_args_is_help=True)

MandateId = Annotated[str, typer.Argument(metavar="MANDATE", help="The unique mandate reference.")]
Actor = Annotated[str, typer.Option("--actor", help="Who asks for it; kept with the mandate.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the mandate.")]
Iban = Annotated[str, typer.Option("--iban", help="The payer's bank account; shown nowhere again but its last four.")]
Bic = Annotated[str, typer.Option("--bic", help="The payer's bank, if yours asks for it.")]


@app.command("create")
@changes()
def create_mandate(
    account: AccountId,
    mandate: MandateId,
    actor: Actor,
    reason: Reason,
    iban: Iban,
    payer: Annotated[str, typer.Option("--payer", help="Who owns the bank account.")],
    provider: Annotated[str, typer.Option("--provider", help="The provider that collects by it.")],
    *,
    bic: Bic = "",
    method: Annotated[str, typer.Option("--method", help="The payment method that it belongs to.")] = "direct_debit",
    signed_on: Annotated[
        date | None, typer.Option("--signed-on", parser=day_of, metavar="DAY", help="The day of the signature, if any.")
    ] = None,
    notice_days: Annotated[
        int | None,
        typer.Option(
            "--notice-days", min=1, max=60, help="Days of notice agreed with this payer; else the creditor's."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a mandate down, for its payer to sign or signed already. It is debited from the signature on."""
    from commands.bank.mandates import NewMandate, create

    new = NewMandate(mandate, account, provider, method, payer, iban, bic, signed_on, actor, reason, notice_days)
    perform(lambda output: create(output, new), as_json=as_json)


@app.command("sign")
@changes()
def sign_mandate(
    mandate: MandateId,
    actor: Actor,
    reason: Reason,
    signed_on: Annotated[
        date | None, typer.Option("--signed-on", parser=day_of, metavar="DAY", help="Else today.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Note that the payer has signed a mandate, or has signed one again that its bank has stopped."""
    from commands.bank.mandates import sign

    perform(lambda output: sign(output, mandate, signed_on, actor=actor, reason=reason), as_json=as_json)


@app.command("amend")
@changes()
def amend_mandate(
    mandate: MandateId,
    actor: Actor,
    reason: Reason,
    iban: Iban,
    bic: Bic = "",
    payer: Annotated[str, typer.Option("--payer", help="Who owns the bank account, if that has changed.")] = "",
    as_json: Json = False,
) -> None:
    """Debit another bank account of the payer under the same mandate; the next debit says so to the bank."""
    from commands.bank.mandates import amend

    perform(lambda output: amend(output, mandate, (payer, iban, bic), actor=actor, reason=reason), as_json=as_json)


@app.command("cancel")
@changes(final="The mandate ends; a debit needs a new one.")
def cancel_mandate(mandate: MandateId, actor: Actor, reason: Reason, as_json: Json = False) -> None:
    """End a mandate, and every debit of it that waits for its file."""
    from commands.bank.mandates import cancel

    perform(lambda output: cancel(output, mandate, actor=actor, reason=reason), as_json=as_json)


@app.command("show")
def show_mandate(mandate: MandateId, as_json: Json = False) -> None:
    """Show one mandate: where it stands, and what was decided about it."""
    from commands.bank.mandates import show

    perform(lambda output: show(output, mandate), as_json=as_json)


@app.command("list")
def list_mandates(
    *,
    account: Annotated[str, typer.Option("--account", help="Only mandates of this account.")] = "",
    state: Annotated[MandateState | None, typer.Option("--state", help="Only mandates in this state.")] = None,
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List mandates, the newest first, a page at a time."""
    from commands.bank.mandates import list_page

    page = list_page_of(after, limit, since, until)
    perform(
        lambda output: list_page(output, page, account_id=account, state=state or ""), as_json=as_json, as_csv=as_csv
    )
