"""Months against localstripe, each with a larger share of calls that fail, and both books after each."""

import asyncio
import time
from dataclasses import dataclass
from importlib.metadata import version

from bench.machine import Machine, this_machine
from bench.merchant import bill, collect
from bench.second_opinion.books import Comparison, compare, read_books
from bench.second_opinion.faults import CallCounts, FaultPlan
from bench.second_opinion.merchant import ForeignMerchant, running_foreign_merchant
from bench.second_opinion.returns import check_refunds, give_back
from models.period import Period

SEED = 7
SHARES = (0.0, 0.25, 0.5, 0.75)
FIRST_PERIOD = "2026-01"
GATEWAY_TIMEOUT_SECONDS = 2.0
# A late effect comes so long after the client has given up and, at times, asked again.
LATE_SECONDS = 1.0
MONTH_SECONDS_MAX = 900.0
# How often refunds without an answer are looked at again.
EVENT_SECONDS = 3.0

_OPEN = """
select (select count(*) from duly.gateway_requests where state in ('pending', 'under_processing', 'unknown'))
    + (select count(*) from duly.collections where closed_at is null)
    + (select count(*) from duly.reductions r where not exists (
        select from duly.reduction_parts p
        where p.award_id = r.award_id and p.credit_id is not null and p.undone_by is null))
    + :given_back - (select count(*) from duly.gateway_requests where of_request_id is not null and state = 'posted')
"""
_SETTLED = """
select count(*) from duly.gateway_requests where kind = 'payment' and period = :period and state = 'posted'
"""
_UNANSWERED = """
select count(*) from duly.gateway_attempts a join duly.gateway_requests r on r.id = a.request_id
where a.sent_at > a.started_at and r.created_at >= :since
"""


@dataclass(frozen=True)
class ForeignMonth:
    """A month with its returns: what it met, what it came to, and both books afterwards.

    `paid` of the accounts whose card is good, `owing` of them not; `given_back` counts refunds, cancellations and
    rewards that were asked for; `sent_again` attempts that their first call did not settle.
    """

    period: str
    share: float
    counts: CallCounts
    paid: int
    owing: int
    given_back: int
    sent_again: int
    unresolved: int
    seconds: float
    books: Comparison

    @property
    def failed(self) -> int:
        """Calls that went wrong."""
        return sum(self.counts.faults.values())


@dataclass(frozen=True)
class SecondOpinion:
    """Every month, over the same accounts, of which `declining` have a card that declines."""

    machine: Machine
    localstripe: str
    seed: int
    accounts: int
    declining: int
    months: tuple[ForeignMonth, ...]


async def measure_second_opinion(
    *,
    accounts: int,
    shares: tuple[float, ...] = SHARES,
    seed: int = SEED,
    gateway_timeout_seconds: float = GATEWAY_TIMEOUT_SECONDS,
) -> SecondOpinion:
    """Run a month for each share of failing calls."""
    late_seconds = gateway_timeout_seconds + LATE_SECONDS
    async with running_foreign_merchant(accounts, gateway_timeout_seconds=gateway_timeout_seconds) as merchant:
        period = Period.parse(FIRST_PERIOD)
        months: list[ForeignMonth] = []
        for share in shares:
            plan = FaultPlan(share=share, seed=seed, late_seconds=late_seconds)
            months.append(await _month(merchant, plan, str(period), sum(each.given_back for each in months)))
            period = period.next()
        return SecondOpinion(
            await this_machine(merchant.database),
            version("localstripe"),
            seed,
            accounts,
            merchant.declining,
            tuple(months),
        )


async def _month(merchant: ForeignMerchant, plan: FaultPlan, period: str, given_back_before: int) -> ForeignMonth:
    began = time.monotonic()
    (since,) = (await merchant.database.rows("select clock_timestamp()"))[0]
    await merchant.adapter.begin(plan)
    await bill(merchant.client, period)
    await collect(merchant.client, period)
    await _wait_until_certain(merchant, given_back_before)
    (paid,) = (await merchant.database.rows(_SETTLED, period=period))[0]
    given_back = await give_back(merchant.client, merchant.database, period)
    unresolved = await _wait_until_certain(merchant, given_back_before + given_back)
    seconds = time.monotonic() - began
    counts = await merchant.adapter.counts()
    # What was held back may still be on its way, and would be a charge that nobody knows of.
    await asyncio.sleep(plan.late_seconds if plan.share else 0)
    books = await compare(await read_books(merchant.localstripe), merchant.database)
    (sent_again,) = (await merchant.database.rows(_UNANSWERED, since=since))[0]
    return ForeignMonth(
        period=period,
        share=plan.share,
        counts=counts,
        paid=paid,
        owing=merchant.accounts - merchant.declining - paid,
        given_back=given_back,
        sent_again=sent_again,
        unresolved=unresolved,
        seconds=round(seconds, 1),
        books=books,
    )


async def _wait_until_certain(merchant: ForeignMerchant, given_back: int) -> int:
    """Wait until so much was given back and nothing is open, and return what still is when the time is over."""
    began = checked_at = time.monotonic()
    # The workers are other processes, so nothing here could be waited for instead.
    while (still_open := await _still_open(merchant, given_back)) and time.monotonic() - began < MONTH_SECONDS_MAX:
        if time.monotonic() - checked_at > EVENT_SECONDS:
            await check_refunds(merchant.client, merchant.database)
            checked_at = time.monotonic()
        await asyncio.sleep(0.25)
    return still_open


async def _still_open(merchant: ForeignMerchant, given_back: int) -> int:
    return int((await merchant.database.rows(_OPEN, given_back=given_back))[0][0])
