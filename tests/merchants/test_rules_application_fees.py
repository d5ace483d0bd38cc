"""What a platform takes of a payment: the rule in every currency, and that code and database say the same."""

import json
from decimal import Decimal

import pytest

from models.gateway.amounts import chargeable_part, gateway_minimum
from models.merchants.application_fee import ApplicationFee, application_fee
from models.money import Money
from tests.support.builders import Merchant


def rule(
    percent: str = "0",
    *,
    fixed: dict[str, int] | None = None,
    least: dict[str, int] | None = None,
    most: dict[str, int] | None = None,
) -> ApplicationFee:
    return ApplicationFee(Decimal(percent), fixed or {}, least or {}, most or {}, is_refunded=True)


@pytest.mark.parametrize(
    ("of", "amount", "fee"),
    [
        (rule("2.5"), Money(2500, "EUR"), 63),  # 62.5 cents: half up
        (rule("2.5"), Money(2499, "EUR"), 62),
        (rule("2.5"), Money(1000, "JPY"), 25),
        (rule("2.5"), Money(980, "JPY"), 25),  # 24.5 yen
        (rule("2.5"), Money(1010, "KWD"), 30),  # 0.02525 in steps of 0.010
        (rule("0.0001"), Money(2500, "EUR"), 0),
        (rule("2.5", fixed={"EUR": 25}), Money(2500, "EUR"), 88),
        (rule("2.5", fixed={"EUR": 25}), Money(1000, "JPY"), 25),
        (rule("2.5", least={"EUR": 100}), Money(2500, "EUR"), 100),
        (rule("2.5", most={"EUR": 50}), Money(2500, "EUR"), 50),
        (rule(fixed={"EUR": 60}), Money(50, "EUR"), 50),
        (rule("100"), Money(2500, "EUR"), 2500),
    ],
)
def test_a_fee_is_a_share_and_a_fixed_part_within_its_bounds_and_never_more_than_the_payment(
    of: ApplicationFee, amount: Money, fee: int
) -> None:
    assert of.of(amount) == Money(fee, amount.currency)


@pytest.mark.parametrize(
    ("of", "says"),
    [
        (rule("2.5", fixed={"USD": 10}), "fixed: USD is not among the currencies"),
        (rule(fixed={"EUR": 25}), "nothing would be taken in KWD"),
        (rule("2.5", fixed={"KWD": 5}), "the gateway takes KWD in steps of 0.010 KWD"),
        (rule("2.5", least={"EUR": 30}, most={"EUR": 20}), "minimum: in EUR it is more than the maximum"),
        (rule("2.5", fixed={"EUR": 60}), "of the least charge of 0.50 EUR it would take 0.61 EUR"),
        (rule("2.5", least={"EUR": 51}), "of the least charge of 0.50 EUR it would take 0.51 EUR"),
        (rule("2.5", fixed={"EUR": 60}, most={"EUR": 40}), ""),
        (rule("100"), ""),
    ],
)
def test_a_rule_that_does_not_fit_its_provider_is_refused_by_the_part_that_does_not(
    of: ApplicationFee, says: str
) -> None:
    least = {code: gateway_minimum(code).amount_minor for code in ("EUR", "KWD")}

    found = of.problem(least)

    assert says in found
    assert bool(says) == bool(found)


def test_a_rule_is_kept_as_it_is_and_said_in_words() -> None:
    given = rule("2.50", fixed={"EUR": 25}, least={"EUR": 50}, most={"EUR": 2000})

    assert application_fee(given.stored()) == given
    assert str(given) == "2.5 % + 0.25 EUR at least 0.50 EUR at most 20.00 EUR, refunded"
    assert application_fee({}) is None


async def test_code_and_database_take_the_same_of_every_amount(merchant: Merchant) -> None:
    rules = [
        rule("2.5", fixed={"EUR": 25, "KWD": 100}, least={"EUR": 40, "JPY": 30}, most={"EUR": 120, "KWD": 400}),
        rule("0.3333"),
        rule("100"),
        rule(fixed={"EUR": 10}),
    ]
    amounts = [
        chargeable_part(Money(minor, code))
        for code in ("EUR", "JPY", "KWD")
        for minor in (*range(50, 5000, 7), 99999999)
    ]

    for one in rules:
        rows = await merchant.run(
            "select duly.application_fee_of(cast(:rule as jsonb), x.minor, x.code) from jsonb_to_recordset("
            "cast(:amounts as jsonb)) x (minor bigint, code text)",
            rule=json.dumps(one.stored()),
            amounts=json.dumps([{"minor": each.amount_minor, "code": each.currency} for each in amounts]),
        )
        assert [row[0] for row in rows] == [one.of(each).amount_minor for each in amounts]
