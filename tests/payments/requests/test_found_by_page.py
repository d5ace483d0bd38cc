"""A payment is found by the id of the gateway's page on which it was paid, while it is open and for ever after."""

import pytest

from activities.console.search import Search
from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from tests.payments.paying_by_link import make, payer_at, submit, terms
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.running_duly import RunningDuly
from workflows.payments.payment_request import PaymentRequest


@pytest.mark.parametrize("is_paid", [False, True])
async def test_a_payment_is_found_by_its_page_before_and_after_it_is_paid(
    cli: CommandLine,
    standing_duly: RunningDuly,
    merchant: Merchant,
    database: Database,
    gateway: StripeGateway,
    is_paid: bool,
) -> None:
    account = await merchant.account(cards=[])
    handle, link = await make(standing_duly, f"page-{account}", terms(account, 2500))
    async with payer_at(database, standing_duly, gateway) as payer:
        page = await payer.press(link.path)
    if is_paid:
        await submit(page)
        await handle.signal(PaymentRequest.gateway_event)
        await handle.result()

    session = page.rpartition("/")[2].partition("#")[0].partition("?")[0]
    shown = await cli.json("payments", "show", session)
    listed = (await cli.json("requests", "list", "--reference", session))["requests"]
    searched = [(row.noun, row.id) for row in await Search(database).by_id(session)]

    assert session.startswith("cs_")
    assert (shown["account_id"], shown["state"]) == (account, "succeeded" if is_paid else "requires_action")
    assert [one["page_reference"] for one in shown["attempts"]] == [session]
    assert [one["id"] for one in listed] == [shown["id"]]
    assert searched == [("payments", shown["id"])]
