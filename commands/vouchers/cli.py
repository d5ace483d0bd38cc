"""`vouchers`: issued in batches, redeemed once as payments."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from commands.changing.changes import Reason, changes
from commands.options import AccountId, Actor, After, AsCsv, Json, Limit, Since, Until, day_of
from commands.options import list_page as list_page_of
from commands.runner import perform
from models.vouchers.voucher import VoucherState

app = typer.Typer(help="Vouchers: sold or given in batches, redeemed once as payments.", no_args_is_help=True)

RequestId = Annotated[str, typer.Option("--id", help="Your own id: the same under the same id is done once.")]
VoucherId = Annotated[
    str, typer.Argument(metavar="VOUCHER", help="Number or id of a voucher or a batch: VCH-0000000001, VCB-0000000001.")
]


@app.command("issue")
@changes()
def issue_vouchers(
    count: Annotated[int, typer.Argument(metavar="COUNT", help="How many, 1 to 10000.")],
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="What each is worth, in major units: 25.00.")],
    *,
    type: Annotated[str, typer.Option("--type", help="Type of vouchers, of the definitions.")],
    account: Annotated[str, typer.Option("--account", help="Who buys them and is invoiced, if they are sold.")] = "",
    currency: Annotated[str, typer.Option("--currency", help="Of vouchers that are given; else the account's.")] = "",
    expires_on: Annotated[
        date | None,
        typer.Option(
            "--expires-on", parser=day_of, metavar="DAY", help="Last day to redeem them on; else by the type."
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--output", dir_okay=False, help="Write the codes to this new file, as CSV.")
    ] = None,
    id: RequestId = "",
    actor: Actor = "",
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Issue a batch. Its codes are shown this once, or written to a file, and kept nowhere."""
    from commands.vouchers.vouchers import VoucherRequest, issue

    asked = VoucherRequest(count, amount, type, account, currency, expires_on, file)
    perform(lambda output: issue(output, asked, id=id, actor=actor, reason=reason), as_json=as_json)


@app.command("redeem")
@changes()
def redeem_voucher(
    account: AccountId, *, id: RequestId = "", actor: Actor = "", reason: Reason = "", as_json: Json = False
) -> None:
    """Redeem a voucher for an account. Its code is asked for, or is the first line of standard input."""
    from commands.vouchers.vouchers import redeem

    perform(lambda output: redeem(output, account, id=id, actor=actor, reason=reason), as_json=as_json)


@app.command("cancel")
@changes(final="A cancelled voucher stays cancelled, and who has bought it is credited.")
def cancel_vouchers(
    voucher: VoucherId, *, id: RequestId = "", actor: Actor = "", reason: Reason = "", as_json: Json = False
) -> None:
    """Cancel a voucher, or all of a batch that are out. Who has bought them gets a credit note."""
    from commands.vouchers.vouchers import cancel

    perform(lambda output: cancel(output, voucher, id=id, actor=actor, reason=reason), as_json=as_json)


@app.command("expire")
@changes()
def expire_vouchers(as_json: Json = False) -> None:
    """Book the vouchers that have expired now, as is done every night before the ledger is audited."""
    from commands.vouchers.vouchers import expire

    perform(expire, as_json=as_json)


@app.command("show")
def show_vouchers(voucher: VoucherId, as_json: Json = False) -> None:
    """Show a voucher, or a batch with how many are out, and what has moved them. Codes are not known."""
    from commands.vouchers.vouchers import show

    perform(lambda output: show(output, voucher), as_json=as_json)


@app.command("list")
def list_vouchers(
    *,
    batch: Annotated[str, typer.Option("--batch", help="Only vouchers of this batch.")] = "",
    account: Annotated[str, typer.Option("--account", help="Only what it has bought or redeemed.")] = "",
    state: Annotated[VoucherState | None, typer.Option("--state", help="Only vouchers in this state.")] = None,
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List vouchers, the newest first, a page at a time."""
    from commands.vouchers.vouchers import list_page

    page = list_page_of(after, limit, since, until)
    perform(
        lambda output: list_page(output, page, batch=batch, account_id=account, state=state),
        as_json=as_json,
        as_csv=as_csv,
    )
