"""While nobody knows what became of an attempt, no other may begin: not by number, channel, period or hand."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.collections.collect import CollectActivities
from activities.database import Database, RuleBrokenError
from models.gateway.gateway_request import CollectOutcome
from sandbox.stripe.control.client import Answer, CardOutcome, Fault, FaultKind, SandboxControl
from tests.support.attempts import CHARGES, charged, never_answer, refused_type, request_for
from tests.support.builders import PERIOD, Merchant, declined
from tests.support.running_duly import RunningDuly
from workflows.collections.collection import Collection

PROCESSING = CardOutcome(answer=Answer.PROCESS, after_seconds=3600)


@pytest.fixture
async def unknown(merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl) -> str:
    """An account whose one attempt has no answer and may have charged the card."""
    account = await merchant.account(owes_minor=2500)
    stripe_sandbox.add_fault(Fault(operation=CHARGES, kind=FaultKind.RESPONSE_LOST, calls=(1,)))
    await refused_type(collecting, request_for(account))
    return account


async def open_collection(database: Database, account: str, owner: str) -> dict[str, Any]:
    terms: dict[str, Any] = await database.call(
        "open_collection",
        account_id=account,
        period=PERIOD,
        provider_id="stripe",
        run_id="",
        invoices=[],
        owner=owner,
    )
    return terms


async def close_collection(database: Database, account: str) -> None:
    await database.call(
        "close_collection", account_id=account, period=PERIOD, stage="given_up", reason="tired", action="nothing"
    )


async def test_no_second_attempt_begins(unknown: str, collecting: CollectActivities) -> None:
    assert await refused_type(collecting, request_for(unknown, attempt=2)) == "no_attempt_in_flight"


async def test_no_second_attempt_begins_while_the_first_is_processing(
    merchant: Merchant, collecting: CollectActivities
) -> None:
    account = await merchant.account(answers=[PROCESSING], owes_minor=2500)
    await collecting.collect(request_for(account))

    assert await refused_type(collecting, request_for(account, attempt=2)) == "no_attempt_in_flight"


async def test_no_attempt_is_left_out(merchant: Merchant, collecting: CollectActivities) -> None:
    account = await merchant.account(answers=[declined("do_not_honor")], owes_minor=2500)
    await collecting.collect(request_for(account))

    assert await refused_type(collecting, request_for(account, attempt=3)) == "attempts_in_order"


async def test_nobody_may_let_the_receivable_go(unknown: str, database: Database) -> None:
    await open_collection(database, unknown, "first")

    with pytest.raises(RuleBrokenError) as refused:
        await close_collection(database, unknown)

    assert refused.value.type == "no_attempt_in_flight"


async def test_who_follows_an_owner_that_was_stopped_asks_about_the_same_attempt_first(
    unknown: str, database: Database
) -> None:
    mine = await open_collection(database, unknown, "first")

    followed = await open_collection(database, unknown, "second")

    assert followed == mine
    assert followed["attempt"] == 1


async def test_nobody_may_take_over_what_was_settled(
    merchant: Merchant, collecting: CollectActivities, database: Database
) -> None:
    account = await merchant.account(owes_minor=2500)
    await open_collection(database, account, "first")
    await collecting.collect(request_for(account))
    await close_collection(database, account)

    with pytest.raises(RuleBrokenError) as refused:
        await open_collection(database, account, "second")

    assert refused.value.type == "one_owner"


async def test_another_period_may_not_charge_the_same_invoice(unknown: str, collecting: CollectActivities) -> None:
    result = await collecting.collect(request_for(unknown, period="2026-12"))

    assert result.outcome == CollectOutcome.NOTHING_OWED


async def test_the_next_months_run_passes_it_over(unknown: str, duly: RunningDuly) -> None:
    certificate = await duly.run(period="2026-12")

    (total,) = certificate.totals
    assert (total.outcome, total.reason, total.members) == ("skipped", "in_collection", 1)


async def test_a_second_collection_is_refused_by_its_id(duly: RunningDuly, merchant: Merchant) -> None:
    account = await merchant.account(cards=[], owes_minor=2500)
    await duly.start_collection(account)

    with pytest.raises(WorkflowAlreadyStartedError):
        await duly.start_collection(account)


async def test_the_database_itself_refuses_a_second_request_for_the_receivable(
    unknown: str, owner_engine: AsyncEngine
) -> None:
    copied = (
        "insert into duly.gateway_requests (kind, provider_id, account_id, period, amount_minor, currency)"
        " select kind, provider_id, account_id, period, amount_minor, currency from duly.gateway_requests"
    )

    with pytest.raises(IntegrityError, match="one_request_a_receivable"):
        async with owner_engine.begin() as connection:
            await connection.execute(text(copied))


async def test_the_database_itself_refuses_a_second_attempt_in_flight(unknown: str, owner_engine: AsyncEngine) -> None:
    copied = (
        "insert into duly.gateway_attempts (request_id, attempt, idempotency_key, cause, card_id, token, customer,"
        " payment_id, amount_minor) select request_id, 2, 'another', cause, card_id, token, customer, payment_id,"
        " amount_minor from duly.gateway_attempts"
    )

    with pytest.raises(IntegrityError, match="one_attempt_in_flight"):
        async with owner_engine.begin() as connection:
            await connection.execute(text(copied))


async def test_after_the_evidence_the_same_money_is_never_asked_for_again(
    unknown: str, collecting: CollectActivities, stripe_sandbox: SandboxControl
) -> None:
    settled = await collecting.collect(request_for(unknown))

    again = await collecting.collect(request_for(unknown, attempt=2))

    assert (settled.outcome, again.outcome) == (CollectOutcome.SETTLED, CollectOutcome.CLOSED)
    assert charged(stripe_sandbox) == (1, 2500)


@pytest.mark.nightly
async def test_a_person_is_asked_about_an_outcome_that_nobody_knows_after_six_hours(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=2500)
    never_answer(stripe_sandbox)
    handle = await duly.start_collection(account)
    await handle.execute_update(Collection.first_outcome)

    await duly.environment.sleep(timedelta(hours=4))
    before = await handle.query(Collection.status)
    await duly.environment.sleep(timedelta(hours=4))
    after = await handle.query(Collection.status)

    assert (before.stage, before.is_in_review) == ("unknown", False)
    assert (after.stage, after.is_in_review, after.review_reason) == ("unknown", True, "unknown_outcome")
    stripe_sandbox.clear_faults()
