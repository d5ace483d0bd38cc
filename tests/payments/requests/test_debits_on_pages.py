"""A bank debit on the page of a declined payment: it takes days, and may be refused after its deadline."""

from datetime import timedelta

import pytest

from models.collections.collection import CollectionResult, CollectionStatus, Stage
from sandbox.stripe.control.client import SandboxControl
from tests.payments.paying_by_link import submit
from tests.payments.test_bank_debits import DEBITS, RETURNS
from tests.support.builders import Merchant, declined
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from workflows.collections.collection import Collection


@pytest.mark.nightly
async def test_it_is_waited_for_without_a_person_and_its_refusal_past_the_deadline_leads_to_no_dead_link(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl, period: str
) -> None:
    await merchant.configure(DEBITS)
    account = await merchant.account(answers=[declined("lost_card")], owes_minor=2500)
    handle = await duly.start_collection(account, period)
    await handle.execute_update(Collection.first_outcome)
    page: str = await handle.execute_update(Collection.open_page)
    assert await submit(page, RETURNS) == 303
    await handle.signal(Collection.gateway_event)

    async def is_processing() -> bool:
        status: CollectionStatus = await handle.query(Collection.status)
        return status.stage is Stage.PROCESSING

    await until(is_processing)
    await duly.environment.sleep(timedelta(days=15))
    status: CollectionStatus = await handle.query(Collection.status)
    stripe_sandbox.advance(timedelta(days=7).total_seconds())
    async with duly.time_passing():
        result: CollectionResult = await handle.result()
    rows = await merchant.run("select kind from duly.messages where audience = 'customer' order by created_at, id")

    assert (status.stage, status.is_in_review) == (Stage.PROCESSING, False)
    assert (result.stage, result.reason) == (Stage.GIVEN_UP, "customer_deadline_passed")
    assert [row.kind for row in rows] == ["card_needed", "declined", "given_up"]
