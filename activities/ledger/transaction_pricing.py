"""From lines and amounts as a person writes them to minor units, with the products' own tax rates."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from activities.database import Database, one_of
from activities.ledger.transaction_document import AppliedTaxDocument, LineDocument
from models.ledger.lines import AppliedTax, Line, LineError, document_line, price
from models.money import Money, MoneyError
from models.problem import Problem, RefusedError, refusal
from models.tables.reference import ProductRow, TaxRateRow

NO_TAX = "none"


async def priced_lines(database: Database, lines: Sequence[LineDocument], currency: str) -> list[dict[str, Any]]:
    """Price the lines as the ledger takes them (F124, Q14). Raises RefusedError with the problem of each bad line."""
    rates = await _rates(database, lines)
    priced, problems = [], []
    for position, line in enumerate(lines):
        try:
            priced.append(document_line(price(_line_of(line, currency, rates))))
        except (LineError, MoneyError) as error:
            problems.append(Problem(f"lines.{position}", "line_priced", str(error)))
    if problems:
        raise RefusedError(problems)
    return priced


def minor_units(amount: str, currency: str) -> int:
    """Return an amount in minor units. Raises RefusedError when it is finer than the currency."""
    try:
        return Money.parse(amount, currency).amount_minor
    except MoneyError as error:
        raise refusal("amount", "amount_format", str(error)) from error


async def _rates(database: Database, lines: Sequence[LineDocument]) -> Mapping[str, tuple[str | None, Decimal]]:
    """Return the tax rates of the products and the rates that the lines name, under product:<id> and rate:<id>."""
    products = sorted({line.product for line in lines})
    named = sorted({line.tax_rate for line in lines if line.tax_rate})
    of_products = await database.read(
        select(ProductRow.id.label("product"), TaxRateRow.id, TaxRateRow.percent)
        .outerjoin(TaxRateRow, TaxRateRow.id == ProductRow.tax_rate_id)
        .where(one_of(ProductRow.id, products))
    )
    by_name = await database.read(select(TaxRateRow.id, TaxRateRow.percent).where(one_of(TaxRateRow.id, named)))
    rates = {f"product:{row.product}": (row.id, row.percent or Decimal(0)) for row in of_products}
    return rates | {f"rate:{row.id}": (row.id, row.percent) for row in by_name}


def _line_of(given: LineDocument, currency: str, rates: Mapping[str, tuple[str | None, Decimal]]) -> Line:
    tax_rate_id, percent = _tax_of(given, rates)
    is_percent = given.discount.endswith("%")
    return Line(
        product_id=given.product,
        quantity=given.quantity,
        unit_price_minor=Money.parse(given.price, currency).amount_minor,
        description=given.description or "",
        discount_percent=Decimal(given.discount[:-1]) if is_percent else None,
        discount_minor=None if is_percent else Money.parse(given.discount, currency).amount_minor,
        tax_rate_id=tax_rate_id,
        tax_percent=percent,
        period_from=given.period_from,
        period_to=given.period_to,
        sales_channel=given.sales_channel,
        applied_taxes=tuple(_applied_tax(one, currency) for one in given.applied_taxes),
    )


def _applied_tax(given: AppliedTaxDocument, currency: str) -> AppliedTax:
    tax = Money.parse(given.tax, currency).amount_minor
    taxable = None if given.taxable is None else Money.parse(given.taxable, currency).amount_minor
    return AppliedTax(given.authority, given.name, tax, given.percent, taxable)


def _tax_of(given: LineDocument, rates: Mapping[str, tuple[str | None, Decimal]]) -> tuple[str | None, Decimal]:
    if given.tax_rate == NO_TAX or given.applied_taxes:
        return None, Decimal(0)
    if given.tax_rate is None:
        return rates.get(f"product:{given.product}", (None, Decimal(0)))
    # A rate that does not exist is handed on: the ledger refuses it by name.
    return rates.get(f"rate:{given.tax_rate}", (given.tax_rate, Decimal(0)))
