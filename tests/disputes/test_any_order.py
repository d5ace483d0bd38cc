"""Whatever order disputes, reversals, refunds, their failures and fees come in, the ledger has what the gateway has."""

import random

import pytest
from sqlalchemy.exc import DBAPIError

from tests.disputes.histories import PAID_MINOR, History
from tests.fixtures.refunds import RefundClient

STEPS = 14
# A history takes some 100 ms.
IN_THE_GATE = range(25)
AT_NIGHT = range(1_000, 1_500)


async def faults_of(history: History, account: str) -> list[str]:
    """What the ledger has wrong after a history, in words."""
    balances = await history.balances()
    gone = history.refunded_minor + history.withdrawn_minor
    at_gateway = PAID_MINOR - gone - history.fees_minor
    # Of what went back beyond the payment the customer has something twice; nobody owes it.
    written_off = max(0, gone - PAID_MINOR)
    rows = await history.connection.exec_driver_sql(
        "select balance_minor from duly.account_balances where account_id = %s", (account,)
    )
    found = {
        "clearing equals the gateway's balance": (balances.get("gateway_clearing:stripe", 0), at_gateway),
        "nothing of one currency is converted": (balances.get("currency_conversion:stripe", 0), 0),
        "nothing is held when all is decided": (balances.get("dispute_holding:stripe", 0), 0),
        "what the customer has twice is written off": (balances.get("write_off", 0), written_off),
        "the customer owes what is unpaid": (rows.scalar_one(), PAID_MINOR - max(0, PAID_MINOR - gone)),
        "what is paid can be refunded": (await history.left(), max(0, PAID_MINOR - gone)),
        "fees are the gateway's": (balances.get("gateway_fees:stripe", 0), history.fees_minor),
    }
    return [f"{rule}: {is_} and not {should}" for rule, (is_, should) in found.items() if is_ != should]


async def faults_in_dollars(history: History, account: str) -> list[str]:
    """The same where the gateway's balance is in dollars: of its rates only a difference is left."""
    euros, dollars = await history.balances("EUR"), await history.balances("USD")
    settled = sum(each.settled_minor for each in history.disputes)
    rows = await history.connection.exec_driver_sql(
        "select balance_minor from duly.account_balances where account_id = %s", (account,)
    )
    found = {
        "clearing in euros is what was paid and refunded": (
            euros.get("gateway_clearing:stripe", 0), PAID_MINOR - history.refunded_minor
        ),
        "clearing in dollars equals the gateway's balance": (dollars.get("gateway_clearing:stripe", 0), settled),
        "nothing is held when all is decided": (euros.get("dispute_holding:stripe", 0), 0),
    }  # fmt: skip
    if all(each.withdrawn_minor == 0 for each in history.disputes if each.state == "won") and not any(
        each.state == "lost" for each in history.disputes
    ):
        gone = history.refunded_minor
        found["what came back is paid again"] = (rows.scalar_one(), min(gone, PAID_MINOR))
        found["nothing is left to be converted"] = (euros.get("currency_conversion:stripe", 0), 0)
    return [f"{rule}: {is_} and not {should}" for rule, (is_, should) in found.items() if is_ != should]


async def broken_histories(refunds: RefundClient, seeds: range, *, is_in_dollars: bool = False) -> list[str]:
    """Play the history of each seed on one payment, and return the faults of those that have any, and how they went."""
    [payment] = await refunds.paid(PAID_MINOR)
    account = await refunds.account_of(payment)
    reference = str(await refunds.merchant.value("select gateway_reference from duly.gateway_requests"))
    broken = []
    async with refunds.owner_engine.connect() as connection:
        for seed in seeds:
            transaction = await connection.begin()
            history = History(connection, payment, reference, random.Random(seed), is_in_dollars)
            try:
                await history.play(history.chance.randint(4, STEPS))
                faults = await (faults_in_dollars if is_in_dollars else faults_of)(history, account)
            except DBAPIError as error:
                faults = [str(error.orig)]
            if faults:
                broken.append("\n".join((f"seed {seed}", *faults, *history.log)))
            elif seed % 10 == 0:
                violated = await connection.exec_driver_sql("select rule, offender from duly.invariant_violations")
                broken += [f"seed {seed}: {row.rule} {row.offender}" for row in violated]
            await transaction.rollback()
    return broken


async def test_whatever_order_they_come_in_clearing_is_the_gateways_balance_and_nothing_is_lost(
    refunds: RefundClient,
) -> None:
    broken = await broken_histories(refunds, IN_THE_GATE)

    assert broken == []


@pytest.mark.nightly
async def test_where_the_balance_is_in_dollars_only_the_difference_of_the_rates_is_left_over(
    refunds: RefundClient,
) -> None:
    broken = await broken_histories(refunds, IN_THE_GATE, is_in_dollars=True)

    assert broken == []


@pytest.mark.nightly
@pytest.mark.timeout(900)
@pytest.mark.parametrize("is_in_dollars", [False, True])
async def test_of_hundreds_of_histories_none_breaks_the_ledger(refunds: RefundClient, *, is_in_dollars: bool) -> None:
    broken = await broken_histories(refunds, AT_NIGHT, is_in_dollars=is_in_dollars)

    assert broken == []
