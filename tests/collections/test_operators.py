"""Operators steer a collection between its attempts; nonsense is refused with the reason, and leaves no trace."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError

from models.collections.collection import (
    CollectionResult,
    CollectionStatus,
    GraceCommand,
    PaidOutsideCommand,
    RetryCommand,
    Stage,
)
from models.gateway.gateway_request import CollectOutcome
from models.operator_command import OperatorCommand, UnknownResolution
from sandbox.stripe.control.client import FaultKind, SandboxControl
from tests.fixtures.database import table_in_use
from tests.support.attempts import never_answer
from tests.support.builders import Merchant, declined
from tests.support.run_control import at_work, until
from tests.support.running_duly import RunningDuly
from workflows.collections.collection import Collection

Handle = WorkflowHandle[Collection, CollectionResult]
WHO = {"actor": "maria", "reason": "the customer called"}
NOT_CHARGED = UnknownResolution("maria", "found it", was_not_charged=True)


async def declined_collection(duly: RunningDuly, merchant: Merchant, *, times: int = 1) -> Handle:
    """A collection that waits in dunning, its first attempt declined."""
    account = await merchant.account("acc_1", answers=[declined("insufficient_funds")] * times, owes_minor=2500)
    handle = await duly.start_collection(account)
    await handle.execute_update(Collection.first_outcome)
    return handle


async def status(handle: Handle) -> CollectionStatus:
    return await handle.query(Collection.status)


async def is_at(handle: Handle, stage: Stage) -> bool:
    return (await status(handle)).stage is stage


async def refusal(handle: Handle, update: object, command: object) -> str:
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await handle.execute_update(update, command)  # type: ignore[call-overload]
    return str(error.value.cause)


async def test_retry_now_is_a_manual_attempt(duly: RunningDuly, merchant: Merchant) -> None:
    handle = await declined_collection(duly, merchant, times=1)

    await handle.execute_update(Collection.retry_now, RetryCommand(**WHO))
    result = await handle.result()

    assert (result.stage, result.attempts) == (Stage.SETTLED, 2)
    assert await merchant.value("select cause from duly.gateway_attempts where attempt = 2") == "manual"


async def test_retry_on_another_card_charges_that_card(duly: RunningDuly, merchant: Merchant) -> None:
    handle = await declined_collection(duly, merchant, times=9)
    other = await merchant.card("acc_1", "pm_card_mastercard", order=2, is_recurring=False)
    card_id = await merchant.value("select id from duly.cards where token = :token", token=other)

    await handle.execute_update(Collection.retry_now, RetryCommand(**WHO, card_id=card_id))
    result = await handle.result()

    assert result.stage == Stage.SETTLED
    assert await merchant.value("select card_id from duly.gateway_attempts where attempt = 2") == card_id


async def test_a_retry_on_a_card_that_nobody_can_charge_changes_nothing_of_what_is_planned(
    duly: RunningDuly, merchant: Merchant
) -> None:
    handle = await declined_collection(duly, merchant)
    before = await status(handle)

    await handle.execute_update(Collection.retry_now, RetryCommand(**WHO, card_id="card_misspelt"))
    await duly.environment.sleep(timedelta(minutes=1))

    after = await status(handle)
    assert (after.stage, after.next_action_at) == (Stage.DUNNING, before.next_action_at)
    assert after.history[-2].endswith("the card that was named cannot be charged")
    assert await merchant.value("select count(*) from duly.messages where kind = 'card_needed'") == 0
    result = await handle.result()
    assert (result.stage, result.attempts) == (Stage.SETTLED, 2)


async def test_skipping_every_attempt_gives_up_without_asking_the_issuer(duly: RunningDuly, merchant: Merchant) -> None:
    handle = await declined_collection(duly, merchant)

    for _ in range(4):
        await handle.execute_update(Collection.skip_attempt, OperatorCommand(**WHO))
    result = await handle.result()

    assert (result.stage, result.reason) == (Stage.GIVEN_UP, "attempts_used_up")
    assert await merchant.value("select count(*) from duly.gateway_attempts") == 1


async def test_a_skip_that_another_command_overtakes_makes_no_attempt(
    duly: RunningDuly, merchant: Merchant, owner_engine: AsyncEngine
) -> None:
    answers = [declined("insufficient_funds"), declined("expired_card")]
    handle = await duly.start_collection(await merchant.account("acc_1", answers=answers, owes_minor=2500))
    await handle.execute_update(Collection.first_outcome)

    async with table_in_use(owner_engine, "open_items"):
        await handle.signal(Collection.receivable_changed)
        await at_work(handle, "is_owed")
        await handle.execute_update(Collection.retry_now, RetryCommand(**WHO))
        await handle.execute_update(Collection.skip_attempt, OperatorCommand(**WHO))
    await until(lambda: is_at(handle, Stage.WAITING_FOR_CUSTOMER))
    await duly.environment.sleep(timedelta(minutes=1))

    waiting = await status(handle)
    assert (waiting.stage, waiting.attempt) == (Stage.WAITING_FOR_CUSTOMER, 2)
    assert await merchant.value("select count(*) from duly.gateway_attempts") == 2


async def test_an_attempt_that_is_not_planned_cannot_be_skipped(duly: RunningDuly, merchant: Merchant) -> None:
    handle = await declined_collection(duly, merchant)
    await merchant.run("update duly.providers set state = 'not_effective'")
    await handle.execute_update(Collection.retry_now, RetryCommand(**WHO))
    await until(lambda: is_at(handle, Stage.DUNNING))

    reason = await refusal(handle, Collection.skip_attempt, OperatorCommand(**WHO))

    assert reason == "CommandError: stage: there is no scheduled attempt to skip"


async def test_grace_moves_what_comes_next(duly: RunningDuly, merchant: Merchant) -> None:
    handle = await declined_collection(duly, merchant)
    until = await duly.environment.get_current_time() + timedelta(days=40)

    await handle.execute_update(Collection.extend_grace, GraceCommand(**WHO, until=until))

    assert (await status(handle)).next_action_at == until


async def test_grace_before_a_retry_does_not_shorten_what_a_customer_is_given_afterwards(
    duly: RunningDuly, merchant: Merchant
) -> None:
    account = await merchant.account(
        "acc_1", answers=[declined("insufficient_funds"), declined("expired_card")], owes_minor=2500
    )
    handle = await duly.start_collection(account)
    await handle.execute_update(Collection.first_outcome)
    until = await duly.environment.get_current_time() + timedelta(days=2)

    await handle.execute_update(Collection.extend_grace, GraceCommand(**WHO, until=until))
    await duly.environment.sleep(timedelta(days=3))

    waiting = await status(handle)
    assert (waiting.stage, waiting.attempt) == (Stage.WAITING_FOR_CUSTOMER, 2)
    assert waiting.next_action_at is not None
    assert waiting.next_action_at >= until + timedelta(days=14)


async def test_giving_up_leaves_the_receivable_open(duly: RunningDuly, merchant: Merchant) -> None:
    handle = await declined_collection(duly, merchant)

    await handle.execute_update(Collection.give_up, OperatorCommand(**WHO))
    result = await handle.result()

    assert (result.stage, result.reason) == (Stage.GIVEN_UP, "operator_gave_up")
    assert await merchant.balance("acc_1") == 2500
    assert await merchant.value("select state from duly.gateway_requests") == "rejected"


async def test_what_was_paid_outside_is_posted_and_charged_no_more(duly: RunningDuly, merchant: Merchant) -> None:
    handle = await declined_collection(duly, merchant)

    number = await handle.execute_update(Collection.mark_paid_outside, PaidOutsideCommand(**WHO, reference="B-17"))
    result = await handle.result()

    assert number.startswith("PAY-")
    assert (result.stage, result.reason) == (Stage.SETTLED, "nothing_owed")
    assert await merchant.balance("acc_1") == 0
    assert await merchant.value("select count(*) from duly.gateway_attempts") == 1


async def test_an_unknown_outcome_is_resolved_by_the_gateways_id(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    handle = await unknown_collection(duly, merchant, stripe_sandbox)
    payment = stripe_sandbox.movements().groups[0].payment_intent_ids[0]

    resolved = await handle.execute_update(
        Collection.resolve_unknown, UnknownResolution("maria", "found it", gateway_reference=payment)
    )
    result = await handle.result()

    assert resolved.outcome == CollectOutcome.SETTLED
    assert result.stage == Stage.SETTLED
    assert await merchant.value("select resolved_by from duly.gateway_attempts") == "maria"


async def test_another_payments_id_is_no_evidence(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    handle = await unknown_collection(duly, merchant, stripe_sandbox)
    stripe_sandbox.clear_faults()
    customer = await merchant.value("select customer_reference from duly.gateway_customers")
    other = await merchant.stripe.v1.payment_intents.create_async(
        {"amount": 2500, "currency": "eur", "customer": customer}
    )

    why = await refusal(
        handle, Collection.resolve_unknown, UnknownResolution("maria", "found it", gateway_reference=other.id)
    )

    assert "another_payment" in why


async def test_a_decision_that_nothing_was_charged_lets_collection_go_on(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    handle = await unknown_collection(duly, merchant, stripe_sandbox, kind=FaultKind.REQUEST_LOST)

    stripe_sandbox.clear_faults()
    await handle.execute_update(Collection.resolve_unknown, NOT_CHARGED)
    result = await handle.result()

    assert (result.stage, result.attempts) == (Stage.SETTLED, 2)
    assert stripe_sandbox.movements().totals[0].charges.count == 1


@pytest.mark.parametrize(
    ("update", "command", "why"),
    [
        (Collection.retry_now, RetryCommand("", "why"), "actor: say who asks"),
        (Collection.retry_now, RetryCommand("maria", " "), "reason: say why"),
        (Collection.mark_paid_outside, PaidOutsideCommand(**WHO, reference=""), "reference: say where"),
        (
            Collection.resolve_unknown,
            NOT_CHARGED,
            "there is no unknown outcome",
        ),
        (Collection.resolve_unknown, UnknownResolution("maria", "no idea"), "not both, not neither"),
    ],
)
async def test_nonsense_is_refused(
    duly: RunningDuly, merchant: Merchant, update: object, command: object, why: str
) -> None:
    handle = await declined_collection(duly, merchant)

    assert why in await refusal(handle, update, command)


async def test_nothing_is_tried_while_an_outcome_is_unknown(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    handle = await unknown_collection(duly, merchant, stripe_sandbox)

    for update, command in (
        (Collection.retry_now, RetryCommand(**WHO)),
        (Collection.give_up, OperatorCommand(**WHO)),
        (Collection.mark_paid_outside, PaidOutsideCommand(**WHO, reference="B-17")),
    ):
        assert "stage: unknown" in await refusal(handle, update, command)


async def unknown_collection(
    duly: RunningDuly,
    merchant: Merchant,
    stripe_sandbox: SandboxControl,
    kind: FaultKind = FaultKind.RESPONSE_LOST,
) -> Handle:
    """A collection whose charge never gets an answer, and that cannot look for it."""
    account = await merchant.account("acc_1", owes_minor=2500)
    never_answer(stripe_sandbox, kind)
    handle = await duly.start_collection(account)
    first = await handle.execute_update(Collection.first_outcome)
    assert first.outcome == CollectOutcome.UNKNOWN
    return handle


async def test_a_reference_as_long_as_a_bank_writes_it_is_kept_whole_and_pays_once(
    duly: RunningDuly, merchant: Merchant
) -> None:
    handle = await declined_collection(duly, merchant)
    reference = "Überweisung " + "é" * 900

    number = await handle.execute_update(Collection.mark_paid_outside, PaidOutsideCommand(**WHO, reference=reference))
    again = await merchant.value(
        "select duly.record_paid_outside('acc_1', '2026-11', :reference, 'bank_transfer', 'maria')", reference=reference
    )
    result = await handle.result()

    assert (result.stage, again) == (Stage.SETTLED, number)
    [paid] = await merchant.run(
        "select payment_reference from duly.financial_transactions t join duly.transaction_numbers n"
        " on n.transaction_id = t.id where n.number = :number",
        number=number,
    )
    assert paid.payment_reference == reference
