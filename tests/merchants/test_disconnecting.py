"""A merchant is disconnected at once, by a person or by its owner, and goes on with its account or gets another."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.configuration.providers import ProviderActivities
from activities.database import Database
from activities.supervision.supervision import Progress, Supervision
from models.merchants.account import ConnectionState
from models.merchants.connection import Disconnection, MerchantConnectionInput, StoredConnection
from models.operator_command import OperatorCommand
from models.supervision.supervision import ObjectKind, Supervised, SupervisionRequest
from models.workflow_ids import WORKFLOW_QUEUE, gateway_queue, merchant_connection_id
from sandbox.stripe.control.client import Fault, FaultKind, SandboxControl
from tests.merchants.onboarding import EMAIL, Owner, connect, history, stands, terms
from tests.supervision.scenario import NOTHING
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly
from workflows.merchants.merchant_connection import MerchantConnection
from workflows.supervision.resumption import resumable_of
from workflows.visibility import NEEDS_REVIEW, REVIEW_REASON

WHO = OperatorCommand("maria", "she asked for it")
PAID = StoredConnection(
    "bakery", "stripe", 1, "acct_1", EMAIL, "DE", "EUR", "Bakery", "shop", ConnectionState.SUCCESSFUL, "", (), (), None,
    has_returned=True, is_paid_out=True, takes_payments=True, link_token="link",
)  # fmt: skip


class AccountThatIsRead:
    """A merchant's account while the gateway takes its time to say how it stands."""

    def __init__(self) -> None:
        self.reads, self.is_asked, self.may_answer = 0, asyncio.Event(), asyncio.Event()
        self.connection = PAID

    @activity.defn
    async def open_merchant_connection(self, request: MerchantConnectionInput) -> StoredConnection:
        """Find the connection."""
        del request
        return self.connection

    @activity.defn
    async def disconnect_merchant(self, command: Disconnection) -> StoredConnection:
        """Disconnect it."""
        del command
        self.connection = replace(PAID, state=ConnectionState.DISCONNECTED, reason="by_a_person")
        return self.connection

    @activity.defn
    async def read_merchant_account(self, merchant_id: str) -> StoredConnection:
        """Say how it stood when it was asked for."""
        del merchant_id
        self.reads += 1
        as_asked = self.connection
        self.is_asked.set()
        await self.may_answer.wait()
        return as_asked


async def test_who_disconnects_ends_it_at_once_keeps_the_history_and_leaves_the_account_alone(
    standing_duly: RunningDuly, merchant: Merchant, bakery: str, owner: Owner
) -> None:
    handle, link = await connect(standing_duly, bakery)
    await owner.onboard(link.path)
    await stands(handle, "successful")

    answer = await handle.execute_update(MerchantConnection.disconnect, WHO)

    assert answer == "disconnected"
    assert (await handle.result()).reason == "by_a_person"
    # At once: not when the account was to be read again.
    assert "EVENT_TYPE_TIMER_FIRED" not in (await handle.fetch_history()).to_json()
    assert (await handle.describe()).typed_search_attributes.get(NEEDS_REVIEW) is not True
    kept = await merchant.run(
        "select change, gateway_account, actor, because from duly.merchant_connection_changes"
        " where merchant_id = :id order by id desc limit 1",
        id=bakery,
    )
    assert tuple(kept[0]) == ("disconnected", link.gateway_account, "maria", "she asked for it")
    assert (await merchant.stripe.v1.accounts.retrieve_async(link.gateway_account)).charges_enabled
    assert "not connected any more" in (await owner.visit(link.path)).text
    assert (await owner.browser.post(link.path)).status_code == 200


async def test_a_merchant_is_disconnected_while_the_gateway_answers_nobody(
    standing_duly: RunningDuly, merchant: Merchant, bakery: str, stripe_sandbox: SandboxControl
) -> None:
    handle, _ = await connect(standing_duly, bakery)
    stripe_sandbox.add_fault(Fault(operation="GET /v1/accounts/{id}", kind=FaultKind.UNAVAILABLE_503, probability=1.0))

    answer = await handle.execute_update(MerchantConnection.disconnect, WHO)

    assert answer == "disconnected"
    assert await merchant.value("select state from duly.merchant_connections") == "disconnected"


async def test_what_was_read_before_a_merchant_was_disconnected_connects_nobody_again(
    time_skipping: WorkflowEnvironment, merchant: Merchant, database: Database
) -> None:
    client, account = time_skipping.client, AccountThatIsRead()
    rows: list[Callable[..., Any]] = [
        account.open_merchant_connection,
        account.disconnect_merchant,
        *ProviderActivities(database).all(),
    ]
    async with (
        Worker(client, task_queue=WORKFLOW_QUEUE, workflows=[MerchantConnection], activities=rows),
        Worker(client, task_queue=gateway_queue("stripe"), activities=[account.read_merchant_account]),
    ):
        handle = await client.start_workflow(
            MerchantConnection.run,
            MerchantConnectionInput("bakery", "stripe", terms()),
            id=merchant_connection_id("bakery"),
            task_queue=WORKFLOW_QUEUE,
        )
        await account.is_asked.wait()

        await handle.execute_update(MerchantConnection.disconnect, WHO)
        account.may_answer.set()
        ended = await handle.result()
        status = await handle.query(MerchantConnection.status)

    assert (ended.reason, status.stage, account.reads) == ("by_a_person", "disconnected", 1)


