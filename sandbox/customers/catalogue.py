"""What the generated customers buy: internet access and extras, priced in each currency before tax."""

from dataclasses import dataclass
from decimal import Decimal

from activities.configuration.document import TaxRate
from models.money import Money


@dataclass(frozen=True)
class Plan:
    """A product as it is sold in one currency: the price of one piece a month, before tax."""

    product_id: str
    name: str
    product_line: str
    price: Money
    tax_rate_id: str | None


TAX_RATES = (
    TaxRate(id="vat_19", name="VAT 19 %", percent=Decimal(19)),
    TaxRate(id="consumption_tax_10", name="Consumption tax 10 %", percent=Decimal(10)),
)
# Kuwait levies no tax on sales, which also keeps its prices in the steps that the gateway takes.
_TAX_IN = {"EUR": "vat_19", "JPY": "consumption_tax_10", "KWD": None}

_ACCESS = {
    "fibre_100": ("Fibre 100", {"EUR": "25.13", "JPY": "3480", "KWD": "8.500"}),
    "fibre_500": ("Fibre 500", {"EUR": "33.57", "JPY": "4720", "KWD": "12.000"}),
    "fibre_1000": ("Fibre 1000", {"EUR": "46.18", "JPY": "6180", "KWD": "18.250"}),
    "mobile_20": ("Mobile 20 GB", {"EUR": "12.60", "JPY": "1980", "KWD": "4.750"}),
}
_EXTRAS = {
    "fixed_address": ("Fixed IP address", {"EUR": "4.19", "JPY": "700", "KWD": "1.500"}),
    "television": ("Television", {"EUR": "8.39", "JPY": "1280", "KWD": "3.000"}),
}
# Less than the gateway charges in any of the currencies, tax included.
_BELOW_MINIMUM = {"paper_invoice": ("Paper invoice", {"EUR": "0.40", "JPY": "40", "KWD": "0.050"})}

Prices = dict[str, tuple[str, dict[str, str]]]


def _plans(line: str, products: Prices) -> dict[str, tuple[Plan, ...]]:
    return {
        currency: tuple(
            Plan(f"{id}_{currency.lower()}", name, line, Money.parse(prices[currency], currency), tax_rate_id)
            for id, (name, prices) in products.items()
        )
        for currency, tax_rate_id in _TAX_IN.items()
    }


ACCESS = _plans("access", _ACCESS)
EXTRAS = _plans("extras", _EXTRAS)
BELOW_MINIMUM_PLANS = _plans("extras", _BELOW_MINIMUM)

PLANS = tuple(plan for plans in (ACCESS, EXTRAS, BELOW_MINIMUM_PLANS) for sold in plans.values() for plan in sold)
CURRENCIES = tuple(_TAX_IN)
