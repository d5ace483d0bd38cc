"""`accounts`: who owes, what they buy, and the cards that pay for it."""

from pathlib import Path
from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import AccountId, Actor, After, AsCsv, Json, Limit, Since, Until
from commands.options import list_page as list_page_of
from commands.runner import perform
from models.imports.columns import ACCOUNTS, CARDS, COLUMNS, SUBSCRIPTIONS
from models.ledger.account import AccountState

app = typer.Typer(help="Accounts receivable: create, edit, import, look up, list.", no_args_is_help=True)


def columns_help() -> str:
    """Return the columns of the import files, for the help and the documents."""
    parts = []
    for source in (ACCOUNTS, SUBSCRIPTIONS, CARDS):
        names = [f"{column.name}{'*' if column.default is None else ''}" for column in COLUMNS[source]]
        parts.append(f"{source}: {', '.join(names)}.")
    return "Columns (* must be filled in), in any order, named by the first line. " + " ".join(parts)


File = Annotated[
    Path, typer.Argument(metavar="FILE.csv", exists=True, dir_okay=False, readable=True, help="The accounts, as CSV.")
]
SubscriptionsFile = Annotated[
    Path | None, typer.Option("--subscriptions", exists=True, dir_okay=False, help="Their subscriptions, as CSV.")
]
CardsFile = Annotated[
    Path | None,
    typer.Option("--cards", exists=True, dir_okay=False, help="Their cards, as CSV: tokens of the gateway."),
]
Provider = Annotated[str, typer.Option("--provider", envvar="DULY_PROVIDER", help="The provider that keeps the cards.")]
Method = Annotated[str, typer.Option("--payment-method", help="The payment method that the cards belong to.")]


@app.command("import", epilog=columns_help())
@changes()
def import_accounts(
    file: File,
    subscriptions: SubscriptionsFile = None,
    cards: CardsFile = None,
    provider: Provider = "stripe",
    payment_method: Method = "card",
    clears_empty: Annotated[
        bool, typer.Option("--clear-empty", help="An empty cell clears what is there; else it leaves it as it is.")
    ] = False,
    actor: Actor = "",
    as_json: Json = False,
) -> None:
    """Import accounts from CSV, each with its subscriptions and cards, or not at all.

    UTF-8, or UTF-16 with its mark; cells divided by commas, semicolons or tabs; amounts in major units such as 9.99.
    A column that a file does not have leaves what is there as it is, and so does an empty cell. Every bad row is
    reported with its line, id, field and rule, and leaves its account out; the good accounts go in. Importing a file
    again changes nothing. Whatever looks like a card number is refused before it is stored.
    """
    from commands.imports.account_import import ImportFiles, import_files

    files = ImportFiles(file, subscriptions, cards)
    perform(
        lambda output: import_files(
            output, files, provider=provider, method=payment_method, actor=actor, clears_empty=clears_empty
        ),
        as_json=as_json,
    )


@app.command("show")
def show_account(account: AccountId, as_json: Json = False) -> None:
    """Show an account: balance, subscriptions, cards, unsettled invoices and its latest payments."""
    from commands.ledger.accounts import show

    perform(lambda output: show(output, account), as_json=as_json)


@app.command("list")
def list_accounts(
    state: Annotated[AccountState | None, typer.Option("--state", help="Only accounts in this state.")] = None,
    *,
    segment: Annotated[str, typer.Option("--segment", help="Only accounts of this segment.")] = "",
    classification: Annotated[str, typer.Option("--classification", help="Only accounts of this classification.")] = "",
    region: Annotated[str, typer.Option("--region", help="Only accounts of this region.")] = "",
    limit: Limit = 50,
    after: After = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List customers' accounts, the newest first, a page at a time."""
    from commands.ledger.accounts import list_page

    page = list_page_of(after, limit, since, until)
    perform(
        lambda output: list_page(
            output, page, state=state or "", segment=segment, classification=classification, region=region
        ),
        as_json=as_json,
        as_csv=as_csv,
    )
