"""Arguments and options of the commands about subscriptions."""

from datetime import date
from typing import Annotated

import typer

from commands.options import day_of
from models.money import Money, MoneyError
from models.problem import refusal
from models.subscriptions.cycle import Term

SubscriptionId = Annotated[str, typer.Argument(metavar="SUBSCRIPTION", help="Id of a subscription.")]
Actor = Annotated[str, typer.Option("--actor", help="Who does it; kept in the history.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the history.")]
Price = Annotated[
    str, typer.Option("--price", help="Price of one piece for one billing period before tax, in major units: 9.99.")
]
Quantity = Annotated[int | None, typer.Option("--quantity", min=1, max=1_000_000, help="Pieces.")]
TermOption = Annotated[Term | None, typer.Option("--term", help="How long a billing period is.")]
BillingDay = Annotated[
    int | None,
    typer.Option("--billing-day", min=1, max=31, help="Day on which periods begin; one a month lacks is its last."),
]
DiscountText = Annotated[
    str, typer.Option("--discount", help="Off the price of a billing period: 20% or an amount such as 5.00.")
]
DiscountUntil = Annotated[
    date | None,
    typer.Option("--discount-until", parser=day_of, metavar="DAY", help="First day without the discount."),
]
ForPeriods = Annotated[
    int, typer.Option("--for-periods", min=0, max=1200, help="The discount ends after so many billing periods.")
]
FromDay = Annotated[
    date | None,
    typer.Option("--from", parser=day_of, metavar="DAY", help="First day on which it holds; else today."),
]


def minor_of(price: str, currency: str) -> int | None:
    """Read a price; None when none is given. Raises RefusedError."""
    if not price:
        return None
    try:
        return Money.parse(price, currency).amount_minor
    except MoneyError as error:
        raise refusal("price", "amount_format", str(error)) from error
