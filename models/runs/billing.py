"""From a subscription that is due to the invoice that bills it (F162)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

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


def invoice_key(subscription_id: str, starts_on: date) -> str:
    """The business name of one invoice: billing the same days again finds it instead of making another."""
    return f"billing:{subscription_id}:{starts_on}"


def invoice_of(due: DueSubscription, period: Period) -> dict[str, Any]:
    """Return the invoice to post, as the ledger takes it: one line for the month that begins on the billing day.

    Raises CannotBillError (currency_of_account) when the account is kept in another currency.
    """
    if due.currency != due.account_currency:
        raise CannotBillError("currency_of_account")
    starts_on = period.anchor_on(due.billing_day)
    net = Money(due.price_minor, due.currency) * due.quantity
    tax = vat_of(net.amount_minor, due.tax_percent or 0)
    return {
        "key": invoice_key(due.id, starts_on),
        "member_id": due.id,
        "account_id": due.account_id,
        "currency": due.currency,
        "issued_on": starts_on.isoformat(),
        "lines": [
            {
                "product_id": due.product_id,
                "description": due.product_name,
                "quantity": due.quantity,
                "unit_price_minor": due.price_minor,
                "discount_minor": 0,
                "net_minor": net.amount_minor,
                "tax_rate_id": due.tax_rate_id,
                "tax_minor": tax,
                "total_minor": net.amount_minor + tax,
                "period_from": starts_on.isoformat(),
                "period_to": period.next().anchor_on(due.billing_day).isoformat(),
            }
        ],
    }
