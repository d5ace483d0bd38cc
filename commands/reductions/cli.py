"""`reductions`: rewards whose discount goes back to customers who have paid the full price."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import ANSWER_SECONDS, AccountId, After, AsCsv, Json, Limit, Since, Until, WaitSeconds
from commands.options import list_page as list_page_of
from commands.runner import perform
from models.reductions.reduction import Decision

app = typer.Typer(help="Back-end reductions: awards, and what became of them.", no_args_is_help=True)

AwardId = Annotated[str, typer.Argument(metavar="AWARD", help="The reward's own reference.")]


class ReductionWord(StrEnum):
    """States to filter by."""

    AWARDED = "awarded"
    REFUNDING = "refunding"
    PAID = "paid"
    GRANTED = "granted"
    CLAWED_BACK = "clawed_back"
    GIVEN_UP = "given_up"


@app.command("create")
@changes()
def create_reduction(
    award: AwardId,
    account: AccountId,
    merchant: Annotated[str, typer.Option("--merchant", help="Whose reward it is.")],
    amount: Annotated[str, typer.Option("--amount", help="In the merchant's currency, such as 2.50.")],
    payment: Annotated[
        str, typer.Option("--payment", help="The payment of the sale; else any refundable one is used.")
    ] = "",
    wait_seconds: WaitSeconds = ANSWER_SECONDS,
    as_json: Json = False,
) -> None:
    """Award a reduction and start its workflow. The same award again is the same reduction."""
    from commands.reductions.reductions import create

    perform(
        lambda output: create(output, award, account, merchant, amount, payment, wait_seconds=wait_seconds),
        as_json=as_json,
    )


@app.command("import")
@changes()
def import_reductions(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="CSV with a header line.")
    ],
    is_sent: Annotated[
        bool, typer.Option("--send/--no-send", help="Start them now, or with the next refund run.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Award every good row of a file; bad ones are named and left out. Importing a file again changes nothing."""
    from commands.reductions.reductions import import_file

    perform(lambda output: import_file(output, file, is_sent=is_sent), as_json=as_json)


@app.command("show")
def show_reduction(award: AwardId, as_json: Json = False) -> None:
    """Show one reduction: its parts, what was granted, and what was decided."""
    from commands.reductions.reductions import show

    perform(lambda output: show(output, award), as_json=as_json)


@app.command("list")
def list_reductions(
    *,
    account: Annotated[str, typer.Option("--account", help="Only reductions of this account.")] = "",
    merchant: Annotated[str, typer.Option("--merchant", help="Only reductions of this merchant.")] = "",
    state: Annotated[ReductionWord | None, typer.Option("--state", help="Only reductions in this state.")] = None,
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List reductions, the newest first, a page at a time."""
    from commands.reductions.reductions import ReductionFilter, list_page

    wanted = ReductionFilter(account, merchant, state or "")
    page = list_page_of(after, limit, since, until)
    perform(
        lambda output: list_page(output, page, wanted),
        as_json=as_json,
        as_csv=as_csv,
    )


@app.command("decide")
@changes(final="What becomes of the reduction is decided for good.")
def decide_reduction(
    award: AwardId,
    decision: Annotated[Decision, typer.Option("--decision", help="What becomes of it.")],
    actor: Annotated[str, typer.Option("--actor", help="Who decides; kept with the reduction.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the reduction.")],
    as_json: Json = False,
) -> None:
    """Decide what becomes of a reduction for which no remedy is left."""
    from commands.reductions.reductions import decide

    perform(lambda output: decide(output, award, decision, actor=actor, reason=reason), as_json=as_json)
