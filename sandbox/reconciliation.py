"""Compares the gateway's movements with the ledger's postings, object by object, by the gateway's references."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from activities.database import Database
from models.gateway import Movement, MovementKind
from models.money import Money

_POSTED = """
select coalesce(a.charge_reference, t.id) as charge_reference, t.id as payment_id, t.currency,
    t.total_minor as amount_minor, coalesce(f.amount_minor, 0) as fee_minor
from duly.financial_transactions t
left join duly.gateway_attempts a on a.payment_id = t.id and a.outcome = 'succeeded' and a.channel <> 'refund'
left join duly.gateway_bookings f on f.payment_id = t.id and f.kind = 'fee'
where t.classification = 'payment' and t.provider = :provider and t.posted_at is not null
"""

_CLEARING = """
select currency, sum(case debit_account when :account then amount_minor else -amount_minor end)::bigint as balance_minor
from duly.transfers where :account in (debit_account, credit_account) group by currency
"""


@dataclass(frozen=True)
class PostedPayment:
    """A payment through the gateway as the ledger has it; amounts before the fee, in minor units."""

    charge_reference: str
    payment_id: str
    currency: str
    amount_minor: int
    fee_minor: int


@dataclass(frozen=True)
class Discrepancy:
    """One object on which gateway and ledger differ; "" where one of them does not know it."""

    reference: str
    at_gateway: str
    in_ledger: str


async def posted_payments(database: Database, provider: str) -> list[PostedPayment]:
    """Read every posted payment of a provider."""
    rows = await database.rows(_POSTED, provider=provider)
    return [PostedPayment(**row._asdict()) for row in rows]


async def clearing_balances(database: Database, provider: str) -> dict[str, int]:
    """Read what the ledger says lies at a provider, in minor units by currency."""
    rows = await database.rows(_CLEARING, account=f"gateway_clearing:{provider}")
    return {row.currency: row.balance_minor for row in rows}


def compare_objects(movements: Iterable[Movement], payments: Iterable[PostedPayment]) -> list[Discrepancy]:
    """Return every charge whose amount or fee differs, that only one side knows, or that is there more than once."""
    at_gateway = _described(
        (each.source_reference, each.amount_minor, each.fee_minor, each.currency)
        for each in movements
        if each.kind is MovementKind.CHARGE
    )
    in_ledger = _described(
        (each.charge_reference, each.amount_minor, each.fee_minor, each.currency) for each in payments
    )
    return [
        Discrepancy(reference, at_gateway.get(reference, ""), in_ledger.get(reference, ""))
        for reference in sorted(at_gateway.keys() | in_ledger.keys())
        if at_gateway.get(reference) != in_ledger.get(reference)
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
