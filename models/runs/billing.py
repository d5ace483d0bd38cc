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

    Raises CannotBillError (amount_in_steps) when it comes to less than one step.
    """
    full = (Money(due.price_minor, due.currency) * due.quantity).amount_minor
    percent, step = due.tax_percent or 0, charge_step(due.currency)
    total = full + vat_of(full, percent)
    if total < step:
        raise CannotBillError("amount_in_steps")
    wanted = total - total % step
    discount = next(taken for taken in range(step) if full - taken + vat_of(full - taken, percent) <= wanted)
    net = full - discount
    tax = vat_of(net, percent)
    return MonthlyPrice(discount, net, tax, wanted - net - tax)


def invoice_key(subscription_id: str, starts_on: date) -> str:
    """The business name of one invoice: billing the same days again finds it instead of making another."""
    return f"billing:{subscription_id}:{starts_on}"


def invoice_of(due: DueSubscription, period: Period) -> dict[str, Any]:
    """Return the invoice to post, as the ledger takes it: for the month that begins on the billing day.

    Raises CannotBillError: currency_of_account when the account is kept in another currency, and as monthly_price.
    """
    if due.currency != due.account_currency:
        raise CannotBillError("currency_of_account")
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
        yield {
            "product_id": due.product_id,
            "description": "Rounding, without tax",
            "quantity": 1,
            "unit_price_minor": price.untaxed_minor,
            "discount_minor": 0,
            "net_minor": price.untaxed_minor,
            "tax_minor": 0,
            "total_minor": price.untaxed_minor,
        }


def _description(due: DueSubscription, price: MonthlyPrice) -> str:
    """Name the product, and beside it what rounding took off: the invoice says why its total is below the price."""
    if price.discount_minor == 0:
        return due.product_name
    taken, step = Money(price.discount_minor, due.currency), Money(charge_step(due.currency), due.currency)
    return f"{due.product_name} (less {taken}: cards are charged in steps of {step})"
