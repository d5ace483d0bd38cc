"""The oracle: what must be true in the end, by its own SQL over the tables and its own reading of the gateway.

Nothing of the product is imported here, so that a fault in its rules cannot hide in its own verdict.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from bench.chaos.families.rules import FAMILY_RULES, AcknowledgedFamilies, judge_families
from bench.chaos.gateway_records import GatewayRecords

CLEARING = "gateway_clearing:stripe"

_PAYMENTS = """
select a.charge_reference, t.account_id, t.currency, t.total_minor, t.posted_at is not null
from duly.financial_transactions t
left join duly.gateway_attempts a on a.payment_id = t.id and a.outcome = 'succeeded' and a.channel <> 'refund'
where t.classification = 'payment' and t.provider = 'stripe' and t.posted_at is not null and t.counterpart_id is null
  and t.type_id not in ('payment_kept', 'refund_returned')
"""
_REFUNDS = """
select gateway_reference, currency, amount_minor, state from duly.gateway_requests
where of_request_id is not null and state in ('posted', 'reversed')
"""
_DISPUTES = "select id, state, request_id from duly.disputes"
_BALANCES = """
select currency, sum(case debit_account when %(clearing)s then amount_minor else -amount_minor end)::bigint
from duly.transfers where %(clearing)s in (debit_account, credit_account) group by currency
"""
_BANK = """
select account_id, sum(total_minor)::bigint from duly.financial_transactions
where classification = 'payment' and method = 'bank_transfer' and posted_at is not null group by account_id
"""
_SETTLED = "select account_id, period from duly.gateway_requests where kind = 'payment' and state = 'posted'"

# The product has a view of its own for these: here they are written down a second time.
RULES: Mapping[str, str] = {
    "a posted transaction has transfers over its total": """
        select t.id from duly.financial_transactions t
        left join (select source_id, sum(amount_minor) as moved from duly.transfers group by source_id) x
          on x.source_id = t.id
        where t.posted_at is not null and x.moved is distinct from t.total_minor""",
    "a transfer belongs to something that is posted": """
        select x.source_id from duly.transfers x
        where not exists (select from duly.financial_transactions t
            where t.id = x.source_id and t.posted_at is not null)
          and not exists (select from duly.gateway_bookings g where g.id = x.source_id)
          and not exists (select from duly.wallet_transactions w where w.id = x.source_id)
          and not exists (select from duly.voucher_transactions v where v.id = x.source_id)""",
    "a balance is the sum of what is posted": """
        select b.account_id from duly.account_balances b
        left join (select account_id, sum(case when classification in
                ('invoice', 'refund', 'payment_cancellation')
            then total_minor else -total_minor end) as owed
            from duly.financial_transactions where posted_at is not null group by account_id) s using (account_id)
        where b.balance_minor <> coalesce(s.owed, 0)""",
    "nothing is settled beyond its amount": """
        select transaction_id from duly.open_items where allocated_minor > amount_minor or allocated_minor < 0""",
    "what is settled of a document is what others settle of it": """
        select i.transaction_id from duly.open_items i
        left join (select x.id, sum(a.amount_minor) as settled from duly.current_allocations a
            cross join lateral (values (a.credit_id), (a.debit_id)) x (id) group by x.id) s on s.id = i.transaction_id
        where i.allocated_minor <> coalesce(s.settled, 0)""",
    "a receivable is paid by one request": """
        select account_id || '/' || period from duly.gateway_requests
        where kind = 'payment' and state = 'posted' group by account_id, period having count(*) > 1""",
    "a request has one attempt that succeeded": """
        select request_id from duly.gateway_attempts where outcome = 'succeeded' group by request_id
        having count(*) > 1""",
    **FAMILY_RULES,
    "an invariant of the product": "select rule || ': ' || offender from duly.invariant_violations",
}


@dataclass(frozen=True)
class Acknowledged:
    """What the company was told is done: receivables that were paid, by account and name, and money from the bank."""

    receivables: frozenset[tuple[str, str]]
    bank_minor: Mapping[str, int]
    families: AcknowledgedFamilies = field(default_factory=AcknowledgedFamilies)


@dataclass(frozen=True)
class OracleVerdict:
    """What was compared, and everything that may not be: each a line that names its object."""

    charges: int
    refunds: int
    disputes: int
    attempts: int
    double_charges: tuple[str, ...]
    lost_payments: tuple[str, ...]
    discrepancies: tuple[str, ...]
    broken_invariants: tuple[str, ...]

    @property
    def findings(self) -> tuple[str, ...]:
        """Everything that may not be."""
        return (*self.double_charges, *self.lost_payments, *self.discrepancies, *self.broken_invariants)

    @property
    def doubled_per_million(self) -> float:
        """Double charges for each million attempts."""
        return round(len(self.double_charges) * 1e6 / self.attempts, 1) if self.attempts else 0.0


class Oracle:
    """Compares both books, once everything is over."""

    def __init__(self, dsn: str, records: GatewayRecords, acknowledged: Acknowledged) -> None:
        self._dsn, self._records, self._acknowledged = dsn, records, acknowledged

    def judge(self) -> OracleVerdict:
        """Read the tables in one transaction, and say what is wrong."""
        with psycopg.connect(self._dsn) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            return self.judge_by(connection)

    def judge_by(self, connection: psycopg.Connection) -> OracleVerdict:
        """Say what is wrong in the tables as a connection sees them."""
        payments = {
            str(reference or f"payment without a charge of {account}"): (account, currency, total)
            for reference, account, currency, total, _ in connection.execute(_PAYMENTS)
        }
        families = judge_families(connection, self._records.charges, self._acknowledged.families)
        return OracleVerdict(
            charges=len(self._records.charges),
            refunds=len(self._records.refunds),
            disputes=len(self._records.disputes),
            attempts=_count(connection, "select count(*) from duly.gateway_attempts"),
            double_charges=(*self._double_charges(), *families.double_charges),
            lost_payments=(
                *self._not_booked(payments),
                *self._not_kept(connection),
                *families.lost_payments,
            ),
            discrepancies=(
                *families.discrepancies,
                *self._without_charge(payments),
                *self._refunds(connection),
                *self._disputes(connection),
                *_differing(self._records.balances, _sums(connection, _BALANCES, clearing=CLEARING), "balance"),
            ),
            broken_invariants=tuple(_broken(connection)),
        )

    def _double_charges(self) -> Iterator[str]:
        """Every charge beyond the first for one request, and every one that no request asked for."""
        counted = Counter(each["metadata"].get("duly_request", "") for each in self._records.charges)
        for request, times in counted.items():
            if not request:
                yield from ("a charge that no request asked for" for _ in range(times))
            else:
                yield from (f"{request} was charged {times} times" for _ in range(times - 1))

    def _not_booked(self, payments: Mapping[str, tuple[str, str, int]]) -> Iterator[str]:
        for each in self._records.charges:
            booked = payments.get(each["id"])
            owner = each["metadata"].get("duly_account", "")
            taken = (owner, each["currency"].upper(), each["amount"])
            if booked is None:
                yield f"{each['id']} of {owner} took {each['amount']} {each['currency']} and is not booked"
            elif booked != taken:
                yield f"{each['id']} took {taken} and is booked as {booked}"

    def _without_charge(self, payments: Mapping[str, tuple[str, str, int]]) -> Iterator[str]:
        known = {each["id"] for each in self._records.charges}
        return (f"{reference} is booked, and the gateway has no such charge" for reference in payments.keys() - known)

    def _not_kept(self, connection: psycopg.Connection) -> Iterator[str]:
        """What was acknowledged and is not in the ledger."""
        settled = {(str(account), str(period)) for account, period in connection.execute(_SETTLED)}
        for account, period in sorted(self._acknowledged.receivables - settled):
            yield f"{account}/{period} was acknowledged as paid, and is not"
        yield from _differing(self._acknowledged.bank_minor, _sums(connection, _BANK), "money from the bank for")

    def _refunds(self, connection: psycopg.Connection) -> Iterator[str]:
        booked = {str(row[0]): (row[1], row[2], row[3] == "reversed") for row in connection.execute(_REFUNDS)}
        failed = {"failed", "canceled"}
        there = {
            each["id"]: (each["currency"].upper(), each["amount"], each["status"] in failed)
            for each in self._records.refunds
        }
        for reference in sorted(booked.keys() | there.keys()):
            at_gateway = there.get(reference)
            if reference not in booked and at_gateway is not None and at_gateway[2]:
                # It failed before anybody heard of it: nothing has moved.
                continue
            if booked.get(reference) != at_gateway:
                yield f"refund {reference}: {at_gateway} at the gateway, {booked.get(reference)} in the ledger"
        doubled = Counter(each["metadata"].get("duly_request", each["id"]) for each in self._records.refunds)
        yield from (f"{request} was refunded {times} times" for request, times in doubled.items() if times > 1)

    def _disputes(self, connection: psycopg.Connection) -> Iterator[str]:
        booked = {str(row[0]): str(row[1]) for row in connection.execute(_DISPUTES)}
        decided = {"won": "won", "lost": "lost"}
        for each in self._records.disputes:
            state = booked.pop(each["id"], None)
            if state is None or (each["status"] in decided and state != decided[each["status"]]):
                yield f"dispute {each['id']} is {each['status']} at the gateway, {state} in the ledger"
        yield from (f"dispute {id} is {state} in the ledger alone" for id, state in booked.items())


def _broken(connection: psycopg.Connection) -> Iterator[str]:
    for rule, query in RULES.items():
        yield from (f"{rule}: {row[0]}" for row in connection.execute(query.encode()))


def _count(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def _sums(connection: psycopg.Connection, query: str, **arguments: Any) -> dict[str, int]:
    rows: Sequence[tuple[str, int]] = connection.execute(query.encode(), arguments or None).fetchall()
    return {str(name): int(amount) for name, amount in rows}


def _differing(expected: Mapping[str, int], found: Mapping[str, int], what: str) -> Iterable[str]:
    return (
        f"{what} {name}: {expected.get(name, 0)} there, {found.get(name, 0)} in the ledger"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name, 0) != found.get(name, 0)
    )
