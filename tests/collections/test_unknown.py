"""When nobody knows: the attempt is asked again, then looked up; nothing else is tried before there is evidence."""

from datetime import timedelta

import pytest
import stripe
from sqlalchemy.ext.asyncio import AsyncEngine

import activities.gateway.attempts
from activities.collections.collect import CollectActivities
from models.gateway.gateway_request import CollectOutcome
from models.gateway.identity import ATTEMPT
from sandbox.stripe.control.client import Answer, CardOutcome, Fault, FaultKind, SandboxControl
from tests.support.attempts import (
    CHARGES,
    LISTS,
    age_attempts,
    attempts,
    broken_invariants,
    charged,
    fault_charges,
    quiet_period_passes,
    refused_type,
    request_for,
    request_state,
    until_answered,
)
from tests.support.builders import Merchant, declined

A_DAY_AND_AN_HOUR = timedelta(hours=25)
RECENTLY = timedelta(minutes=1)


@pytest.mark.parametrize(
    "kind",
    [
        FaultKind.REQUEST_LOST,
        FaultKind.RESPONSE_LOST,
        FaultKind.RESET_MID_BODY,
        FaultKind.SERVER_ERROR_500,
        FaultKind.UNAVAILABLE_503,
        FaultKind.CONFLICT,
    ],
)
async def test_without_an_answer_the_same_attempt_is_asked_again_and_charged_once(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl, kind: FaultKind
) -> None:
    account = await merchant.account(owes_minor=2500)
    fault_charges(stripe_sandbox, kind)

    assert await refused_type(collecting, request_for(account)) == "GatewayUnanswered"
    assert await request_state(merchant, account) == "unknown"
    result = await collecting.collect(request_for(account))

    assert (result.outcome, result.attempt) == (CollectOutcome.SETTLED, 1)
    assert charged(stripe_sandbox) == (1, 2500)
    assert await merchant.balance(account) == 0
    assert await broken_invariants(merchant) == []


@pytest.mark.parametrize("kind", [FaultKind.RATE_LIMIT, FaultKind.LOCK_TIMEOUT])
async def test_too_fast_or_locked_is_not_unknown(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl, kind: FaultKind
) -> None:
    account = await merchant.account(owes_minor=2500)
    fault_charges(stripe_sandbox, kind)

    assert await refused_type(collecting, request_for(account)) == "GatewayBusy"
    assert await request_state(merchant, account) == "under_processing"
    assert (await collecting.collect(request_for(account))).outcome == CollectOutcome.SETTLED


@pytest.mark.parametrize("decline_code", ["", "insufficient_funds"])
async def test_a_lost_answer_is_found_whatever_it_was(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl, decline_code: str
) -> None:
    answers = [declined(decline_code)] if decline_code else []
    account = await merchant.account(answers=answers, owes_minor=2500)
    fault_charges(stripe_sandbox, FaultKind.RESPONSE_LOST, calls=(1, 2))

    result = await until_answered(collecting, request_for(account))

    assert result.outcome == (CollectOutcome.DECLINED if decline_code else CollectOutcome.SETTLED)
    assert result.decline_code == decline_code
    assert stripe_sandbox.request_counts()[CHARGES] == (3 if decline_code else 1)
    assert charged(stripe_sandbox) == ((0, 0) if decline_code else (1, 2500))


async def test_what_looks_unpaid_right_after_a_lost_answer_is_left_to_the_key(
    merchant: Merchant,
    collecting: CollectActivities,
    stripe_sandbox: SandboxControl,
    stripe_client: stripe.StripeClient,
) -> None:
    account = await merchant.account(owes_minor=2500)
    fault_charges(stripe_sandbox, FaultKind.REQUEST_LOST)
    await refused_type(collecting, request_for(account))
    key = await merchant.value("select idempotency_key from duly.gateway_attempts")
    customer = await merchant.value("select customer_reference from duly.gateway_customers")
    # As Stripe lists a payment that it is working on still: a decline is written the same.
    await stripe_client.v1.payment_intents.create_async(
        {"amount": 2500, "currency": "eur", "customer": customer, "metadata": {ATTEMPT: key}}
    )

    result = await collecting.collect(request_for(account))

    assert (result.outcome, result.attempt) == (CollectOutcome.SETTLED, 1)
    assert charged(stripe_sandbox) == (1, 2500)


