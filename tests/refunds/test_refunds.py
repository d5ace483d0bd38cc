"""Refunds: any part of a payment, once for each id, posted when the gateway has paid, undone when it comes back."""

from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from models.operator_command import UnknownResolution
from models.refunds.refund import InvalidRefundError, RefundOrder, RefundOutcome
from sandbox.stripe.control.client import Fault, FaultKind, SandboxControl
from tests.fixtures.refunds import RefundClient
from tests.support.attempts import never_answer

REFUNDS = "POST /v1/refunds"
CHECKS = "GET /v1/refunds/{id}"
TRIES_OF_AN_OUTAGE = 12


async def rule_of(refunds: RefundClient, payment: str, amount_minor: int = 0, **options: Any) -> str:
    """Ask for a refund that may not be, and return the rule."""
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await refunds.start(payment, amount_minor, **options)
    return str(getattr(refused.value.cause, "type", ""))


async def refunds_at_the_gateway(refunds: RefundClient) -> tuple[int, int]:
    totals = refunds.sandbox.movements().totals
    return sum(total.refunds.count for total in totals), sum(total.refunds.amount_minor for total in totals)


async def test_a_part_that_the_gateway_could_not_send_is_refused_before_anything_is_written(
    refunds: RefundClient,
) -> None:
    [payment] = await refunds.paid(12_340, currency="KWD")

    assert await rule_of(refunds, payment, 1234) == "amount_in_steps"
    assert await refunds.merchant.value("select count(*) from duly.gateway_requests where kind = 'refund'") == 0


async def test_a_refund_is_posted_when_the_gateway_has_paid_it(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)

    result = await refunds.start(payment, 1000)

    assert (result.outcome, result.amount_minor, result.currency) == (RefundOutcome.REFUNDED, 1000, "EUR")
    assert await refunds.state_of(result.transaction_id) == "posted"
    assert await refunds.owed(payment) == 1000
    assert await refunds.wrong() == []


