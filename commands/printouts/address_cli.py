"""`accounts address`: to whom an account's documents are made out."""

from typing import Annotated

import typer

from commands.changing.changes import changes
from commands.options import AccountId, Json
from commands.runner import perform

app = typer.Typer()


@app.command("address")
@changes()
def set_address(
    account: AccountId,
    actor: Annotated[str, typer.Option("--actor", help="Who does it; kept with the account.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the account.")],
    *,
    street: Annotated[str, typer.Option("--street", help="Street and number.")] = "",
    city: Annotated[str, typer.Option("--city", help="Town.")] = "",
    country: Annotated[str, typer.Option("--country", help="Two capitals, such as DE.")] = "",
    postal_code: Annotated[str, typer.Option("--postal-code", help="Postal code, where there are such.")] = "",
    name: Annotated[str, typer.Option("--name", help="Whom documents name; else the account's owner.")] = "",
    addition: Annotated[str, typer.Option("--addition", help="A line above the street.")] = "",
    vat_id: Annotated[str, typer.Option("--vat-id", help="The buyer's VAT id; it is named for reverse charge.")] = "",
    reference: Annotated[
        str, typer.Option("--reference", help="The buyer's own, such as a German authority's Leitweg-ID (BT-10).")
    ] = "",
    none: Annotated[bool, typer.Option("--none", help="Take the address away.")] = False,
    as_json: Json = False,
) -> None:
    """Set the postal address of an account, whole. What is printed already stays as it is."""
    from commands.printouts.addresses import set_one
    from models.printouts.address import PostalAddress

    given = (street, city, country, postal_code, name, addition, vat_id, reference)
    if none and any(given):
        raise typer.BadParameter("takes the address away: give nothing of one", param_hint="--none")
    perform(
        lambda output: set_one(output, account, None if none else PostalAddress(*given), actor=actor, reason=reason),
        as_json=as_json,
    )
