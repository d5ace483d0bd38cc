"""A merchant is connected: its account is made, completed by its owner, and watched."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from temporalio.client import WorkflowUpdateFailedError

from activities.database import Database
from activities.events.inbox import EventInbox
from activities.gateway.stripe_events import event_of
from models.operator_command import OperatorCommand
from sandbox.stripe.control.client import AccountReview, Fault, FaultKind, SandboxControl
from tests.merchants.onboarding import EMAIL, Owner, connect, history, stands
from tests.support.builders import Merchant
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from workflows.events.targets import target_of
from workflows.merchants.merchant_connection import MerchantConnection

WHO = OperatorCommand("maria", "she asked for it")


async def test_a_merchant_is_connected_when_its_owner_has_told_the_gateway_everything(
    standing_duly: RunningDuly, merchant: Merchant, bakery: str, owner: Owner
) -> None:
    handle, link = await connect(standing_duly, bakery)
    before = await owner.visit(link.path)

    after = await owner.onboard(link.path)
    await stands(handle, "successful")

    account = await merchant.stripe.v1.accounts.retrieve_async(link.gateway_account)
    assert (link.state, account.email, account.type) == ("pending", EMAIL, "standard")
    assert account.metadata is not None
    assert account.metadata.to_dict()["duly_merchant"] == bakery
    assert "being set up" in before.text
    assert before.headers["cache-control"] == "no-store"
    assert after.status_code == 200
    assert "Integration successful" in (await owner.visit(link.path)).text
    assert (await history(merchant, bakery))[:3] == ["switched_on", "connected", "account_made"]


async def test_who_connects_a_merchant_holds_up_nobody_who_notes_what_became_of_its_account(
    merchant: Merchant, bakery: str
) -> None:
    # Each would wait for the other: what is noted holds the connection, and refers to the merchant.
    async with merchant.engine.begin() as connecting:
        again = text("select duly.switch_merchant_payments(:id, true, 'maria', 'again')")
        await connecting.execute(again, {"id": bakery})

        async with asyncio.timeout(30):
            await merchant.run("select duly.note_connection_change(:id, 'moved')", id=bakery)

    assert await history(merchant, bakery) == ["switched_on", "moved"]


async def test_an_account_is_made_with_the_colours_of_its_merchants_seller(
    standing_duly: RunningDuly, merchant: Merchant, bakery: str
) -> None:
    await merchant.run(
        "insert into duly.sellers (id, merchant_id, name, street, postal_code, city, country, vat_id, color)"
        " values ('bakery', :merchant, 'Bakery', 'Marktplatz 1', '50667', 'Köln', 'DE', 'DE123456789', '#336699')",
        merchant=bakery,
    )

    _, link = await connect(standing_duly, bakery)

    made: Any = await merchant.stripe.v1.accounts.retrieve_async(link.gateway_account)
    assert (made.settings.branding.primary_color, made.settings.branding.secondary_color) == ("#336699", None)


async def test_an_owner_who_comes_back_too_early_is_told_what_is_missing_and_goes_on(
    standing_duly: RunningDuly, bakery: str, owner: Owner
) -> None:
    handle, link = await connect(standing_duly, bakery)

    await owner.onboard(link.path, "later")
    await stands(handle, "incomplete")
    shown = (await owner.visit(link.path)).text
    missing = (await handle.query(MerchantConnection.status)).missing
    await owner.onboard(link.path)
    await stands(handle, "successful")

    assert "business_type" in missing
    assert "More information is required" in shown
    assert "Manage" in shown
    assert "business type" in shown


async def test_looking_at_the_link_makes_no_page_of_the_gateways(
    standing_duly: RunningDuly, bakery: str, owner: Owner, stripe_sandbox: SandboxControl
) -> None:
    _, link = await connect(standing_duly, bakery)

    for _ in range(3):
        assert (await owner.visit(link.path)).status_code == 200

    assert "POST /v1/account_links" not in stripe_sandbox.request_counts()


@pytest.mark.parametrize(
    ("stage", "reason", "due"),
    [("restricted", "under_review", ()), ("incomplete", "requirements.past_due", ("individual.id_number",))],
)
async def test_what_the_gateway_finds_later_stops_payments_and_asks_a_person(
    standing_duly: RunningDuly, bakery: str, owner: Owner, stripe_sandbox: SandboxControl,
    stage: str, reason: str, due: tuple[str, ...],
) -> None:  # fmt: skip
    handle, link = await connect(standing_duly, bakery)
    await owner.onboard(link.path)
    await stands(handle, "successful")

    stripe_sandbox.review_account(
        link.gateway_account,
        AccountReview(charges_enabled=False, capability="inactive", disabled_reason=reason, past_due=due),
    )
    await handle.signal(MerchantConnection.gateway_event)
    await stands(handle, stage)
    stopped = await handle.query(MerchantConnection.status)
    stripe_sandbox.review_account(
        link.gateway_account, AccountReview(charges_enabled=True, capability="active", disabled_reason="", past_due=())
    )
    answer = await handle.execute_update(MerchantConnection.check_now, WHO)

    assert (stopped.is_in_review, stopped.review_reason) == (True, f"merchant_{stage}")
    assert (stopped.reason, stopped.missing) == (reason, due)
    assert answer == "successful"
    assert not (await handle.query(MerchantConnection.status)).is_in_review


async def test_who_has_the_account_read_gets_no_answer_from_before(
    standing_duly: RunningDuly, bakery: str, stripe_sandbox: SandboxControl
) -> None:
    handle, link = await connect(standing_duly, bakery)
    late = Fault(operation="GET /v1/accounts/{id}", kind=FaultKind.SLOW_ANSWER, calls=(1,), delay_seconds=0.5)
    stripe_sandbox.add_fault(late)
    await handle.signal(MerchantConnection.gateway_event)

    async def is_read() -> bool:
        return stripe_sandbox.faults_injected().get(FaultKind.SLOW_ANSWER, 0) > 0

    await until(is_read)
    stripe_sandbox.review_account(
        link.gateway_account, AccountReview(charges_enabled=True, details_submitted=True, capability="active")
    )
    answer = await handle.execute_update(MerchantConnection.check_now, WHO)

    assert answer == "successful"


async def test_an_event_of_the_account_reaches_its_connection_and_no_other(
    standing_duly: RunningDuly, merchant: Merchant, bakery: str, database: Database
) -> None:
    handle, link = await connect(standing_duly, bakery)
    inbox = EventInbox(database, "stripe")
    events = [
        event_of(
            {
                "id": f"evt_{number}_{bakery.replace('-', '_')}",
                "type": "account.updated",
                "created": 1,
                **({"account": account} if account else {}),
                "data": {"object": {"id": account or "acct_platform"}},
            }
        )
        for number, account in enumerate((link.gateway_account, "acct_unknown", ""))
    ]

    await inbox.receive(*events)
    hints = await inbox.to_deliver()

    assert [event.subject for event in events] == ["merchant", "merchant", None]
    known = [hint for hint in hints if hint.key]
    assert [hint.key for hint in known] == [(bakery, "stripe")]
    assert target_of(known[0].subject, known[0].key).workflow_id == handle.id
    assert await merchant.value("select count(*) from duly.gateway_events where state = 'ignored'") == 1


@pytest.mark.parametrize("kind", [FaultKind.RESPONSE_LOST, FaultKind.RESET_MID_BODY, FaultKind.SERVER_ERROR_500])
async def test_an_account_whose_answer_was_lost_is_made_once(
    standing_duly: RunningDuly, merchant: Merchant, bakery: str, stripe_sandbox: SandboxControl, kind: FaultKind
) -> None:
    stripe_sandbox.add_fault(Fault(operation="POST /v1/accounts", kind=kind, calls=(1,)))

    _, link = await connect(standing_duly, bakery)

    assert [one.id for one in (await merchant.stripe.v1.accounts.list_async()).data] == [link.gateway_account]


async def test_connecting_twice_is_one_connection_and_other_terms_are_refused(
    standing_duly: RunningDuly, merchant: Merchant, bakery: str, database: Database
) -> None:
    _, link = await connect(standing_duly, bakery)
    _, again = await connect(standing_duly, bakery)

    with pytest.raises(Exception, match="another e-mail") as refused:
        await database.call(
            "open_merchant_connection",
            merchant_id=bakery,
            provider_id="stripe",
            email="somebody@else.example",
            country="DE",
            is_new_account=False,
            actor="maria",
            because="",
        )

    assert again.gateway_account == link.gateway_account
    assert getattr(refused.value, "type", "") == "connection_means_one_account"


@pytest.mark.parametrize(
    ("prepare", "rule"),
    [
        ("delete from duly.merchant_connections", "merchant_exists"),
        ("update duly.merchants set takes_payments = false", "merchant_takes_payments"),
        ("update duly.providers set state = 'not_effective'", "provider_effective"),
    ],
)
async def test_every_refusal_names_what_to_configure(
    standing_duly: RunningDuly, merchant: Merchant, bakery: str, prepare: str, rule: str
) -> None:
    await merchant.run(prepare)
    wanted = f"unknown-{bakery}"[:32] if rule == "merchant_exists" else bakery

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await connect(standing_duly, wanted)

    assert getattr(refused.value.cause, "type", "") == rule
    assert await merchant.value("select count(*) from duly.merchant_connections") == 0


@pytest.mark.parametrize("kind", [FaultKind.STORED_500, FaultKind.STORED_500_AFTER_EFFECT])
async def test_a_stored_error_keeps_nobody_from_being_connected(
    standing_duly: RunningDuly, merchant: Merchant, bakery: str, stripe_sandbox: SandboxControl, kind: FaultKind
) -> None:
    stripe_sandbox.add_fault(Fault(operation="POST /v1/accounts", kind=kind, calls=(1,)))

    _, link = await connect(standing_duly, bakery)

    assert link.gateway_account
    assert await merchant.value("select count(*) from duly.merchant_connections") == 1


async def test_what_the_gateway_does_not_take_is_said_and_a_merchant_without_account_begins_anew(
    standing_duly: RunningDuly, merchant: Merchant, bakery: str
) -> None:
    await merchant.run("update duly.merchants set currency = 'ABC' where id = :id", id=bakery)
    handle = standing_duly.client.get_workflow_handle(f"merchant/{bakery}")

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await connect(standing_duly, bakery)
    status = await handle.query(MerchantConnection.status)
    await handle.execute_update(MerchantConnection.disconnect, WHO)
    await handle.result()
    await merchant.run("update duly.merchants set currency = 'EUR' where id = :id", id=bakery)
    _, link = await connect(standing_duly, bakery, email="other@bakery.example")

    assert getattr(refused.value.cause, "type", "") == "gateway_takes_it"
    assert (status.stage, status.is_in_review, status.review_reason) == ("connecting", True, "gateway_takes_it")
    assert link.gateway_account
