"""Two years of months, whatever cards answer: no network is asked too often, nobody is told or charged twice.

The server's clock jumps over the waits. The database's does not, so after each month everything in it is moved a month
into the past instead.
"""

import json
import random
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as example_settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from models.collections.collection import CollectionResult, Stage
from sandbox.servers.mail import Mailbox
from sandbox.stripe.control.client import SandboxControl
from settings import Settings
from tests.support.builders import Merchant, declined
from tests.support.running_duly import RunningDuly

ALLOWED = {"visa": 15, "mastercard": 35}
CARDS = ("pm_card_visa", "pm_card_mastercard")

# A patient policy: were it for it alone, a card would be asked forty times a month.
PATIENT = {"declined_after": ["P1D"] * 20, "technical_after": ["PT6H"] * 20, "on_giving_up": "nothing"}

# One code of every class of declines: soft, hard, fraud, in need of the customer, technical, and one that nobody knows.
CODES = (
    "insufficient_funds",
    "invalid_account",
    "stolen_card",
    "authentication_required",
    "processing_error",
    "no_such_code",
)


@dataclass(frozen=True)
class Month:
    """What a card's issuer says in a month, so many times (25 is for good), and what becomes of the card before it."""

    code: str
    declines: int
    change: str


def months(seed: int) -> list[Month]:
    """Two years of an account, in which every code and every change of a card comes up."""
    chance = random.Random(seed)
    printed = [(code, declines) for code in CODES for declines in (0, 1, 3, 25)]
    chance.shuffle(printed)
    return [Month(code, declines, chance.choice(["", "", "", "replace", "expire"])) for code, declines in printed]


@pytest.fixture
def settings(settings: Settings, mailbox: Mailbox) -> Settings:
    """Settings of a merchant who writes to customers."""
    return settings.model_copy(update={"smtp_url": mailbox.url, "operators_mail": "operators@example.com"})


async def a_month_passes(owner: AsyncEngine, account: str) -> None:
    """Move what has happened on an account a month into the past."""
    month = timedelta(days=30, minutes=1)
    async with owner.begin() as connection:
        await connection.execute(
            text(
                "update duly.gateway_attempts a set started_at = a.started_at - cast(:month as interval),"
                " sent_at = a.sent_at - cast(:month as interval),"
                " finished_at = a.finished_at - cast(:month as interval)"
                " from duly.gateway_requests r where r.id = a.request_id and r.account_id = :account"
            ),
            {"month": month, "account": account},
        )


async def prepare(merchant: Merchant, account: str, card: str, month: Month) -> None:
    """Give the account a card for the month, and its issuer something to say."""
    usable = "select token from duly.cards where account_id = :id and state = 'active' and exp_year > 2020"
    if month.change == "replace" or not await merchant.run(usable, id=account):
        await merchant.run("update duly.cards set state = 'replaced' where account_id = :id", id=account)
        await merchant.card(account, card)
    if month.declines:
        token = str(await merchant.value(usable, id=account))
        merchant.sandbox.script_card(token, *[declined(month.code)] * month.declines)
    if month.change == "expire":
        await merchant.run("update duly.cards set exp_year = 2020 where account_id = :id", id=account)


async def live_through(
    duly: RunningDuly, merchant: Merchant, owner: AsyncEngine, account: str, card: str, years: list[Month]
) -> list[CollectionResult]:
    """Bill and collect month by month."""
    results = []
    for number, month in enumerate(years):
        await prepare(merchant, account, card, month)
        await merchant.invoice(account, 1000)
        handle = await duly.start_collection(account, f"{2024 + number // 12}-{number % 12 + 1:02d}")
        results.append(await handle.result())
        await a_month_passes(owner, account)
    return results


async def asked_too_often(merchant: Merchant) -> list[Any]:
    """Retries on a card that had used up its network's declines of the thirty days before."""
    rows = await merchant.run(
        "select c.brand, a.request_id, a.attempt, (select count(*) from duly.gateway_attempts b"
        " where b.card_id = a.card_id and b.outcome = 'declined' and b.sent_at < a.sent_at"
        " and b.sent_at > a.sent_at - interval '30 days') as before"
        " from duly.gateway_attempts a join duly.cards c on c.id = a.card_id where a.attempt > 1"
    )
    return [tuple(row) for row in rows if row.before >= ALLOWED[row.brand]]


@pytest.mark.slow
@pytest.mark.nightly
@example_settings(max_examples=1, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
async def test_in_two_years_nobody_is_asked_too_often_told_twice_or_charged_twice(
    duly: RunningDuly,
    merchant: Merchant,
    owner_engine: AsyncEngine,
    stripe_sandbox: SandboxControl,
    mailbox: Mailbox,
    seed: int,
) -> None:
    await merchant.run(
        "insert into duly.dunning_policies (id, version, document) values ('standard', 2, cast(:d as jsonb))"
        " on conflict do nothing",
        d=json.dumps(PATIENT),
    )
    accounts = [await merchant.account(cards=[card]) for card in CARDS]
    await merchant.run("update duly.accounts set email = id || '@example.com' where kind = 'customer'")

    # One after the other: two that let the server's clock jump wait for each other.
    lives = [
        await live_through(duly, merchant, owner_engine, account, card, months(seed + number))
        for number, (account, card) in enumerate(zip(accounts, CARDS, strict=True))
    ]

    assert {result.stage for results in lives for result in results} == {Stage.SETTLED, Stage.GIVEN_UP}
    assert await asked_too_often(merchant) == []
    assert [
        book for book in stripe_sandbox.movements(group_by=("duly_request",)).groups if book.charges.count > 1
    ] == []
    deliveries = Counter(str(message.parsed["Message-ID"]) for message in mailbox.messages)
    assert [id for id, times in deliveries.items() if times > 1] == []
    assert {"receipt", "declined", "card_needed", "action_required", "given_up"} <= set(await kinds_sent(merchant))
    unsent = "select id from duly.messages where audience = 'customer' and state not in ('sent', 'withheld')"
    assert await merchant.run(unsent) == []
    assert await merchant.run("select * from duly.invariant_violations") == []


async def kinds_sent(merchant: Merchant) -> list[str]:
    return [row.kind for row in await merchant.run("select distinct kind from duly.messages where state = 'sent'")]