async def test_without_an_amount_all_that_is_left_goes_back(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    await refunds.start(payment, 1000)

    result = await refunds.start(payment)

    assert (result.outcome, result.amount_minor) == (RefundOutcome.REFUNDED, 1500)
    assert await rule_of(refunds, payment) == "something_is_left"


async def test_the_same_id_is_one_refund_and_equal_amounts_under_two_ids_are_two(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)

    first = await refunds.start(payment, 500, name="rf_goodwill")
    again = await refunds.start(payment, 500, name="rf_goodwill")
    other = await refunds.start(payment, 500, name="rf_goodwill_2")

    assert first == again
    assert other.gateway_reference != first.gateway_reference
    assert await refunds_at_the_gateway(refunds) == (2, 1000)


async def test_a_refund_that_the_gateway_works_on_ends_when_it_has_finished(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500, card="pm_card_pendingRefund")
    first = await refunds.start(payment, 1000, name="rf_slow")

    refunds.sandbox.succeed_refund(first.gateway_reference)
    await refunds.workflow("rf_slow").signal("gateway_event")
    result = await refunds.ended("rf_slow")

    assert (first.outcome, result.outcome) == (RefundOutcome.PENDING, RefundOutcome.REFUNDED)
    assert await refunds.wrong() == []


async def test_a_refund_that_comes_back_later_is_undone_by_a_new_transaction(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    first = await refunds.start(payment, 1000, name="rf_back")

    refunds.sandbox.fail_refund(first.gateway_reference)
    await refunds.workflow("rf_back").signal("gateway_event")
    result = await refunds.ended("rf_back")

    assert (result.outcome, result.code) == (RefundOutcome.REVERSED, "expired_or_canceled_card")
    assert await refunds.state_of(first.transaction_id) == "posted"
    assert await refunds.owed(payment) == 0
    assert await refunds.wrong() == []
    kinds = await refunds.merchant.run("select kind from duly.messages where id like '%rf_back' order by kind")
    assert [row.kind for row in kinds] == ["refund_failed", "refunded"]


async def test_a_refund_that_comes_back_while_the_gateway_answers_nobody_is_noticed_when_it_is_there_again(
    refunds: RefundClient,
) -> None:
    [payment] = await refunds.paid(2500)
    first = await refunds.start(payment, 1000, name="rf_outage")

    refunds.sandbox.fail_refund(first.gateway_reference)
    outage = tuple(range(1, TRIES_OF_AN_OUTAGE + 1))
    refunds.sandbox.add_fault(Fault(operation=CHECKS, kind=FaultKind.UNAVAILABLE_503, calls=outage))
    await refunds.workflow("rf_outage").signal("gateway_event")
    result = await refunds.ended("rf_outage")

    assert result.outcome is RefundOutcome.REVERSED
    assert refunds.sandbox.request_counts()[CHECKS] == TRIES_OF_AN_OUTAGE + 1
    assert await refunds.wrong() == []


async def test_a_refund_that_has_no_event_is_checked_again_before_it_counts_as_final(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    first = await refunds.start(payment, 1000, name="rf_silent")
    refunds.sandbox.fail_refund(first.gateway_reference)

    result = await refunds.ended("rf_silent")

    assert result.outcome is RefundOutcome.REVERSED
    assert await refunds.wrong() == []


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize(
    "kind", [FaultKind.REQUEST_LOST, FaultKind.RESPONSE_LOST, FaultKind.SERVER_ERROR_500, FaultKind.CONFLICT]
)
async def test_a_lost_answer_is_one_refund_all_the_same(refunds: RefundClient, kind: FaultKind) -> None:
    [payment] = await refunds.paid(2500)
    refunds.sandbox.add_fault(Fault(operation=REFUNDS, kind=kind, calls=(1, 2)))

    await refunds.start(payment, 1000, name="rf_lost")
    result = await refunds.ended("rf_lost")

    assert result.outcome is RefundOutcome.REFUNDED
    assert await refunds_at_the_gateway(refunds) == (1, 1000)
    assert await refunds.wrong() == []


async def test_while_nobody_knows_the_money_counts_as_given_back(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    never_answer(refunds.sandbox, operation=REFUNDS)
    unknown = await refunds.start(payment, 2000, name="rf_unknown")

    assert unknown.outcome is RefundOutcome.UNKNOWN
    assert await rule_of(refunds, payment, 600) == "refund_within_captured"


async def test_a_person_settles_it_with_an_id_that_the_gateway_confirms(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    never_answer(refunds.sandbox, operation=REFUNDS)
    await refunds.start(payment, 1000, name="rf_found")
    refunds.sandbox.clear_faults()
    made = await refunds.merchant.stripe.v1.refunds.list_async({})

    resolution = UnknownResolution("maria", "seen in the dashboard", gateway_reference=made.data[0].id)
    await refunds.workflow("rf_found").execute_update("resolve_unknown", resolution)
    result = await refunds.ended("rf_found")

    assert (result.outcome, result.gateway_reference) == (RefundOutcome.REFUNDED, made.data[0].id)
    assert await refunds.wrong() == []


async def test_the_id_of_another_refund_is_no_evidence(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    other = await refunds.start(payment, 100)
    never_answer(refunds.sandbox, operation=REFUNDS)
    await refunds.start(payment, 1000, name="rf_mixed_up")
    refunds.sandbox.clear_faults()

    resolution = UnknownResolution("maria", "a guess", gateway_reference=other.gateway_reference)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await refunds.workflow("rf_mixed_up").execute_update("resolve_unknown", resolution)

    assert getattr(refused.value.cause, "type", "") == "evidence_is_of_this_attempt"


async def test_what_the_gateway_will_not_pay_leaves_no_trace_in_the_ledger(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    charge = refunds.sandbox.movements().totals[0]
    intents = await refunds.merchant.stripe.v1.payment_intents.list_async({})
    await refunds.merchant.stripe.v1.refunds.create_async({"payment_intent": intents.data[0].id, "amount": 2500})

    result = await refunds.start(payment, 1000, name="rf_too_late")

    assert charge.charges.count == 1
    assert (result.outcome, result.code) == (RefundOutcome.REJECTED, "charge_already_refunded")
    assert await refunds.state_of(result.transaction_id) == "rejected"
    assert await refunds.owed(payment) == 0


@pytest.mark.parametrize(
    ("amount", "options", "rule"),
    [
        (2501, {}, "refund_within_captured"),
        (1000, {"is_acknowledged": False}, "credit_limit"),
    ],
)
async def test_a_refund_that_may_not_be_is_refused_before_anything_is_written(
    refunds: RefundClient, amount: int, options: dict[str, object], rule: str
) -> None:
    [payment] = await refunds.paid(2500)
    await refunds.merchant.run("update duly.accounts set credit_limit_minor = 0")

    assert await rule_of(refunds, payment, amount, **options) == rule
    assert await refunds.merchant.value("select count(*) from duly.gateway_requests where kind = 'refund'") == 0


async def test_a_payment_from_the_bank_is_not_refunded_through_the_gateway(refunds: RefundClient) -> None:
    account = await refunds.merchant.account()
    await refunds.merchant.transfer(account, 1000)
    payment = await refunds.merchant.value("select id from duly.financial_transactions")

    assert await rule_of(refunds, payment) == "payment_through_gateway"


async def test_a_moved_payment_is_refunded_on_the_account_where_it_is_now(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    other = await refunds.merchant.account()
    moved = await refunds.merchant.value(
        "select transaction_id from duly.move_to_account('move', :payment, :account)", payment=payment, account=other
    )

    result = await refunds.start(moved, 2500)

    assert (result.outcome, result.account_id) == (RefundOutcome.REFUNDED, other)
    assert await refunds.merchant.balance(other) == 0
    assert await refunds.wrong() == []


async def test_money_of_an_account_that_ended_meanwhile_is_booked_all_the_same(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    refunds.sandbox.add_fault(Fault(operation=REFUNDS, kind=FaultKind.REQUEST_LOST, calls=(1, 2, 3)))
    await refunds.start(payment, 1000, name="rf_ended")
    account = await refunds.account_of(payment)
    await refunds.merchant.run("select duly.set_account_state(:id, 'terminated')", id=account)

    result = await refunds.ended("rf_ended")

    assert result.outcome is RefundOutcome.REFUNDED
    assert await refunds.account_of(result.transaction_id) == "acc_suspense_eur"
    assert await refunds.wrong() == []


async def test_what_a_refund_left_owing_is_not_charged_to_the_card_again(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    account = await refunds.account_of(payment)
    await refunds.start(payment, 1000)
    await refunds.merchant.invoice(account, 700)

    result = await (await refunds.duly.start_collection(account)).execute_update("first_outcome")

    assert (result["outcome"], result["amount_minor"]) == ("settled", 700)
    assert await refunds.owed(payment) == 1000


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"refund_id": "R"}, "refund_id"),
        ({"payment_id": ""}, "payment_id"),
        ({"amount_minor": -1}, "amount"),
        ({"actor": " "}, "actor"),
    ],
)
def test_an_order_that_makes_no_sense_names_its_field(fields: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidRefundError, match=f"^{field}: "):
        RefundOrder(**{"refund_id": "rf_1", "payment_id": "ft_1", **fields})  # type: ignore[arg-type]


async def test_a_late_failure_is_seen_even_when_nobody_watches_any_more(
    refunds: RefundClient, stripe_sandbox: SandboxControl
) -> None:
    await refunds.merchant.configure("[refund_rules]\nwatch_days = 0")
    [payment] = await refunds.paid(2500)
    first = await refunds.start(payment, 1000, name="rf_late")
    assert (await refunds.ended("rf_late")).outcome is RefundOutcome.REFUNDED
    stripe_sandbox.fail_refund(first.gateway_reference)

    await refunds.deliver_events()
    result = await refunds.ended("rf_late")

    assert result.outcome is RefundOutcome.REVERSED
    assert await refunds.wrong() == []