async def test_who_names_account_and_e_mail_goes_on_with_the_same_account(
    standing_duly: RunningDuly, merchant: Merchant, bakery: str, owner: Owner
) -> None:
    handle, link = await connect(standing_duly, bakery)
    await owner.onboard(link.path)
    await stands(handle, "successful")
    await handle.execute_update(MerchantConnection.disconnect, WHO)
    await handle.result()

    again, relink = await connect(standing_duly, bakery, gateway_account=link.gateway_account, email=EMAIL.upper())
    await stands(again, "successful")

    assert relink.gateway_account == link.gateway_account
    assert "reconnected" in await history(merchant, bakery)
    assert len((await merchant.stripe.v1.accounts.list_async()).data) == 1


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"gateway_account": "acct_other"}, "account_of_merchant"),
        ({"email": "somebody@else.example"}, "email_of_account"),
    ],
)
async def test_who_names_another_account_or_e_mail_is_refused_and_nothing_is_connected(
    standing_duly: RunningDuly, merchant: Merchant, bakery: str, change: dict[str, str], rule: str
) -> None:
    handle, link = await connect(standing_duly, bakery)
    await handle.execute_update(MerchantConnection.disconnect, WHO)
    await handle.result()

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await connect(standing_duly, bakery, **{"gateway_account": link.gateway_account, **change})
    with pytest.raises(WorkflowFailureError):
        await standing_duly.client.get_workflow_handle(handle.id).result()

    assert getattr(refused.value.cause, "type", "") == rule
    assert await merchant.value("select state from duly.merchant_connections") == "disconnected"


async def test_who_reconnects_is_compared_again_when_the_answer_was_lost(
    standing_duly: RunningDuly, bakery: str, stripe_sandbox: SandboxControl
) -> None:
    handle, link = await connect(standing_duly, bakery)
    await handle.execute_update(MerchantConnection.disconnect, WHO)
    await handle.result()
    lost = Fault(operation="GET /v1/accounts/{id}", kind=FaultKind.RESET_MID_BODY, calls=(1,))
    stripe_sandbox.add_fault(lost)

    _, again = await connect(standing_duly, bakery, gateway_account=link.gateway_account)

    assert (again.gateway_account, again.state) == (link.gateway_account, "pending")


async def test_a_connection_that_was_terminated_goes_on_from_its_row(
    standing_duly: RunningDuly, bakery: str, database: Database, owner: Owner
) -> None:
    handle, link = await connect(standing_duly, bakery)
    await handle.terminate()
    supervision = Supervision(database, standing_duly.client, resumable_of, young=NOTHING, left_alone=NOTHING)
    begun = Progress((), Supervised(ObjectKind.MERCHANT_CONNECTION))

    report = await supervision.compare(
        ObjectKind.MERCHANT_CONNECTION, SupervisionRequest(), begun=begun, beat=lambda _: None
    )
    await owner.onboard(link.path)
    await stands(standing_duly.client.get_workflow_handle(handle.id), "successful")

    assert (report.open, report.resumed) == (1, 1)


async def test_a_merchant_that_was_disconnected_gets_another_account_only_when_it_is_asked_for(
    standing_duly: RunningDuly, bakery: str
) -> None:
    handle, link = await connect(standing_duly, bakery)
    await handle.execute_update(MerchantConnection.disconnect, WHO)
    await handle.result()

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await connect(standing_duly, bakery)
    _, another = await connect(standing_duly, bakery, is_new_account=True)

    assert getattr(refused.value.cause, "type", "") == "merchant_reconnects"
    assert another.gateway_account != link.gateway_account
    assert another.path != link.path


async def test_an_owner_who_shuts_us_out_ends_the_connection_and_a_person_is_asked(
    standing_duly: RunningDuly, merchant: Merchant, bakery: str, owner: Owner, stripe_sandbox: SandboxControl
) -> None:
    handle, link = await connect(standing_duly, bakery)
    await owner.onboard(link.path)
    await stands(handle, "successful")

    stripe_sandbox.disconnect(link.gateway_account)
    await handle.signal(MerchantConnection.gateway_event)
    result = await handle.result()
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await connect(standing_duly, bakery, gateway_account=link.gateway_account)
    stripe_sandbox.let_in(link.gateway_account)
    again, _ = await connect(standing_duly, bakery, gateway_account=link.gateway_account)
    await stands(again, "successful")

    ended = standing_duly.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
    review = (await ended.describe()).typed_search_attributes.get(REVIEW_REASON)
    assert (result.reason, review) == ("shut_out", "merchant_shut_us_out")
    assert getattr(refused.value.cause, "type", "") == "account_reachable"
    assert (await history(merchant, bakery))[-3:] == ["disconnected", "reconnected", "moved"]
