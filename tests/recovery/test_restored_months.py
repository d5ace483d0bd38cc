"""A database restored to before a month's charges, while the gateway and Temporal went on: every cent is taken once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from models.workflow_ids import collection_id
from sandbox.stripe.control.client import SandboxControl
from settings import Settings
from tests.recovery.conftest import Backup, Books
from tests.support.builders import API_KEY, Merchant, declined
from tests.support.run_control import duly_at, until
from tests.support.running_duly import RunningDuly

ACCOUNTS = 6
WITH_TWO_CARDS = 3


@asynccontextmanager
async def at_work(books: Books, temporal: Client, sandbox: SandboxControl) -> AsyncIterator[RunningDuly]:
    """Duly's workers on a restored database, and on the Temporal server that forgot nothing."""
    settings = Settings(
        database_url=books.url,
        temporal_address="127.0.0.1:1",
        stripe_api_key=SecretStr(API_KEY),
        stripe_api_base=sandbox.base_url,
        gateway_rate=1000,
    )
    environment = WorkflowEnvironment.from_client(temporal)
    async with duly_at(environment, books.database, books.gateway, settings) as running:
        yield running


WHO_OWES = """
    select jsonb_agg(jsonb_build_object('account', b.account_id, 'balance', b.balance_minor, 'collections', (
        select jsonb_agg(jsonb_build_array(c.period, c.stage, c.reason, c.policy_id))
        from duly.collections c where c.account_id = b.account_id), 'members', (
        select jsonb_agg(jsonb_build_array(i.run_id, i.outcome, i.reason)) from duly.run_items i
        where i.account_id = b.account_id), 'asked', (
        select jsonb_agg(jsonb_build_object('period', r.period, 'state', r.state, 'attempts', (
            select jsonb_agg(jsonb_build_array(a.attempt, a.outcome, a.code) order by a.attempt)
            from duly.gateway_attempts a where a.request_id = r.id)))
        from duly.gateway_requests r where r.account_id = b.account_id)))
    from duly.account_balances b where b.balance_minor > 0
"""


async def owing(merchant: Merchant, period: str) -> list[str]:
    """Open accounts that owe; the first card of every third is declined, and its second one pays."""
    accounts = []
    for number in range(ACCOUNTS):
        has_two = number % WITH_TWO_CARDS == 0
        cards = ("pm_card_visa", "pm_card_mastercard") if has_two else ("pm_card_visa",)
        answers = [declined("stolen_card")] if has_two else []
        name = f"acc_{period}_{number}"
        accounts.append(await merchant.account(name, cards=cards, answers=answers, owes_minor=1000 + number))
    return accounts


async def all_paid(merchant: Merchant) -> None:
    """Wait until nobody owes anything: collections go on after their run has its certificate."""

    async def nobody_owes() -> bool:
        owing = await merchant.value("select count(*) from duly.account_balances where balance_minor > 0")
        return int(owing) == 0

    try:
        async with asyncio.timeout(90):
            await until(nobody_owes)
    except TimeoutError:
        pytest.fail(f"not all is paid after 30 s: {await merchant.value(WHO_OWES)}")


async def collected(temporal: Client, accounts: list[str], period: str) -> None:
    """Wait until the collections of a month are over: what is paid is closed and announced after it."""
    for account in accounts:
        await temporal.get_workflow_handle(collection_id(account, period)).result()


@pytest.mark.nightly
@pytest.mark.slow
async def test_the_run_started_again_and_next_months_charge_nobody_twice_and_miss_nobody(
    merchant: Merchant, temporal_server: Client, stripe_sandbox: SandboxControl, gateway: StripeGateway,
    database: Database, settings: Settings, backup: Backup, period: str,
) -> None:  # fmt: skip
    accounts = await owing(merchant, period)
    bring_back = await backup()
    async with duly_at(WorkflowEnvironment.from_client(temporal_server), database, gateway, settings) as before:
        await before.run(period=period)
        await all_paid(merchant)
        await collected(temporal_server, accounts[::WITH_TWO_CARDS], period)
    books = await bring_back()

    async with at_work(books, temporal_server, stripe_sandbox) as duly:
        again = await duly.run(period=period)
        await all_paid(books.merchant)
        for account in accounts:
            await books.merchant.invoice(account, 500)
        year, month = map(int, period.split("-"))
        await duly.run(period=f"{year + 50}-{month:02}")
        await all_paid(books.merchant)

    assert again.members == ACCOUNTS
    assert await books.wrong() == []
    assert await books.unequal() == []
