"""A million customers in minutes, each with a subscription and a card, by the functions that an import calls."""

import asyncio
from collections.abc import Iterator
from typing import Any

from psycopg.types.json import Jsonb

from activities.database import Database
from bench.instant import DECLINED
from sandbox.customers.catalogue import ACCESS, CURRENCIES
from sandbox.customers.merchant import PAYMENT_METHOD, PROVIDER

BATCH = 5_000
BATCHES_AT_ONCE = 2

# One in so many has a card that declines until its collection gives up: what a run leaves behind is part of its cost.
DECLINED_ONE_IN = 50

_PLANS = tuple(plan for currency in CURRENCIES for plan in ACCESS[currency])
_BOUGHT = Jsonb(
    [
        {
            "place": place,
            "product_id": plan.product_id,
            "currency": plan.price.currency,
            "price_minor": plan.price.amount_minor,
        }
        for place, plan in enumerate(_PLANS)
    ]
)
_NUMBERS = """
    with one as (
        select n, 'acc_' || lpad(n::text, 8, '0') as account_id, plans.*
        from generate_series(cast(:first as int), cast(:last as int)) n
        join jsonb_to_recordset(:plans) as plans (place int, product_id text, currency text, price_minor bigint)
            on plans.place = n % cast(:products as int))
"""
_ACCOUNTS = (
    _NUMBERS
    + """
    select count(duly.open_account(account_id, currency, 'Customer ' || n, p_email => 'c.' || n || '@example.com'))
    from one"""
)
_SUBSCRIPTIONS = (
    _NUMBERS
    + """
    select duly.import_subscriptions(jsonb_agg(jsonb_build_object('subscription_id', replace(account_id, 'acc', 'sub'),
        'account_id', account_id, 'product_id', product_id, 'price_minor', price_minor, 'currency', currency,
        'quantity', 1, 'billing_day', 1 + n % 28, 'starts_on', '2023-01-01', 'ends_on', null)), 'bench')
    from one"""
)
_CARDS = (
    _NUMBERS
    + """
    select duly.import_cards(:provider, :method, jsonb_agg(jsonb_build_object('account_id', account_id,
        'customer', replace(account_id, 'acc', 'cus'), 'token', case when n % cast(:declined as int) = 0
            then :declining else 'pm' end || '_' || n, 'brand', 'visa', 'last4', '4242', 'exp_month', 12,
        'exp_year', 2099, 'is_recurring', true, 'fallback_order', 1))) from one"""
)


async def open_accounts(database: Database, accounts: int) -> None:
    """Open so many accounts, in every currency of the catalogue in turn."""
    gate = asyncio.Semaphore(BATCHES_AT_ONCE)

    async def write(first: int, last: int) -> None:
        numbers: dict[str, Any] = {"first": first, "last": last, "plans": _BOUGHT, "products": len(_PLANS)}
        async with gate:
            await database.rows(_ACCOUNTS, **numbers)
            await database.rows(_SUBSCRIPTIONS, **numbers)
            cards: dict[str, Any] = {"provider": PROVIDER, "method": PAYMENT_METHOD}
            await database.rows(_CARDS, **numbers, **cards, declined=DECLINED_ONE_IN, declining=DECLINED)

    async with asyncio.TaskGroup() as writes:
        for first, last in _batches(accounts):
            writes.create_task(write(first, last))


def _batches(accounts: int) -> Iterator[tuple[int, int]]:
    for first in range(1, accounts + 1, BATCH):
        yield first, min(first + BATCH - 1, accounts)
