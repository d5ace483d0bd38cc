"""What a demo came to: counts, money, and the proof that nothing was charged twice or lost."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import stripe

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from models.gateway.amounts import from_gateway
from sandbox.demo.outcomes import AccountOutcome, OutcomeCount, Outcomes
from sandbox.demo.returns import Returns
from sandbox.reconciliation import (
    Discrepancy,
    booked_movements,
    clearing_balances,
    compare_balances,
    compare_objects,
)
from sandbox.stripe.control.client import SandboxControl
from sandbox.stripe.control.messages import MovementReport

# What was billed, what came in, what the gateway kept of it, and what is still owed.
_MONEY = """
select currency, coalesce(sum(billed), 0)::bigint as billed_minor,
    coalesce(sum(collected), 0)::bigint as collected_minor,
    coalesce(sum(fees), 0)::bigint as fees_minor, coalesce(sum(owed), 0)::bigint as owed_minor
from (
    select t.currency, case t.classification when 'invoice' then t.total_minor end as billed,
        case when t.classification = 'payment' and t.state = 'posted' then t.total_minor end as collected,
        null::bigint as fees,
        case t.classification when 'invoice' then i.amount_minor - i.allocated_minor end as owed
    from duly.financial_transactions t join duly.open_items i on i.transaction_id = t.id
    where t.posted_at is not null and t.type_id <> 'refund_returned' and t.idempotency_key not like 'reduction:%'
    union all
    select currency, null, null, amount_minor, null from duly.gateway_bookings where kind = 'fee'
) x group by currency order by currency
"""


@dataclass(frozen=True)
class CurrencySummary:
    """The month in one currency, in minor units."""

    currency: str
    billed_minor: int
    collected_minor: int
    fees_minor: int
    owed_minor: int


# What the payment run of each month came to, by now: who was declined may have paid since.
_MONTHS = """
select r.period, count(*) filter (where i.outcome is distinct from 'skipped') as asked,
    count(*) filter (where i.outcome = 'charged') as charged,
    count(*) filter (where c.stage = 'settled') as recovered,
    count(*) filter (where c.stage = 'given_up') as given_up
from duly.process_runs r join duly.run_items i on i.run_id = r.id
left join duly.collections c on c.account_id = i.account_id and c.period = r.period and i.outcome <> 'charged'
where r.kind = 'payment' and r.state = 'completed' group by r.period order by r.period
"""


@dataclass(frozen=True)
class MonthSummary:
    """How many accounts a month's payment run asked, and what became of them."""

    period: str
    asked: int
    charged: int
    recovered: int
    given_up: int


@dataclass(frozen=True)
class DemoReport:
    """The summary of a demo; every account is counted once, in one of charged to unknown."""

    accounts: int
    charged: int
    recovered: int
    in_dunning: int
    given_up: int
    skipped: int
    unknown: int
    charges_at_gateway: int
    double_charges: int
    ledger_minor: Mapping[str, int]
    gateway_minor: Mapping[str, int]
    discrepancies: Sequence[Discrepancy]
    invariants_broken: Sequence[Mapping[str, Any]]
    seconds: float
    payments_per_second: float
    seed: int
    period: str
    gateway_requests: int
    faults: Mapping[str, int]
    reasons: Sequence[OutcomeCount]
    money: Sequence[CurrencySummary]
    returns: Returns
    months: Sequence[MonthSummary]
    links: Mapping[str, str]

    @property
    def is_broken(self) -> bool:
        """Tell whether money was charged twice, differs from the gateway's, or breaks an invariant of the ledger."""
        return bool(self.double_charges or self.discrepancies or self.invariants_broken)

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Proof:
    """What gateway and ledger say of the same money."""

    charges_at_gateway: int
    double_charges: int
    ledger_minor: Mapping[str, int]
    gateway_minor: Mapping[str, int]
    discrepancies: Sequence[Discrepancy]
    invariants_broken: Sequence[Mapping[str, Any]]


class Auditor:
    """Reads what moved on both sides. Faults are to be off: it asks once and believes the answer."""

    def __init__(
        self, database: Database, gateway: StripeGateway, client: stripe.StripeClient, control: SandboxControl
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._client = client
        self._control = control

    async def prove(self, provider: str, since: datetime, *, charged_once: str = "duly_account") -> Proof:
        """Compare everything that moved since the demo began. `charged_once` names what owes one payment each."""
        moved = self._control.movements(group_by=(charged_once,))
        ledger = await clearing_balances(self._database, provider)
        balance = await self._balance()
        movements = [each async for each in self._gateway.movements(since)]
        booked = await booked_movements(self._database, provider)
        return Proof(
            charges_at_gateway=sum(total.charges.count for total in moved.totals),
            double_charges=doubles_in(moved),
            ledger_minor=ledger,
            gateway_minor=balance,
            discrepancies=(*compare_objects(movements, booked), *compare_balances(balance, ledger)),
            invariants_broken=await self._invariants_broken(),
        )

    async def money(self) -> list[CurrencySummary]:
        """Sum the month up by currency."""
        rows = await self._database.rows(_MONEY)
        return [CurrencySummary(**row._asdict()) for row in rows]

    async def months(self) -> list[MonthSummary]:
        """Sum up the payment runs of all months."""
        rows = await self._database.rows(_MONTHS)
        return [MonthSummary(**row._asdict()) for row in rows]

    async def _balance(self) -> dict[str, int]:
        balance = await self._client.v1.balance.retrieve_async()
        found: Counter[str] = Counter()
        parts = [(part.amount, part.currency) for part in balance.available]
        parts += [(part.amount, part.currency) for part in balance.pending]
        for amount, currency in parts:
            money = from_gateway(amount, currency)
            found[money.currency] += money.amount_minor
        return dict(found)

    async def _invariants_broken(self) -> list[Mapping[str, Any]]:
        rows = await self._database.rows("select * from duly.invariant_violations")
        return [{name: str(value) for name, value in row._asdict().items()} for row in rows]


def doubles_in(moved: MovementReport) -> int:
    """Count the charges beyond the first for the same thing: each group owes one payment."""
    return sum(max(0, group.charges.count - 1) for group in moved.groups)


async def report_of(outcomes: Outcomes, auditor: Auditor, proof: Proof, **rest: Any) -> DemoReport:
    """Put the report together."""
    tally = await outcomes.tally()
    return DemoReport(
        accounts=tally.total(),
        charged=tally[AccountOutcome.CHARGED],
        recovered=tally[AccountOutcome.RECOVERED],
        in_dunning=tally[AccountOutcome.IN_DUNNING],
        given_up=tally[AccountOutcome.GIVEN_UP],
        skipped=tally[AccountOutcome.SKIPPED],
        unknown=tally[AccountOutcome.UNKNOWN] + tally[AccountOutcome.TO_DO],
        payments_per_second=round(await outcomes.payments_per_second(), 1),
        reasons=await outcomes.by_reason(),
        money=await auditor.money(),
        **vars(proof),
        **rest,
    )
