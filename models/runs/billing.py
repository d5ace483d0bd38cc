"""From a subscription that is due to the invoice that bills it (F162)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from models.gateway.amounts import charge_step
from models.money import Money, vat_of
from models.period import Period


@dataclass(frozen=True)
class DueSubscription:
    """A subscription to bill for a period; price in minor units, before tax, for one piece a month."""

    id: str
    account_id: str
    currency: str
    account_currency: str
    product_id: str
    product_name: str
    price_minor: int
    quantity: int
    billing_day: int
    tax_rate_id: str | None
    tax_percent: Decimal | None


class CannotBillError(ValueError):
    """A subscription that no invoice can be made of; `rule` is the reason that the run keeps."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        super().__init__(rule)


@dataclass(frozen=True)
class MonthlyPrice:
    """What a subscription costs for a month, in minor units, rounded to what the gateway can charge.

    The discount is what rounding takes off before tax; `untaxed_minor`, one unit at most, is what tax then jumps over.
    """

    discount_minor: int
    net_minor: int
    tax_minor: int
    untaxed_minor: int

    @property
    def total_minor(self) -> int:
        """What the customer pays."""
        return self.net_minor + self.tax_minor + self.untaxed_minor


def monthly_price(due: DueSubscription) -> MonthlyPrice:
    """Return the price of a month, rounded down to a total in the gateway's steps (decision 0111).

    Raises CannotBillError: currency_of_account when the account is kept in another currency, amount_in_steps when the
    price comes to less than one step.
    """
    if due.currency != due.account_currency:
        raise CannotBillError("currency_of_account")
    full = (Money(due.price_minor, due.currency) * due.quantity).amount_minor
    return rounded_price(full, due.tax_percent, due.currency)


def rounded_price(full_minor: int, tax_percent: Decimal | None, currency: str) -> MonthlyPrice:
    """Return an amount before tax, rounded down to a total in the gateway's steps. Raises CannotBillError."""
    percent, step = tax_percent or 0, charge_step(currency)
    total = full_minor + vat_of(full_minor, percent)
    if total < step:
        raise CannotBillError("amount_in_steps")
    wanted = total - total % step
    discount = next(
        taken for taken in range(step) if full_minor - taken + vat_of(full_minor - taken, percent) <= wanted
    )
    net = full_minor - discount
    tax = vat_of(net, percent)
    return MonthlyPrice(discount, net, tax, wanted - net - tax)


def invoice_key(subscription_id: str, starts_on: date) -> str:
    """The business name of one invoice: billing the same days again finds it instead of making another."""
    return f"billing:{subscription_id}:{starts_on}"


def invoice_of(due: DueSubscription, period: Period) -> dict[str, Any]:
    """Return the invoice to post, as the ledger takes it: for the month that begins on the billing day.

    Raises CannotBillError as monthly_price does.
    """
    starts_on = period.anchor_on(due.billing_day)
    price = monthly_price(due)
    days = {
        "period_from": starts_on.isoformat(),
        "period_to": period.next().anchor_on(due.billing_day).isoformat(),
    }
    return {
        "key": invoice_key(due.id, starts_on),
        "member_id": due.id,
        "account_id": due.account_id,
        "currency": due.currency,
        "issued_on": starts_on.isoformat(),
        "lines": [line | days for line in _lines(due, price)],
    }


def _lines(due: DueSubscription, price: MonthlyPrice) -> Iterator[dict[str, Any]]:
    yield {
        "product_id": due.product_id,
        "description": _description(due, price),
        "quantity": due.quantity,
        "unit_price_minor": due.price_minor,
        "discount_minor": price.discount_minor,
        "net_minor": price.net_minor,
        "tax_rate_id": due.tax_rate_id,
        "tax_minor": price.tax_minor,
        "total_minor": price.net_minor + price.tax_minor,
    }
    if price.untaxed_minor:
        yield rounding_line(due.product_id, price.untaxed_minor)


def rounding_line(product_id: str, untaxed_minor: int) -> dict[str, Any]:
    """Return the line of what tax jumps over."""
    return {
        "product_id": product_id,
        "description": "Rounding, without tax",
        "quantity": 1,
        "unit_price_minor": untaxed_minor,
        "discount_minor": 0,
        "net_minor": untaxed_minor,
        "tax_minor": 0,
        "total_minor": untaxed_minor,
    }


def _description(due: DueSubscription, price: MonthlyPrice) -> str:
    """Name the product, and beside it what rounding took off: the invoice says why its total is below the price."""
    return f"{due.product_name}{rounding_note(price, due.currency)}"


def rounding_note(price: MonthlyPrice, currency: str) -> str:
    """Say what rounding took off, where it took something."""
    if price.discount_minor == 0:
        return ""
    taken, step = Money(price.discount_minor, currency), Money(charge_step(currency), currency)
    return f" (less {taken}: cards are charged in steps of {step})"
