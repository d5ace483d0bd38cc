"""Compares the gateway's movements with the ledger's postings, object by object, by the gateway's references."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from activities.database import Database
from models.gateway.movements import Movement, MovementKind
from models.money import Money

# What the ledger says moved at the gateway, by the gateway's references and with its signs.
_BOOKED = """
select coalesce(a.charge_reference, t.id) as reference, t.currency, t.total_minor as amount_minor,
    coalesce(f.amount_minor, 0) + coalesce(p.amount_minor, 0) as fee_minor
from duly.financial_transactions t
left join duly.gateway_attempts a on a.payment_id = t.id and a.outcome = 'succeeded' and a.channel <> 'refund'
left join duly.gateway_bookings f on f.payment_id = t.id and f.kind = 'fee'
left join duly.gateway_bookings p on p.payment_id = t.id and p.kind = 'platform_fee' and p.provider = t.provider
where t.classification = 'payment' and t.provider = :provider and t.posted_at is not null and t.counterpart_id is null
  and t.type_id not in ('payment_kept', 'refund_returned')
union all
select r.gateway_reference, r.currency, -r.amount_minor, -coalesce(p.amount_minor, 0)
from duly.gateway_requests r
left join duly.gateway_bookings p on p.gateway_reference = r.gateway_reference and p.kind = 'platform_fee_refund'
    and p.provider = r.provider_id
where r.provider_id = :provider and r.of_request_id is not null and r.state in ('posted', 'reversed')
union all
select r.gateway_reference, r.currency, r.amount_minor, 0
from duly.gateway_requests r
where r.provider_id = :provider and r.of_request_id is not null and r.state = 'reversed'
union all
select d.gateway_reference, d.currency, case d.kind when 'dispute_held' then -d.amount_minor else d.amount_minor end,
    case d.kind when 'dispute_held' then coalesce(f.amount_minor, 0) else 0 end
from duly.gateway_bookings d
left join duly.gateway_bookings f on f.gateway_reference = d.gateway_reference and f.kind = 'fee'
where d.provider = :provider and d.kind in ('dispute_held', 'dispute_released')
"""

_OF_OBJECTS = frozenset(
    {
        MovementKind.CHARGE,
        MovementKind.REFUND,
        MovementKind.REFUND_FAILURE,
        MovementKind.DISPUTE,
        MovementKind.DISPUTE_REVERSAL,
    }
)

_CLEARING = """
select currency, sum(case debit_account when :account then amount_minor else -amount_minor end)::bigint as balance_minor
from duly.transfers where :account in (debit_account, credit_account) group by currency
"""


@dataclass(frozen=True)
class Booked:
    """A movement at the gateway as the ledger has it: signed amount before the fee, fee, in minor units."""

    reference: str
    currency: str
    amount_minor: int
    fee_minor: int


@dataclass(frozen=True)
class Discrepancy:
    """One object on which gateway and ledger differ; "" where one of them does not know it."""

    reference: str
    at_gateway: str
    in_ledger: str


async def booked_movements(database: Database, provider: str) -> list[Booked]:
    """Read every charge, refund and dispute of a provider that the ledger has booked."""
    rows = await database.rows(_BOOKED, provider=provider)
    return [Booked(**row._asdict()) for row in rows]


async def clearing_balances(database: Database, provider: str) -> dict[str, int]:
    """Read what the ledger says lies at a provider, in minor units by currency."""
    rows = await database.rows(_CLEARING, account=f"gateway_clearing:{provider}")
    return {row.currency: row.balance_minor for row in rows}


def compare_objects(movements: Iterable[Movement], booked: Iterable[Booked]) -> list[Discrepancy]:
    """Return every object whose amount or fee differs, that only one side knows, or that is there more than once."""
    seen = [each for each in movements if each.kind in _OF_OBJECTS]
    gateway = _described((each.source_reference, each.amount_minor, each.fee_minor, each.currency) for each in seen)
    ledger = _described((each.reference, each.amount_minor, each.fee_minor, each.currency) for each in booked)
    # A refund that failed before anybody heard of it went and came back: the ledger need not know.
    sums: Counter[str] = Counter()
    for each in seen:
        sums[each.source_reference] += each.amount_minor - each.fee_minor
    gateway = {reference: text for reference, text in gateway.items() if reference in ledger or sums[reference]}
    return [
        Discrepancy(reference, gateway.get(reference, ""), ledger.get(reference, ""))
        for reference in sorted(gateway.keys() | ledger.keys())
        if gateway.get(reference) != ledger.get(reference)
    ]


def compare_balances(at_gateway: Mapping[str, int], in_ledger: Mapping[str, int]) -> list[Discrepancy]:
    """Return every currency in which the gateway's balance is not the ledger's."""
    return [
        Discrepancy(f"balance:{currency}", str(gateway), str(ledger))
        for currency in sorted(at_gateway.keys() | in_ledger.keys())
        if (gateway := Money(at_gateway.get(currency, 0), currency))
        != (ledger := Money(in_ledger.get(currency, 0), currency))
    ]


def _described(booked: Iterable[tuple[str, int, int, str]]) -> dict[str, str]:
    descriptions: dict[str, Counter[str]] = {}
    for reference, amount_minor, fee_minor, currency in booked:
        text = f"{Money(amount_minor, currency)}, fee {Money(fee_minor, currency)}"
        descriptions.setdefault(reference, Counter())[text] += 1
    return {reference: " and ".join(_sorted(found)) for reference, found in descriptions.items()}


def _sorted(found: Counter[str]) -> Sequence[str]:
    return sorted(found.elements())
