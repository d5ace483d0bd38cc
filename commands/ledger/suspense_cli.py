"""`suspense`: money that is here and whose account is not known."""

from typing import Annotated

import typer

from commands.options import Json, Limit
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
    as_json: Json = False,
) -> None:
    """List the payments in suspense, oldest first: the daily queue. `transactions move` puts one where it belongs."""
    from commands.ledger.suspense import list_page

    perform(lambda output: list_page(output, currency=currency, after=after, limit=limit), as_json=as_json)
