"""A merchant's account that a restored database has forgotten is listed, and found again by whoever connects it."""

from datetime import timedelta
from typing import cast

import pytest
from aiolimiter import AsyncLimiter
from temporalio.exceptions import ApplicationError

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from activities.merchants.accounts import MerchantAccountActivities
from activities.recovery.adoption import Adoption
from sandbox.servers.postgres import PostgresServer
from sandbox.stripe.control.client import Fault, FaultKind, SandboxControl
from tests.merchants.onboarding import EMAIL, participating
from tests.recovery.conftest import Backup, Watching
from tests.recovery.steps import owner_of, recovered
from tests.support.builders import Merchant


async def connect(merchant: Merchant, database: Database, gateway: StripeGateway, email: str = EMAIL) -> str:
    """Let the bakery be connected; return its account."""
    await merchant.run(
        "select duly.open_merchant_connection('bakery', 'stripe', :email, 'DE', false, 'maria', 'as agreed')",
        email=email,
    )
    accounts = MerchantAccountActivities(database, gateway, AsyncLimiter(1000, 1), "https://duly.example")
    return (await accounts.make_merchant_account("bakery")).gateway_account


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("email", [EMAIL.upper(), "somebody@else.example"])
async def test_an_account_whose_connection_was_forgotten_is_listed_and_found_again_under_the_same_e_mail(
    merchant: Merchant, database: Database, gateway: StripeGateway, watching: Watching, backup: Backup,
    stripe_sandbox: SandboxControl, postgres_server: PostgresServer, email: str,
) -> None:  # fmt: skip
    await participating(merchant, "bakery")
    bring_back = await backup()
    await watching(database).compare()
    was = await connect(merchant, database, gateway)
    stripe_sandbox.advance(timedelta(hours=30).total_seconds())  # the gateway has forgotten the key
    books = await bring_back()
    await watching(books.database).compare()

    read = await recovered(books, owner_of(books, postgres_server))
    unconnected = await Adoption(books.database, "stripe", gateway).adopt_left("maria")
    now = await connect(books.merchant, books.database, gateway, email)
    adopted = await Adoption(books.database, "stripe", gateway).adopt_left("maria")

    [left] = cast("list[dict[str, str]]", read["left"])
    assert (left["object"], left["why"].partition(":")[0]) == (was, "merchant_not_connected")
    assert unconnected == []
    assert (now == was, adopted) == ((True, [was]) if email.lower() == EMAIL else (False, []))


async def test_an_account_whose_answer_was_lost_is_found_by_a_gateway_that_knows_no_keys(
    merchant: Merchant, database: Database, gateway: StripeGateway, stripe_sandbox: SandboxControl
) -> None:
    await participating(merchant, "bakery")
    stripe_sandbox.add_fault(Fault(operation="POST /v1/accounts", kind=FaultKind.RESPONSE_LOST, calls=(1,)))
    with pytest.raises(ApplicationError):
        await connect(merchant, database, gateway)
    stripe_sandbox.advance(timedelta(hours=30).total_seconds())

    account = await connect(merchant, database, gateway)

    assert [one.id for one in (await merchant.stripe.v1.accounts.list_async()).data] == [account]