@pytest.mark.parametrize("kind", [FaultKind.SLOW_ANSWER, FaultKind.UNAVAILABLE_503, FaultKind.RATE_LIMIT])
async def test_where_nobody_can_look_the_key_is_sent_again_and_charges_once(
    merchant: Merchant,
    collecting: CollectActivities,
    stripe_sandbox: SandboxControl,
    monkeypatch: pytest.MonkeyPatch,
    kind: FaultKind,
) -> None:
    account = await merchant.account(owes_minor=2500)
    fault_charges(stripe_sandbox, FaultKind.RESPONSE_LOST)
    stripe_sandbox.add_fault(Fault(operation=LISTS, kind=kind, delay_seconds=60))
    monkeypatch.setattr(activities.gateway.attempts, "CHECK_SECONDS", 0.5)
    await refused_type(collecting, request_for(account))

    result = await collecting.collect(request_for(account))

    assert result.outcome == CollectOutcome.SETTLED
    assert stripe_sandbox.request_counts()[CHARGES] == 2
    assert charged(stripe_sandbox) == (1, 2500)


async def test_a_stored_error_before_any_effect_is_proved_by_absence_and_followed_by_a_new_attempt(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl, owner_engine: AsyncEngine
) -> None:
    account = await merchant.account(owes_minor=2500)
    fault_charges(stripe_sandbox, FaultKind.STORED_500)

    at_once = [await refused_type(collecting, request_for(account)) for _ in range(3)]
    unproved = await attempts(merchant, account)
    await quiet_period_passes(owner_engine)
    first = await collecting.collect(request_for(account))
    second = await collecting.collect(request_for(account, attempt=2))

    assert (at_once, unproved) == (["GatewayUnanswered"] * 3, [(1, "unknown")])
    assert (first.outcome, second.outcome) == (CollectOutcome.DID_NOT_HAPPEN, CollectOutcome.SETTLED)
    assert await attempts(merchant, account) == [(1, "did_not_happen"), (2, "succeeded")]
    assert charged(stripe_sandbox) == (1, 2500)
    assert await merchant.balance(account) == 0


@pytest.mark.parametrize("decline_code", ["", "insufficient_funds"])
async def test_a_stored_error_after_the_effect_is_settled_by_what_the_gateway_lists(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl, decline_code: str
) -> None:
    answers = [declined(decline_code)] if decline_code else []
    account = await merchant.account(answers=answers, owes_minor=2500)
    fault_charges(stripe_sandbox, FaultKind.STORED_500_AFTER_EFFECT)

    result = await until_answered(collecting, request_for(account))

    assert result.outcome == (CollectOutcome.DECLINED if decline_code else CollectOutcome.SETTLED)
    assert result.decline_code == decline_code
    assert stripe_sandbox.request_counts()[CHARGES] == (2 if decline_code else 1)
    assert await merchant.balance(account) == (2500 if decline_code else 0)


async def test_a_key_older_than_a_day_is_never_sent_again_and_presence_settles(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl, owner_engine: AsyncEngine
) -> None:
    account = await merchant.account(owes_minor=2500)
    fault_charges(stripe_sandbox, FaultKind.RESPONSE_LOST)
    await refused_type(collecting, request_for(account))
    await age_attempts(owner_engine, started=A_DAY_AND_AN_HOUR, sent=A_DAY_AND_AN_HOUR)

    result = await collecting.collect(request_for(account))

    assert result.outcome == CollectOutcome.SETTLED
    assert stripe_sandbox.request_counts()[CHARGES] == 1
    assert charged(stripe_sandbox) == (1, 2500)


async def test_a_key_older_than_a_day_that_never_arrived_did_not_happen(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl, owner_engine: AsyncEngine
) -> None:
    account = await merchant.account(owes_minor=2500)
    fault_charges(stripe_sandbox, FaultKind.REQUEST_LOST)
    await refused_type(collecting, request_for(account))
    await age_attempts(owner_engine, started=A_DAY_AND_AN_HOUR, sent=A_DAY_AND_AN_HOUR)

    result = await collecting.collect(request_for(account))

    assert result.outcome == CollectOutcome.DID_NOT_HAPPEN
    assert charged(stripe_sandbox) == (0, 0)


