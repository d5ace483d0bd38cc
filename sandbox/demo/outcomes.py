"""What has become of every account of a demo so far, read from the database."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from activities.database import Database

# A receivable is settled when its request is posted; had it been declined before, it was recovered.
_ACCOUNTS = """
select a.id, a.currency, coalesce(r.amount_minor, i.amount_minor, 0) as amount_minor,
    case
        when r.state = 'posted' then case when d.request_id is null then 'charged' else 'recovered' end
        when c.stage = 'given_up' then 'given_up'
        when not run.is_frozen or i.outcome is null and c.account_id is null and r.state is distinct from 'unknown'
            and i.member_id is not null then 'to_do'
        when i.member_id is null or i.outcome in ('skipped', 'parked', 'released') or c.stage = 'settled' then 'skipped'
        when r.state = 'unknown' or d.request_id is null and i.outcome is distinct from 'in_dunning' then 'unknown'
        else 'in_dunning'
    end as outcome,
    case
        when c.stage = 'given_up' then c.reason
        when i.member_id is null then coalesce(b.reason, 'nothing_billed')
        else i.reason
    end as reason
from duly.accounts a
cross join (select exists (select from duly.run_items where run_id = :payment_run) as is_frozen) run
left join duly.run_items i on i.run_id = :payment_run and i.member_id = a.id
left join duly.gateway_requests r on r.account_id = a.id and r.period = :period and r.kind = 'payment'
left join duly.collections c on c.account_id = a.id and c.period = :period
left join lateral (
    select x.request_id from duly.gateway_attempts x
    where x.request_id = r.id and x.outcome = 'declined' limit 1) d on true
left join lateral (
    select x.reason from duly.run_items x
    where x.run_id = :billing_run and x.account_id = a.id and x.outcome in ('skipped', 'parked') limit 1) b on true
where a.kind = 'customer'
"""


class AccountOutcome(StrEnum):
    """Where an account stands; each has exactly one."""

    TO_DO = "to_do"
    CHARGED = "charged"
    RECOVERED = "recovered"
    IN_DUNNING = "in_dunning"
    GIVEN_UP = "given_up"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


Tally = Counter[AccountOutcome]

OPEN = (AccountOutcome.TO_DO, AccountOutcome.IN_DUNNING, AccountOutcome.UNKNOWN)


@dataclass(frozen=True)
class Cycle:
    """The runs of one period."""

    period: str
    billing_run: str
    payment_run: str


@dataclass(frozen=True)
class OutcomeCount:
    """Accounts with one outcome for one reason in one currency; amount in minor units."""

    outcome: AccountOutcome
    reason: str
    currency: str
    accounts: int
    amount_minor: int


class Outcomes:
    """Counts accounts by what became of them in a cycle."""

    def __init__(self, database: Database, cycle: Cycle) -> None:
        self._database = database
        self._parameters: dict[str, Any] = {
            "period": cycle.period,
            "billing_run": cycle.billing_run,
            "payment_run": cycle.payment_run,
        }

    async def tally(self) -> Tally:
        """Count the accounts by outcome."""
        rows = await self._rows("select outcome, count(*) from accounts group by outcome")
        return Counter({AccountOutcome(outcome): count for outcome, count in rows})

    async def by_reason(self) -> list[OutcomeCount]:
        """Count the accounts by outcome, reason and currency."""
        rows = await self._rows(
            "select outcome, case outcome when 'charged' then '' when 'recovered' then '' else reason end, currency,"
            " count(*), sum(amount_minor)::bigint from accounts group by 1, 2, 3 order by 1, 2, 3"
        )
        return [OutcomeCount(AccountOutcome(outcome), *rest) for outcome, *rest in rows]

    async def recovered_account(self) -> str:
        """Return an account that was recovered, else any that was given up, else ""."""
        rows = await self._rows(
            "select id from accounts where outcome in ('recovered', 'given_up') order by outcome desc, id limit 1"
        )
        return str(rows[0][0]) if rows else ""

    async def billed(self) -> tuple[object, bool]:
        """Return how many subscriptions have been billed so far; nothing of a billing run outlives it."""
        rows = await self._database.rows(
            "select count(*) from duly.run_items where run_id = :run and outcome is not null",
            run=self._parameters["billing_run"],
        )
        return rows[0][0], False

    async def open_collections(self) -> int:
        """Count the receivables that a collection still owns."""
        rows = await self._database.rows("select count(*) from duly.collections where closed_at is null")
        return int(rows[0][0])

    async def payments_per_second(self) -> float:
        """Return how many first attempts the payment run made a second."""
        rows = await self._database.rows(
            "select count(*) / greatest(extract(epoch from max(i.finished_at) - min(r.started_at)), 0.001)"
            " from duly.run_items i join duly.process_runs r on r.id = i.run_id"
            " where r.id = :run and i.outcome in ('charged', 'in_dunning', 'unknown')",
            run=self._parameters["payment_run"],
        )
        return float(rows[0][0] or 0)

    async def _rows(self, statement: str) -> Sequence[Any]:
        return await self._database.rows(f"with accounts as ({_ACCOUNTS}) {statement}", **self._parameters)
