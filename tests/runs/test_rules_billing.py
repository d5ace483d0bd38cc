"""From a subscription that is due to the invoice that bills it."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.gateway.amounts import charge_step, to_gateway
from models.money import Money
from models.period import Period
from models.runs.billing import CannotBillError, DueSubscription, invoice_of, monthly_price

NOVEMBER = Period.parse("2026-11")
PLAN = DueSubscription(
    id="sub_1",
    account_id="acc_1",
    currency="EUR",
    account_currency="EUR",
    product_id="plan",
    product_name="Plan",
    price_minor=1000,
    quantity=1,
    billing_day=1,
    tax_rate_id="vat",
    tax_percent=Decimal(19),
)


def test_an_invoice_has_one_line_with_net_tax_and_total() -> None:
    invoice = invoice_of(replace(PLAN, quantity=3), NOVEMBER)

    (line,) = invoice["lines"]
    assert (line["quantity"], line["unit_price_minor"]) == (3, 1000)
    assert (line["net_minor"], line["tax_minor"], line["total_minor"]) == (3000, 570, 3570)
    assert invoice["issued_on"] == "2026-11-01"


@pytest.mark.parametrize(
    ("price_minor", "percent", "tax_minor"),
    [
        (250, Decimal(19), 48),  # 47.5: a half goes up
        (249, Decimal(19), 47),  # 47.31
        (1, Decimal(19), 0),
        (3, Decimal(19), 1),  # 0.57
        (1000, Decimal("7.7"), 77),
        (1000, Decimal(0), 0),
        (1000, None, 0),
    ],
)
def test_tax_is_rounded_once_halves_up(price_minor: int, percent: Decimal | None, tax_minor: int) -> None:
    invoice = invoice_of(replace(PLAN, price_minor=price_minor, tax_percent=percent), NOVEMBER)

    assert invoice["lines"][0]["tax_minor"] == tax_minor


@pytest.mark.parametrize(("currency", "price_minor", "total_minor"), [("JPY", 980, 1166), ("KWD", 12500, 14870)])
def test_minor_units_are_the_currencys_own(currency: str, price_minor: int, total_minor: int) -> None:
    due = replace(PLAN, currency=currency, account_currency=currency, price_minor=price_minor)

    assert invoice_of(due, NOVEMBER)["lines"][0]["total_minor"] == total_minor


def test_a_month_that_the_gateway_could_not_charge_is_rounded_down_by_a_discount_that_the_line_names() -> None:
    due = replace(PLAN, currency="KWD", account_currency="KWD", price_minor=1230)

    (line,) = invoice_of(due, NOVEMBER)["lines"]

    assert (line["unit_price_minor"], line["discount_minor"], line["net_minor"]) == (1230, 3, 1227)
    assert (line["tax_minor"], line["total_minor"]) == (233, 1460)
    assert line["description"] == "Plan (less 0.003 KWD: cards are charged in steps of 0.010 KWD)"


def test_a_total_that_no_discount_leads_to_gets_a_line_for_the_last_unit() -> None:
    due = replace(PLAN, currency="KWD", account_currency="KWD", price_minor=1004, tax_percent=Decimal("99.9"))

    invoice = invoice_of(due, NOVEMBER)

    assert [line["total_minor"] for line in invoice["lines"]] == [1999, 1]
    assert invoice["lines"][1]["description"] == "Rounding, without tax"


def test_a_month_below_one_step_of_the_gateway_cannot_be_billed() -> None:
    with pytest.raises(CannotBillError, match="amount_in_steps"):
        invoice_of(replace(PLAN, currency="KWD", account_currency="KWD", price_minor=7), NOVEMBER)


@given(
    st.sampled_from(("BHD", "JOD", "KWD", "OMR", "TND", "MGA", "ISK", "UGX", "HUF", "TWD", "JPY", "EUR")),
    st.integers(200, 10**6),
    st.integers(1, 100),
    st.decimals("0", "100", places=4),
)
def test_every_month_is_charged_at_once_and_never_above_its_price(
    currency: str, price_minor: int, quantity: int, percent: Decimal
) -> None:
    due = replace(
        PLAN,
        currency=currency,
        account_currency=currency,
        price_minor=price_minor,
        quantity=quantity,
        tax_percent=percent,
    )

    price = monthly_price(due)

    assert to_gateway(Money(price.total_minor, currency)) > 0
    assert price.net_minor == price_minor * quantity - price.discount_minor
    assert 0 <= price.discount_minor < charge_step(currency)
    assert price.untaxed_minor in {0, 1}


@pytest.mark.parametrize(
    ("period", "billing_day", "begins", "ends"),
    [
        ("2026-11", 1, "2026-11-01", "2026-12-01"),
        ("2026-12", 15, "2026-12-15", "2027-01-15"),
        ("2026-01", 31, "2026-01-31", "2026-02-28"),
        ("2026-02", 31, "2026-02-28", "2026-03-31"),
        ("2028-01", 30, "2028-01-30", "2028-02-29"),
        ("2028-02", 30, "2028-02-29", "2028-03-30"),
    ],
)
def test_a_line_is_for_the_month_that_begins_on_the_billing_day(
    period: str, billing_day: int, begins: str, ends: str
) -> None:
    invoice = invoice_of(replace(PLAN, billing_day=billing_day), Period.parse(period))

    (line,) = invoice["lines"]
    assert (invoice["issued_on"], line["period_from"], line["period_to"]) == (begins, begins, ends)


def test_the_same_days_have_the_same_key_and_other_days_another() -> None:
    again = invoice_of(replace(PLAN, price_minor=2000), NOVEMBER)

    assert invoice_of(PLAN, NOVEMBER)["key"] == again["key"] == "billing:sub_1:2026-11-01"
    assert invoice_of(PLAN, NOVEMBER.next())["key"] == "billing:sub_1:2026-12-01"


def test_a_subscription_in_another_currency_than_its_account_cannot_be_billed() -> None:
    with pytest.raises(CannotBillError) as refused:
        invoice_of(replace(PLAN, currency="JPY"), NOVEMBER)

    assert refused.value.rule == "currency_of_account"


@given(st.integers(1, 10**9), st.integers(1, 1000), st.decimals("0", "100", places=3))
def test_a_total_is_its_net_and_its_tax_to_the_unit(price_minor: int, quantity: int, percent: Decimal) -> None:
    due = replace(PLAN, price_minor=price_minor, quantity=quantity, tax_percent=percent)

    (line,) = invoice_of(due, NOVEMBER)["lines"]

    assert line["net_minor"] == price_minor * quantity
    assert line["total_minor"] == line["net_minor"] + line["tax_minor"]
    assert abs(line["tax_minor"] - line["net_minor"] * percent / 100) <= Decimal("0.5")