async def test_a_request_sent_a_moment_ago_may_still_arrive_so_its_absence_proves_nothing_yet(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl, owner_engine: AsyncEngine
) -> None:
    account = await merchant.account(owes_minor=2500)
    fault_charges(stripe_sandbox, FaultKind.REQUEST_LOST)
    await refused_type(collecting, request_for(account))
    await age_attempts(owner_engine, started=A_DAY_AND_AN_HOUR, sent=RECENTLY)

    too_early = await refused_type(collecting, request_for(account))
    await age_attempts(owner_engine, started=A_DAY_AND_AN_HOUR, sent=timedelta(minutes=4))

    assert too_early == "GatewayUnanswered"
    assert (await collecting.collect(request_for(account))).outcome == CollectOutcome.DID_NOT_HAPPEN


async def test_looking_is_not_sending_so_looks_do_not_put_off_the_proof(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl, owner_engine: AsyncEngine
) -> None:
    account = await merchant.account(owes_minor=2500)
    fault_charges(stripe_sandbox, FaultKind.REQUEST_LOST)
    await refused_type(collecting, request_for(account))
    await age_attempts(owner_engine, started=A_DAY_AND_AN_HOUR, sent=A_DAY_AND_AN_HOUR)
    stripe_sandbox.add_fault(Fault(operation=LISTS, kind=FaultKind.SERVER_ERROR_500, calls=(1,)))

    failed_check = await refused_type(collecting, request_for(account))
    result = await collecting.collect(request_for(account))

    assert failed_check == "GatewayUnanswered"
    assert result.outcome == CollectOutcome.DID_NOT_HAPPEN


async def test_a_look_that_is_refused_says_nothing_about_what_happened(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl, owner_engine: AsyncEngine
) -> None:
    account = await merchant.account(owes_minor=2500)
    fault_charges(stripe_sandbox, FaultKind.RESPONSE_LOST)
    await refused_type(collecting, request_for(account))
    await age_attempts(owner_engine, started=A_DAY_AND_AN_HOUR, sent=A_DAY_AND_AN_HOUR)
    stripe_sandbox.reset()  # as if the key had become another account's, which knows no such customer

    refused = await refused_type(collecting, request_for(account))

    assert refused == "GatewayUnanswered"
    assert await attempts(merchant, account) == [(1, None)]
    assert await request_state(merchant, account) == "unknown"


async def test_an_answer_about_other_money_is_no_evidence_and_waits_for_a_person(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl,
    owner_engine: AsyncEngine, stripe_client: stripe.StripeClient,
) -> None:  # fmt: skip
    account = await merchant.account(answers=[declined("do_not_honor")], owes_minor=2500)
    fault_charges(stripe_sandbox, FaultKind.RESPONSE_LOST)
    await refused_type(collecting, request_for(account))
    (intent,) = (await stripe_client.v1.payment_intents.list_async()).data
    await stripe_client.v1.payment_intents.update_async(intent.id, {"amount": 9900})
    await age_attempts(owner_engine, started=A_DAY_AND_AN_HOUR, sent=A_DAY_AND_AN_HOUR)

    refused = [await refused_type(collecting, request_for(account)) for _ in range(2)]

    code = await merchant.value("select error_code from duly.gateway_requests")
    assert refused == ["GatewayUnanswered", "GatewayUnanswered"]
    assert (await attempts(merchant, account), code) == ([(1, "unknown")], "amount_mismatch")


@pytest.mark.parametrize("then", [Answer.SUCCEED, Answer.DECLINE])
async def test_a_payment_in_processing_is_looked_up_until_it_has_come_to_its_end(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl, then: Answer
) -> None:
    slowly = CardOutcome(answer=Answer.PROCESS, then=then, after_seconds=3600)
    account = await merchant.account(answers=[slowly], owes_minor=2500)

    accepted = await collecting.collect(request_for(account))
    still = await collecting.collect(request_for(account))
    stripe_sandbox.advance(3600)
    ended = await collecting.collect(request_for(account))

    assert (accepted.outcome, still.outcome) == (CollectOutcome.PROCESSING, CollectOutcome.PROCESSING)
    assert ended.outcome == (CollectOutcome.SETTLED if then is Answer.SUCCEED else CollectOutcome.DECLINED)
    assert stripe_sandbox.request_counts()[CHARGES] == 1
    assert await merchant.balance(account) == (0 if then is Answer.SUCCEED else 2500)
    assert await broken_invariants(merchant) == []
