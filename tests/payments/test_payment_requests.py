"""Somebody is asked for a payment by a link: it is paid once, whatever channel pays, or it ends and asks no more."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.events import EventSubject
from models.operator_command import OperatorCommand
from models.payments.payment_request import PaymentRequestResult, PaymentRequestState
from sandbox.stripe.control.client import SandboxControl
from tests.payments.paying_by_link import Payer, make, payer_at, submit, terms
from tests.runs.test_who_is_due import freeze, frozen
from tests.support.builders import Merchant
from tests.support.running_duly import RunningDuly
from workflows.events.targets import target_of
from workflows.payments.payment_request import PaymentRequest

WHO = OperatorCommand("maria", "the customer called")


@pytest.fixture
async def payer(database: Database, standing_duly: RunningDuly, gateway: StripeGateway) -> AsyncIterator[Payer]:
    """Somebody with a browser."""
    async with payer_at(database, standing_duly, gateway) as somebody:
        yield somebody


async def stored(merchant: Merchant, id: str) -> Any:
    """The request as it is stored."""
    return (await merchant.run("select * from duly.payment_requests where id = :id", id=id))[0]


def paid(amount_minor: int = 2500, reason: str = "paid") -> PaymentRequestResult:
    return PaymentRequestResult(PaymentRequestState.PAID, reason, amount_minor, "EUR")


async def test_an_account_without_a_card_pays_an_amount_by_its_link_and_has_it_as_credit(
    standing_duly: RunningDuly, merchant: Merchant, payer: Payer, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(cards=[])

    handle, link = await make(standing_duly, f"deposit-{account}", terms(account, 2500))
    shown = await payer.visit(link.path)
    status = await payer.pay(link.path)
    await handle.signal(PaymentRequest.gateway_event)

    assert (shown.status_code, status) == (200, 303)
    assert "Consulting in May" in shown.text
    assert "€25.00" in shown.text
    assert shown.headers["cache-control"] == "no-store"
    assert await handle.result() == paid()
    assert await merchant.balance(account) == -2500
    assert stripe_sandbox.movements().totals[0].charges.count == 1
    assert "This is paid" in (await payer.visit(link.path)).text


async def test_looking_opens_nothing_and_the_button_leads_to_one_page(
    standing_duly: RunningDuly, merchant: Merchant, payer: Payer
) -> None:
    account = await merchant.account()
    _, link = await make(standing_duly, f"look-{account}", terms(account))

    for _ in range(3):
        await payer.visit(link.path)
    before = await merchant.value("select count(*) from duly.gateway_attempts")
    pages = [await payer.press(link.path), await payer.press(link.path)]

    assert before == 0
    assert pages[0] == pages[1]
    assert await merchant.value("select count(*) from duly.gateway_attempts") == 1


async def test_invoices_that_are_asked_for_are_nobody_elses_and_settled_by_the_link(
    standing_duly: RunningDuly, merchant: Merchant, database: Database, payer: Payer
) -> None:
    account = await merchant.account()
    asked = await merchant.invoice(account, 2500)
    await merchant.invoice(account, 1000)

    handle, link = await make(standing_duly, f"invoice-{account}", terms(account, 0, invoices=(asked,)))
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await make(standing_duly, f"twice-{account}", terms(account, 0, invoices=(asked,)))
    await freeze(database)
    await payer.pay(link.path)
    await handle.signal(PaymentRequest.gateway_event)

    assert await frozen(merchant) == {account: "1000 EUR, visa 4242"}
    assert getattr(refused.value.cause, "type", "") == "invoices_collectable"
    assert await handle.result() == paid()
    assert await merchant.balance(account) == 1000


async def test_a_part_of_an_invoice_leaves_the_rest_to_the_run(
    standing_duly: RunningDuly, merchant: Merchant, database: Database
) -> None:
    account = await merchant.account()
    asked = await merchant.invoice(account, 2500)

    await make(standing_duly, f"part-{account}", terms(account, 1000, invoices=(asked,)))
    await freeze(database)

    assert await frozen(merchant) == {account: "1500 EUR, visa 4242"}


async def test_the_same_id_is_the_same_request_and_other_terms_are_refused(
    standing_duly: RunningDuly, merchant: Merchant
) -> None:
    account = await merchant.account()
    id = f"same-{account}"

    _, link = await make(standing_duly, id, terms(account))
    _, again = await make(standing_duly, id, terms(account))
    with pytest.raises(WorkflowUpdateFailedError) as running:
        await make(standing_duly, id, terms(account, 2600))
    handle = standing_duly.client.get_workflow_handle(f"payment-request/{id}")
    await handle.execute_update(PaymentRequest.withdraw, WHO)
    await handle.result()
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await make(standing_duly, id, terms(account, 2600))

    assert again.path != link.path
    assert {replace(one, path="") for one in (link, again)} == {replace(link, path="")}
    assert await merchant.value("select count(*) from duly.request_links") == 2
    assert link.path.rpartition("/")[2] not in str(await merchant.run("select * from duly.request_links"))
    assert getattr(running.value.cause, "type", "") == "id_means_one_request"
    assert getattr(refused.value.cause, "type", "") == "id_means_one_request"
    assert await merchant.value("select count(*) from duly.payment_requests") == 1


async def test_who_withdraws_closes_the_page_and_lets_the_invoice_go(
    standing_duly: RunningDuly, merchant: Merchant, database: Database, payer: Payer
) -> None:
    account = await merchant.account(owes_minor=2500)
    invoice = await merchant.value("select transaction_id from duly.open_items where side = 'debit'")
    handle, link = await make(standing_duly, f"away-{account}", terms(account, 0, invoices=(invoice,)))
    page = await payer.press(link.path)

    answer = await handle.execute_update(PaymentRequest.withdraw, WHO)

    assert answer == "withdrawn"
    assert (await handle.result()).state is PaymentRequestState.WITHDRAWN
    assert await submit(page) == 410
    assert "asked for no more" in (await payer.visit(link.path)).text
    assert (await payer.browser.post(link.path)).status_code == 200
    await freeze(database)
    assert await frozen(merchant) == {account: "2500 EUR, visa 4242"}
    assert "says maria: the customer called" in (await stored(merchant, f"away-{account}")).decisions[0]


async def test_who_has_paid_at_the_last_moment_has_paid(
    standing_duly: RunningDuly, merchant: Merchant, payer: Payer
) -> None:
    account = await merchant.account()
    handle, link = await make(standing_duly, f"last-{account}", terms(account))
    await payer.pay(link.path)

    answer = await handle.execute_update(PaymentRequest.withdraw, WHO)

    assert answer == "paid"
    assert await handle.result() == paid()
    assert await merchant.balance(account) == -2500


async def test_what_was_paid_in_another_way_closes_the_page_and_ends_the_request(
    standing_duly: RunningDuly, merchant: Merchant, payer: Payer
) -> None:
    account = await merchant.account(owes_minor=2500)
    invoice = await merchant.value("select transaction_id from duly.open_items where side = 'debit'")
    handle, link = await make(standing_duly, f"bank-{account}", terms(account, 0, invoices=(invoice,)))
    page = await payer.press(link.path)

    await merchant.run(
        "select duly.create_payment('stmt-1', :account, 2500, 'EUR', 'bank_transfer',"
        " p_addressed_invoice_ids => array[:invoice])",
        account=account,
        invoice=invoice,
    )
    await handle.signal(PaymentRequest.receivable_changed)

    assert await handle.result() == paid(reason="paid_elsewhere")
    assert await submit(page) == 410
    assert await merchant.balance(account) == 0


async def test_a_page_of_another_amount_is_closed_before_the_next_is_opened(
    standing_duly: RunningDuly, merchant: Merchant, payer: Payer
) -> None:
    account = await merchant.account(owes_minor=2500)
    invoice = await merchant.value("select transaction_id from duly.open_items where side = 'debit'")
    handle, link = await make(standing_duly, f"less-{account}", terms(account, 0, invoices=(invoice,)))
    old = await payer.press(link.path)
    await merchant.run(
        "select duly.create_payment('stmt-2', :account, 1000, 'EUR', 'bank_transfer',"
        " p_addressed_invoice_ids => array[:invoice])",
        account=account,
        invoice=invoice,
    )

    status = await payer.pay(link.path)
    await handle.signal(PaymentRequest.gateway_event)

    assert (status, await submit(old)) == (303, 410)
    assert await handle.result() == paid()
    assert await merchant.balance(account) == 0


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"account": "nobody"}, "account_exists"),
        ({"amount_minor": 10}, "amount_at_least"),
        ({"currency": "JPY"}, "currency_of_account"),
        ({"is_mailed": True}, "address_known"),
        ({"invoices": ("INV-404",)}, "invoices_collectable"),
    ],
)
async def test_what_nobody_could_pay_is_refused_before_anything_is_written(
    standing_duly: RunningDuly, merchant: Merchant, change: dict[str, Any], rule: str
) -> None:
    account = await merchant.account()
    given = {"account": account, **change}

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await make(standing_duly, f"no-{account}-{rule.replace('_', '-')}", terms(**given))
    with pytest.raises(WorkflowFailureError):
        await standing_duly.client.get_workflow_handle(
            f"payment-request/no-{account}-{rule.replace('_', '-')}"
        ).result()

    assert getattr(refused.value.cause, "type", "") == rule
    assert await merchant.value("select count(*) from duly.payment_requests") == 0
    assert await merchant.value("select count(*) from duly.collections") == 0


async def test_an_event_of_its_payment_reaches_the_request(
    standing_duly: RunningDuly, merchant: Merchant, payer: Payer, database: Database
) -> None:
    account = await merchant.account()
    handle, link = await make(standing_duly, f"event-{account}", terms(account))
    await payer.press(link.path)
    event = "(select e from duly.gateway_events e where e.id = 'evt_1')"
    request = await merchant.value("select id from duly.gateway_requests")
    await merchant.run(
        "insert into duly.gateway_events (id, provider_id, type, subject, object_id, request_id, account_id, mentions,"
        " channel, state, created_at) values ('evt_1', 'stripe', 'checkout.session.completed', 'payment', 'cs_1',"
        " :request, :account, '{}', 'webhook', 'waiting', now())",
        request=request,
        account=account,
    )

    key = await merchant.value(f"select duly.collection_of_event({event})")

    assert (key[0], key[2]) == (account, f"event-{account}")
    assert target_of(EventSubject.PAYMENT, tuple(key)).workflow_id == handle.id
