"""What a database does not have yet is waited for: no charge, refund or card has an outcome of it, and none is lost."""

import asyncio

import pytest
from sqlalchemy import text

from migrations import run
from models.cards.card import CardState, ValidationOutcome
from models.collections.collection import Stage
from models.gateway.gateway_request import CollectOutcome, CollectResult
from models.refunds.refund import RefundOutcome
from sandbox.stripe.control.client import STRIPES_DELAYS
from tests.cards.test_registration import until_state
from tests.fixtures.cards import CardClient
from tests.fixtures.refunds import RefundClient

PERIOD = "2026-11"


async def forget(refunds: RefundClient, function: str) -> None:
    """Leave the database without a function, as before the release that brings it."""
    async with refunds.owner_engine.begin() as connection:
        found = await connection.execute(
            text(
                "select oid::regprocedure::text from pg_proc"
                " where pronamespace = 'duly'::regnamespace and proname = :name"
            ),
            {"name": function},
        )
        await connection.execute(text(f"drop function {found.scalar_one()}"))


@pytest.mark.gate_cases("record_outcome")
@pytest.mark.parametrize("function", ["open_attempt", "note_charge", "record_outcome"])
async def test_a_charge_is_made_once_and_posted_after_the_migrate(
    refunds: RefundClient, owner_database_url: str, function: str
) -> None:
    account = await refunds.merchant.account(cards=["pm_card_visa"])
    await refunds.merchant.invoice(account, 2500, currency="EUR")
    await forget(refunds, function)
    collection = await refunds.duly.start_collection(account, PERIOD, provider="stripe")

    first = await collection.execute_update("first_outcome", result_type=CollectResult)
    await asyncio.to_thread(run.migrate, owner_database_url)
    async with refunds.duly.time_passing():
        result = await collection.result()

    # What is only noted of a charge is noted with its outcome as well.
    assert first.outcome is (CollectOutcome.SETTLED if function == "note_charge" else CollectOutcome.UNKNOWN)
    assert (result.stage, result.attempts) == (Stage.SETTLED, 1)
    # Sent again under its key, it has moved money once.
    refunds.sandbox.advance(STRIPES_DELAYS.balance_transaction)
    assert await refunds.wrong() == []


@pytest.mark.gate_cases("record_refund")
@pytest.mark.parametrize("function", ["open_refund", "record_refund"])
async def test_a_refund_is_made_once_and_posted_after_the_migrate(
    refunds: RefundClient, owner_database_url: str, function: str
) -> None:
    [payment] = await refunds.paid(2500)
    await forget(refunds, function)

    first = await refunds.start(payment, 1000, name="rf_waits")
    await asyncio.to_thread(run.migrate, owner_database_url)
    result = await refunds.ended("rf_waits")

    assert (first.outcome, result.outcome) == (RefundOutcome.UNKNOWN, RefundOutcome.REFUNDED)
    assert await refunds.wrong() == []


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize(
    ("function", "state"), [("open_validation", CardState.REGISTERED), ("record_validation", CardState.VALIDATING)]
)
async def test_a_card_is_found_good_after_the_migrate(
    refunds: RefundClient, card_client: CardClient, owner_database_url: str, function: str, state: CardState
) -> None:
    account = await refunds.merchant.account(cards=[])
    await forget(refunds, function)

    card, first = await card_client.save(account)
    before = await card_client.stored(card)
    await asyncio.to_thread(run.migrate, owner_database_url)
    async with refunds.duly.time_passing():
        await until_state(card_client, card, CardState.ACTIVE)

    assert (first.outcome, before) == (ValidationOutcome.UNKNOWN, (state, ""))
    assert await card_client.stored(card) == (CardState.ACTIVE, "")
