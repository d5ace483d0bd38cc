"""`suspense`: money that is here and whose account is not known."""

from typing import Annotated

import typer

from commands.options import AsCsv, Json, Limit, Since, Until
from commands.options import list_page as list_page_of
from commands.runner import perform

app = typer.Typer(help="Suspense: payments whose account is not known yet.", no_args_is_help=True)


@app.callback()
def suspense() -> None:
    """Suspense: payments whose account is not known yet."""


@app.command("list")
def list_suspense(
    currency: Annotated[str, typer.Option("--currency", help="Only in this currency.")] = "",
    limit: Limit = 50,
    after: Annotated[str, typer.Option("--after", metavar="NUMBER", help="Continue behind this payment.")] = "",
    since: Since = None,
    until: Until = None,
    as_csv: AsCsv = False,
    as_json: Json = False,
) -> None:
    """List the payments in suspense, the newest first. `transactions move` puts one where it belongs."""
    from commands.ledger.suspense import list_page

    page = list_page_of(after, limit, since, until)
    perform(lambda output: list_page(output, page, currency=currency), as_json=as_json, as_csv=as_csv)
