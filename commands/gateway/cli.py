"""`movements`: what must move on the gateway's balance, what has, and reading it again."""

from typing import Annotated

import typer

from commands.options import After, AsCsv, Json, Limit, Since, Until
from commands.options import list_page as list_page_of
from commands.runner import perform

app = typer.Typer(
    help="Movements of the gateway's balance: fees, refunds, disputes and conversions.", no_args_is_help=True
)


@app.command("list")
def list_movements(
    *,
    account: Annotated[str, typer.Option("--account", help="Only of this account.")] = "",
    is_open: Annotated[bool, typer.Option("--open", help="Only what the gateway has not moved yet.")] = False,
    is_overdue: Annotated[bool, typer.Option("--overdue", help="Only what should have moved by now.")] = False,
    is_differing: Annotated[
        bool, typer.Option("--differing", help="Only what was moved with another amount than was posted.")
    ] = False,
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List what the ledger expects to move at the gateway, the newest first, a page at a time.

    A movement brings the fee, and the amount in the currency of the gateway's balance. It is overdue after a day, of a
    dispute after a week. What differs from what was posted is a discrepancy: `reconcile list --kind differs`.
    """
    from commands.gateway.movements import list_page

    page = list_page_of(after, limit, since, until)
    perform(
        lambda output: list_page(
            output, page, account=account, is_open=is_open, is_overdue=is_overdue, is_differing=is_differing
        ),
        as_json=as_json,
        as_csv=as_csv,
    )
