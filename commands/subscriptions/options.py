"""Arguments and options of the commands about subscriptions."""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from commands.options import day_of
from models.money import Money, MoneyError
from models.problem import refusal
from models.subscriptions.cycle import Term
from models.subscriptions.orders import DiscountAsked

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


def discount_of(text: str, until: date | None, periods: int, currency: str) -> DiscountAsked | None:
    """Read a discount; None when none is given. Raises RefusedError."""
    if not text:
        if until is not None or periods:
            raise refusal("discount", "discount_given", "say which discount has that end")
        return None
    if until is not None and periods:
        raise refusal("for_periods", "one_end", "give the day or the number of periods, not both")
    if text.endswith("%"):
        return DiscountAsked(percent=_percent(text.removesuffix("%")), until=until, periods=periods)
    try:
        amount_minor = Money.parse(text, currency).amount_minor
    except MoneyError as error:
        raise refusal("discount", "amount_format", str(error)) from error
    if amount_minor < 0:
        raise refusal("discount", "amount_not_negative", f"{text} must be nothing or more")
    return DiscountAsked(amount_minor=amount_minor, until=until, periods=periods)


def _percent(text: str) -> Decimal:
    try:
        percent = Decimal(text.strip())
    except InvalidOperation:
        raise refusal("discount", "percent_format", f"{text!r} is not a number such as 12.5") from None
    if not percent.is_finite() or not 0 <= percent <= 100 or percent != round(percent, 4):
        raise refusal("discount", "percent_in_range", f"{text} % is not within 0 to 100, with at most four decimals")
    return Decimal(f"{percent.normalize():f}")
