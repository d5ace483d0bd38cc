"""Discounts as people write them: a share of the price or an amount off it, for ever or with an end."""

from datetime import date
from decimal import Decimal, InvalidOperation

from models.money import Money, MoneyError
from models.problem import refusal
from models.subscriptions.orders import DiscountAsked


def discount_of(text: str, until: date | None, periods: int, currency: str) -> DiscountAsked | None:
    """Read a discount such as `20%` or `5.00`; None when none is given. Raises RefusedError.

    It ends on a day or after a number of billing periods; neither is for ever.
    """
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
