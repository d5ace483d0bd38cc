"""`collections`: receivables that have to wait, and collecting a single one now."""

from enum import StrEnum
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import (
    ANSWER_SECONDS,
    AccountId,
    After,
    AsCsv,
    Json,
    Limit,
    ReceivableName,
    Since,
    Until,
    WaitSeconds,
)
from commands.options import list_page as list_page_of
from commands.runner import perform

app = typer.Typer(help="Collections: receivables that were declined, are unknown, or wait.", no_args_is_help=True)


class CollectionWord(StrEnum):
    """States to filter by; where an open one stands is its workflow's matter."""

    OPEN = "open"
    SETTLED = "settled"
    GIVEN_UP = "given_up"


@app.command("start")
@changes()
def start_collection(
    account: AccountId,
    period: ReceivableName,
    provider: Annotated[
        str, typer.Option("--provider", envvar="DULY_PROVIDER", help="The provider to charge through.")
    ] = "stripe",
    invoice: Annotated[
        list[str] | None, typer.Option("--invoice", help="Collect this transaction only; may be given again.")
    ] = None,
    amount: Annotated[
        str, typer.Option("--amount", help="Collect so much alone, such as 50.00; the rest is left to others.")
    ] = "",
    wait_seconds: WaitSeconds = ANSWER_SECONDS,
    as_json: Json = False,
) -> None:
    """Collect what an account owes now, and wait for the outcome of the first attempt.

    The receivable is named by its month, or by its month with a suffix: an account may have several in a month, of
    other invoices or of an amount each. Starting one twice is refused.
    """
    from commands.collections.start import start

    invoices = tuple(invoice or ())
    perform(
        lambda output: start(
            output, account, period, provider=provider, invoices=invoices, amount=amount, wait_seconds=wait_seconds
        ),
        as_json=as_json,
    )


@app.command("show")
def show_collection(account: AccountId, period: ReceivableName, as_json: Json = False) -> None:
    """Show a collection: its stage, its attempts, what is next, and what it decided."""
    from commands.collections.show import show

    perform(lambda output: show(output, account, period), as_json=as_json)


@app.command("list")
def list_collections(
    *,
    state: Annotated[
        CollectionWord | None, typer.Option("--state", "--stage", help="Only collections in this state.")
    ] = None,
    run: Annotated[str, typer.Option("--run", help="Only collections that this run began.")] = "",
    assigned_to: Annotated[
        str,
        typer.Option(
            "--assigned-to",
            help="Only collections that this user of the console looks after; or: nobody, or away for somebody who"
            " cannot look after them any more.",
        ),
    ] = "",
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List collections, the newest first, a page at a time."""
    from commands.collections.show import list_page

    page = list_page_of(after, limit, since, until)
    perform(
        lambda output: list_page(output, page, state=state or "", run_id=run, assigned_to=assigned_to),
        as_json=as_json,
        as_csv=as_csv,
    )
