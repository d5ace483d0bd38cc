"""The credit note of a refund for returned goods: so much of an invoice with its tax, and never more than is left."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from models.money import Money, split, vat_of
from models.problem import refusal


@dataclass(frozen=True)
class CreditableLine:
    """What is left to credit of a product at a rate of tax, tax included, in minor units."""

    product_id: str
    product_name: str
    tax_rate_id: str | None
    tax_percent: Decimal
    left_minor: int


@dataclass(frozen=True)
class CreditableInvoice:
    """An invoice that a credit note may be for; `left_minor` counts what other refunds have planned already."""

    invoice_id: str
    account_id: str
    number: str
    left_minor: int
    lines: tuple[CreditableLine, ...]


@dataclass(frozen=True)
class CreditBasis:
    """What is left of a payment, and the invoices that it settles."""

    left_minor: int
    invoices: tuple[CreditableInvoice, ...]

    def invoice(self, named: str) -> CreditableInvoice:
        """Return the invoice to credit: the one that was named, else the only one. Raises RefusedError."""
        if not self.invoices:
            problem = f"{named} is no posted invoice of the account" if named else "the payment settles no invoice"
            raise refusal("credit_invoice", "invoice_to_credit", problem)
        if len(self.invoices) > 1:
            numbers = ", ".join(invoice.number for invoice in self.invoices)
            raise refusal("credit_invoice", "invoice_named", f"the payment settles {numbers}: name the one")
        return self.invoices[0]


def credit_lines(
    invoice: CreditableInvoice, amount_minor: int, currency: str, product_id: str = ""
) -> list[dict[str, Any]]:
    """Divide an amount, tax included, among what is left of an invoice, or of one product of it.

    Each line has the tax that was charged. Raises RefusedError (credit_within_billed) for more than is left.
    """
    lines = [line for line in invoice.lines if line.left_minor > 0 and product_id in {"", line.product_id}]
    if product_id and not lines:
        problem = f"nothing is left to credit of {product_id!r} on {invoice.number}"
        raise refusal("credit_product", "product_on_invoice", problem)
    left = min(invoice.left_minor, sum(line.left_minor for line in lines))
    if amount_minor > left:
        problem = f"{Money(left, currency)} are left to credit of {invoice.number}"
        raise refusal("amount", "credit_within_billed", problem)
    parts = split(amount_minor, [line.left_minor for line in lines])
    priced = zip(lines, parts, strict=True)
    return [made for line, part in priced if part for made in _lines(line, part)]


def _lines(line: CreditableLine, gross_minor: int) -> Sequence[dict[str, Any]]:
    """Return the line of an amount, and a second one of what no net amount has with its tax."""
    net = net_of(gross_minor, line.tax_percent)
    tax = vat_of(net, line.tax_percent)
    rate = {"tax_rate_id": line.tax_rate_id} if line.tax_rate_id else {"tax_rate": str(line.tax_percent)}
    first = _line(line, f"{line.product_name}, returned", net) | rate | {"tax_minor": tax, "total_minor": net + tax}
    rest = gross_minor - net - tax
    return [first, _line(line, "Rounding, without tax", rest)] if rest else [first]


def _line(line: CreditableLine, description: str, net_minor: int) -> dict[str, Any]:
    return {
        "product_id": line.product_id,
        "description": description,
        "quantity": 1,
        "unit_price_minor": net_minor,
        "discount_minor": 0,
        "net_minor": net_minor,
        "tax_minor": 0,
        "total_minor": net_minor,
    }


def net_of(gross_minor: int, percent: Decimal) -> int:
    """Return the largest amount that with its tax is not more than an amount that includes it."""
    net = int(gross_minor * 100 / (100 + percent)) + 1
    while net + vat_of(net, percent) > gross_minor:
        net -= 1
    return net
