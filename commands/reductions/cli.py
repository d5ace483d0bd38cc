"""`reductions`: rewards whose discount goes back to customers who have paid the full price."""

from pathlib import Path
from typing import Annotated

import typer

from commands.options import ANSWER_SECONDS, AccountId, After, Json, Limit, WaitSeconds
from commands.runner import perform
from models.reductions.reduction import Decision, ReductionState

app = typer.Typer(help="Back-end reductions: awards, and what became of them.", no_args_is_help=True)

AwardId = Annotated[str, typer.Argument(metavar="AWARD", help="The reward's own reference.")]


@app.command("create")
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
    account: Annotated[str, typer.Option("--account", help="Only reductions of this account.")] = "",
    merchant: Annotated[str, typer.Option("--merchant", help="Only reductions of this merchant.")] = "",
    state: Annotated[ReductionState | None, typer.Option("--state", help="Only reductions in this state.")] = None,
    limit: Limit = 50,
    after: After = "",
    as_json: Json = False,
) -> None:
    """List reductions by award, a page at a time."""
    from commands.reductions.reductions import Filter, list_page

    wanted = Filter(account, merchant, state or "")
    perform(lambda output: list_page(output, wanted, after=after, limit=limit), as_json=as_json)


@app.command("decide")
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
