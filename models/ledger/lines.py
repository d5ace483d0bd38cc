"""Invoice lines: quantity, price, discount and tax, rounded half up once a line (F37, F38, F124, Q14)."""

from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from models.money import half_up, vat_of

QUANTITY_DECIMALS_MAX = 6


class LineError(ValueError):
    """A line that cannot be priced; the message names the field and the rule."""


@dataclass(frozen=True)
class AppliedTax:
    """A tax as a tax service has computed it (F40): it is taken as it answered, and its words are kept."""

    authority: str
    name: str
    tax_minor: int
    percent: Decimal | None = None
    taxable_minor: int | None = None


@dataclass(frozen=True)
class Line:
    """What is sold: a discount is a percentage or an amount, never both. Amounts in minor units, rates in percent.

    With taxes of a service the line has no rate of ours.
    """

    product_id: str
    quantity: Decimal
    unit_price_minor: int
    description: str = ""
    discount_percent: Decimal | None = None
    discount_minor: int | None = None
    tax_rate_id: str | None = None
    tax_percent: Decimal = Decimal(0)
    period_from: date | None = None
    period_to: date | None = None
    sales_channel: str | None = None
    applied_taxes: tuple[AppliedTax, ...] = ()

    def __post_init__(self) -> None:
        if type(self.quantity) is not Decimal or not self.quantity.is_finite() or self.quantity <= 0:
            raise LineError("quantity must be a decimal above 0")
        if self.quantity != round(self.quantity, QUANTITY_DECIMALS_MAX):
            raise LineError(f"quantity has more than {QUANTITY_DECIMALS_MAX} decimals")
        if type(self.unit_price_minor) is not int or self.unit_price_minor < 0:
            raise LineError("unit_price_minor must be an int of at least 0")
        if self.discount_percent is not None and self.discount_minor is not None:
            raise LineError("discount is either discount_percent or discount_minor, not both")
        _check_percent("discount_percent", self.discount_percent)
        _check_percent("tax_percent", self.tax_percent)
        if (self.period_from is None) != (self.period_to is None):
            raise LineError("period_from and period_to come together")
        if self.applied_taxes and (self.tax_rate_id is not None or self.tax_percent):
            raise LineError("applied_taxes come from a service; there is no tax_rate beside them")


@dataclass(frozen=True)
class PricedLine:
    """A line with its amounts in minor units: net is what is left after the discount, total includes the tax."""

    line: Line
    discount_minor: int
    net_minor: int
    tax_minor: int
    total_minor: int


def price(line: Line) -> PricedLine:
    """Compute a line's discount, net, tax and total; each rounded half up to whole minor units."""
    gross = half_up(Fraction(line.quantity) * line.unit_price_minor)
    discount = _discount(line, gross)
    if not 0 <= discount <= gross:
        raise LineError(f"discount of {discount} must lie between 0 and the line's gross amount of {gross}")
    net = gross - discount
    tax = sum(one.tax_minor for one in line.applied_taxes) or vat_of(net, line.tax_percent)
    return PricedLine(line, discount, net, tax, net + tax)


def document_line(priced: PricedLine) -> dict[str, Any]:
    """Return a line as the ledger's functions take it in JSON; decimals as text, so that nothing becomes a float."""
    line = priced.line
    fields = {
        "product_id": line.product_id,
        "description": line.description,
        "quantity": str(line.quantity),
        "unit_price_minor": line.unit_price_minor,
        "discount_percent": None if line.discount_percent is None else str(line.discount_percent),
        "discount_minor": priced.discount_minor,
        "net_minor": priced.net_minor,
        "tax_rate_id": line.tax_rate_id,
        "tax_rate": str(line.tax_percent),
        "tax_minor": priced.tax_minor,
        "total_minor": priced.total_minor,
        "period_from": None if line.period_from is None else line.period_from.isoformat(),
        "period_to": None if line.period_to is None else line.period_to.isoformat(),
        "sales_channel": line.sales_channel,
        "applied_taxes": {"taxes": [_applied(one) for one in line.applied_taxes]} if line.applied_taxes else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _applied(tax: AppliedTax) -> dict[str, Any]:
    percent = None if tax.percent is None else str(tax.percent)
    fields = {**asdict(tax), "percent": percent}
    return {name: value for name, value in fields.items() if value is not None}


def _discount(line: Line, gross: int) -> int:
    if line.discount_percent is not None:
        return half_up(Fraction(line.discount_percent) * gross / 100)
    return line.discount_minor or 0


def _check_percent(field: str, percent: Decimal | None) -> None:
    if percent is None:
        return
    if type(percent) is not Decimal or not percent.is_finite() or not 0 <= percent <= 100:
        raise LineError(f"{field} must be a decimal from 0 to 100")
