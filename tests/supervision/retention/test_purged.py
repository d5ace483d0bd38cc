"""Temporal has purged a workflow that is over, and something comes late: nothing is lost, nothing is done twice."""

from collections.abc import Awaitable, Callable, Mapping

import pytest

from commands.updates import ask
from models.collections.collection import RetryCommand
from models.gateway.gateway_request import CollectResult
from models.problem import RefusedError
from models.refunds.refund import RefundResult
from models.workflow_ids import collection_id, dispute_id, refund_id
from sandbox.stripe.control.client import STRIPES_DELAYS
from tests.disputes.test_disputes import charge_of
from tests.supervision.pressing import Button, press
from tests.supervision.receivables import visit
from tests.supervision.scenario import WHO, Company
from tests.support.builders import declined
from tests.support.invariants import complaints
from tests.support.run_control import until

Late = Callable[[Company], Awaitable[None]]


async def purge(company: Company, *workflow_ids: str) -> None:
    """Let workflows end, and be deleted as the namespace's retention does it."""
    for workflow_id in workflow_ids:
        await company.duly.client.get_workflow_handle(workflow_id).result()
        await press(company.duly.client, Button.DELETE, workflow_id)


async def paid(company: Company) -> tuple[str, str]:
    """Let an account pay 25 euros, and its collection be purged; return the account and the payment."""
    account = await company.merchant.account(f"acc-{company.period}")
    [payment] = await company.refunds.paid(2500, account=account)
    periods = await company.merchant.run("select period from duly.gateway_requests where account_id = :a", a=account)
    await purge(company, *(collection_id(account, row.period) for row in periods))
    return account, payment


async def refunded(company: Company) -> str:
    """Let 10 euros be refunded, and the refund's workflow be purged; return the gateway's refund."""
    await company.merchant.configure("[refund_rules]\nwatch_days = 0")
    _, payment = await paid(company)
    name = f"rf-{company.period}"
    first: RefundResult = await company.refunds.start(payment, 1000, name=name)
    await purge(company, refund_id(name))
    return first.gateway_reference


async def delivered(company: Company, *, again: int = 2) -> None:
    """Deliver the gateway's events, each as often as the gateway sends it."""
    for _ in range(again):
        await company.deliver()


async def a_refund_comes_back(company: Company) -> None:
    reference = await refunded(company)
    company.sandbox.fail_refund(reference)
    await delivered(company)

    async def is_booked() -> bool:
        state = "select state from duly.gateway_requests where kind = 'refund'"
        return bool(await company.merchant.value(state) == "reversed")

    await until(is_booked)
    assert await company.merchant.value("select count(*) from duly.gateway_requests where kind = 'refund'") == 1


async def a_refund_is_asked_for_again(company: Company) -> None:
    await refunded(company)
    payment = await company.merchant.value("select transaction_id from duly.gateway_requests where kind = 'payment'")
    again = await company.refunds.start(payment, 1000, name=f"rf-{company.period}")
    assert str(again.outcome) == "refunded"
    assert await company.merchant.value("select count(*) from duly.gateway_requests where kind = 'refund'") == 1


async def a_refund_is_made_in_the_dashboard(company: Company) -> None:
    _, payment = await paid(company)
    reference = "select gateway_reference from duly.gateway_requests where transaction_id = :p"
    intent = await company.merchant.value(reference, p=payment)
    await company.merchant.stripe.v1.refunds.create_async({"payment_intent": intent, "amount": 500})
    await delivered(company)

    async def is_booked() -> bool:
        booked = "select count(*) from duly.gateway_requests where kind = 'refund' and state = 'posted'"
        return bool(await company.merchant.value(booked) == 1)

    await until(is_booked)


async def a_payment_is_disputed(company: Company) -> None:
    _, payment = await paid(company)
    dispute = str(company.sandbox.create_dispute(await charge_of(company.refunds, payment))["id"])
    company.sandbox.advance(STRIPES_DELAYS.withdrawal)
    await delivered(company)
    handle = company.duly.client.get_workflow_handle(dispute_id(dispute))
    await handle.execute_update("first_reading")
    company.sandbox.close_dispute(dispute, won=False)
    await delivered(company)
    await purge(company, dispute_id(dispute))
    assert await company.merchant.value("select state from duly.disputes") == "lost"
    # A bank may change its mind long after its decision.
    company.sandbox.overturn_dispute(dispute)
    company.sandbox.advance(STRIPES_DELAYS.withdrawal)
    await delivered(company)

    async def is_booked() -> bool:
        return bool(await company.merchant.value("select state from duly.disputes") == "won")

    await until(is_booked)


async def an_event_of_a_payment_comes_once_more(company: Company) -> None:
    account, _ = await paid(company)
    await company.merchant.run("update duly.gateway_events set state = 'waiting', next_try_at = now()")
    await delivered(company)
    waiting = "select count(*) from duly.gateway_events where state = 'waiting'"
    assert await company.merchant.value(waiting) == 0
    assert await company.merchant.balance(account) == 0


async def a_page_is_paid(company: Company) -> None:
    account = await company.merchant.account(f"acc-{company.period}", answers=[declined("insufficient_funds")])
    await company.merchant.invoice(account, 2500)
    handle = await company.duly.start_collection(account, company.period)
    await handle.execute_update("first_outcome", result_type=CollectResult)
    page = await handle.execute_update("open_page", result_type=str)
    await press(company.duly.client, Button.DELETE, handle.id)
    await visit(page)

    async def is_settled() -> bool:
        await delivered(company)
        await company.supervise()
        await company.signal(handle.id)
        return await company.merchant.balance(account) == 0

    await until(is_settled)


async def a_person_commands_a_collection(company: Company) -> None:
    account, _ = await paid(company)
    period = await company.merchant.value("select period from duly.gateway_requests where account_id = :a", a=account)
    command = RetryCommand("maria", "once more")
    rules = await refusal_of(company, collection_id(account, period), "retry_now", command, noun="collection")
    assert rules == [("collection", "collection_under_way")]


async def a_person_commands_a_refund(company: Company) -> None:
    await refunded(company)
    rules = await refusal_of(company, refund_id(f"rf-{company.period}"), "check_now", WHO, noun="refund")
    assert rules == [("refund", "refund_under_way")]


async def refusal_of(
    company: Company, workflow_id: str, update: str, command: object, *, noun: str
) -> list[tuple[str, str]]:
    """Return field and rule of what a command is refused with."""
    with pytest.raises(RefusedError) as refused:
        await ask(company.duly.client, workflow_id, update, command, dict, noun=noun)
    return [(problem.field, problem.rule) for problem in refused.value.problems]


LATE: Mapping[str, Late] = {
    "a refund comes back": a_refund_comes_back,
    "a refund is asked for again": a_refund_is_asked_for_again,
    "a refund is made in the dashboard": a_refund_is_made_in_the_dashboard,
    "a payment is disputed, and the decision changed": a_payment_is_disputed,
    "an event of a payment comes once more": an_event_of_a_payment_comes_once_more,
    "a page is paid": a_page_is_paid,
    "a person commands a collection": a_person_commands_a_collection,
    "a person commands a refund": a_person_commands_a_refund,
}


@pytest.mark.gate_cases("a page is paid")
@pytest.mark.parametrize("late", list(LATE))
async def test_what_comes_after_its_workflow_was_purged_is_booked_once(company: Company, late: str) -> None:
    await LATE[late](company)

    assert await complaints(company.sandbox, company.database, company.gateway) == []
