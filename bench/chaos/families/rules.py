"""What must be true of payment requests, wallets, vouchers and bank debits in the end: the oracle's, by SQL of its own.

Nothing of the product is imported here, so that a fault in its rules cannot hide in its own verdict.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

_REQUESTS = """
select q.id, q.state, q.end_reason, r.id, r.state
from duly.payment_requests q
left join duly.gateway_requests r on r.account_id = q.account_id and r.period = q.period and r.kind = 'payment'
"""
_WALLETS = """
select idempotency_key, case direction when 'credit' then amount_minor else -amount_minor end::bigint
from duly.wallet_transactions
"""
_REDEEMED = """
select v.code_hash, x.account_id from duly.vouchers v
join duly.voucher_ends e on e.voucher_id = v.id
join duly.voucher_transactions x on x.id = e.transaction_id and x.kind = 'redeemed'
"""
_DEBITS = "select id, state, amount_minor::bigint from duly.debits"
_LINES = "select coalesce(sum(amount_minor), 0)::bigint from duly.debit_lines"

# The product has views and checks of its own for most of these: here they are written down a second time.
FAMILY_RULES: Mapping[str, str] = {
    "a wallet holds its credits less its debits, and never less than nothing": """
        select account_id from (select account_id, balance_after_minor,
                sum(case direction when 'credit' then amount_minor else -amount_minor end)
                    over (partition by account_id order by wallet_version) as held
            from duly.wallet_transactions) w
        where balance_after_minor <> held or held < 0""",
    "a wallet holds what is on its ledger account": """
        select account_id from (select account_id,
                sum(case direction when 'credit' then amount_minor else -amount_minor end) as held
            from duly.wallet_transactions group by account_id) w
        full join (select substr(name, 8) as account_id, sum(minor) as booked from (
                select credit_account as name, amount_minor as minor from duly.transfers
                    where credit_account like 'wallet:%'
                union all select debit_account, -amount_minor from duly.transfers
                    where debit_account like 'wallet:%') m group by name) l using (account_id)
        where coalesce(held, 0) <> coalesce(booked, 0)""",
    "no credit of a wallet is spent twice": """
        select w.id from duly.wallet_transactions w join duly.wallet_uses u on u.credit_id = w.id
        group by w.id, w.amount_minor having sum(u.amount_minor) not between 0 and w.amount_minor""",
    "what a wallet has paid is a payment of the same amount": """
        select w.id from duly.wallet_transactions w join duly.financial_transactions t on t.id = w.transaction_id
        where (t.total_minor, t.account_id) is distinct from (w.amount_minor, w.account_id) or t.posted_at is null""",
    "a wallet has its top-up when its invoice is paid": """
        select u.invoice_id from duly.wallet_top_ups u
        join duly.open_items i on i.transaction_id = u.invoice_id
        left join duly.wallet_transactions w on w.id = u.credited_id
        where (u.state = 'requested' and i.allocated_minor = i.amount_minor)
            or (u.state = 'credited' and w.amount_minor is distinct from u.amount_minor)""",
    "a voucher pays once": """
        select voucher_number from duly.financial_transactions
        where classification = 'payment' and voucher_number is not null and posted_at is not null
        group by voucher_number having count(*) > 1""",
    "who has redeemed a voucher is paid what it is worth": """
        select x.id from duly.voucher_transactions x join duly.voucher_batches b on b.id = x.batch_id
        left join duly.financial_transactions t on t.id = x.transaction_id and t.posted_at is not null
        where x.kind = 'redeemed'
            and (t.total_minor, t.account_id) is distinct from (b.amount_minor, x.account_id)""",
    "vouchers that are out are worth what the ledger holds": """
        select currency from (select b.currency, sum(b.amount_minor) as worth from duly.vouchers v
            join duly.voucher_batches b on b.id = v.batch_id
            where not exists (select from duly.voucher_ends e where e.voucher_id = v.id) group by b.currency) o
        full join (select currency,
                sum(case credit_account when 'vouchers' then amount_minor else -amount_minor end) as held
            from duly.transfers where 'vouchers' in (credit_account, debit_account) group by currency) l
            using (currency)
        where coalesce(worth, 0) <> coalesce(held, 0)""",
    "a request is collected by one debit": """
        select request_id from duly.debits where state = 'collected' group by request_id having count(*) > 1""",
    "a debit that the bank has brought is a payment of the same amount": """
        select d.id from duly.debits d
        left join duly.gateway_attempts a on a.request_id = d.request_id and a.attempt = d.attempt
        left join duly.financial_transactions t on t.id = a.payment_id and t.posted_at is not null
        where d.state in ('collected', 'returned')
            and (t.total_minor, t.account_id) is distinct from (d.amount_minor, d.account_id)""",
    "a debit that was returned settles no invoice": """
        select d.id from duly.debits d
        join duly.gateway_attempts a on a.request_id = d.request_id and a.attempt = d.attempt
        join duly.current_allocations x on x.credit_id = a.payment_id
        join duly.financial_transactions i on i.id = x.debit_id and i.classification = 'invoice'
        where d.state = 'returned'""",
    "nothing of bank debits is left in clearing": """
        select currency from duly.transfers where 'gateway_clearing:sepa' in (debit_account, credit_account)
        group by currency
        having sum(case debit_account when 'gateway_clearing:sepa' then amount_minor else -amount_minor end) <> 0""",
}


@dataclass(frozen=True)
class AcknowledgedFamilies:
    """What was answered as done.

    `requests` were paid on the gateway's page; `wallet_minor` has amounts by key, below zero where they left a wallet;
    `redeemed` has accounts by the hash of a code. Of the bank: `filed` are debits as message, id and amount, `refused`
    those that it refused, `lines` what it booked, as debit, amount and whether it was taken back.
    """

    requests: frozenset[str] = frozenset()
    wallet_minor: Mapping[str, int] = field(default_factory=dict)
    redeemed: Mapping[str, str] = field(default_factory=dict)
    filed: tuple[tuple[str, str, int], ...] = ()
    refused: frozenset[str] = frozenset()
    lines: tuple[tuple[str, int, bool], ...] = ()


@dataclass(frozen=True)
class FamilyVerdict:
    """What is wrong, each a line that names its object."""

    double_charges: tuple[str, ...]
    lost_payments: tuple[str, ...]
    discrepancies: tuple[str, ...]


def judge_families(
    connection: psycopg.Connection, charges: Sequence[Mapping[str, Any]], done: AcknowledgedFamilies
) -> FamilyVerdict:
    """Compare what the gateway, the bank and whoever asked know with the tables."""
    taken = Counter(each["metadata"].get("duly_request", "") for each in charges)
    requests = connection.execute(_REQUESTS.encode()).fetchall()
    return FamilyVerdict(
        double_charges=(*_paid_twice(requests, taken), *_filed_twice(done)),
        lost_payments=(*_not_recorded(requests, done), *_not_kept(connection, done)),
        discrepancies=(*_differing_requests(requests, taken), *_debits(connection, done)),
    )


def _paid_twice(requests: Sequence[tuple[Any, ...]], taken: Counter[str]) -> Iterator[str]:
    times = Counter[str]()
    for id, _, _, request, _ in requests:
        times[id] += taken[request] if request else 0
    yield from (f"payment request {id} was paid {paid} times" for id, paid in sorted(times.items()) if paid > 1)


def _filed_twice(done: AcknowledgedFamilies) -> Iterator[str]:
    messages: dict[str, set[str]] = {}
    for message, id, _ in done.filed:
        messages.setdefault(id, set()).add(message)
    yield from (f"debit {id} is in the files {sorted(of)}" for id, of in messages.items() if len(of) > 1)


def _differing_requests(requests: Sequence[tuple[Any, ...]], taken: Counter[str]) -> Iterator[str]:
    """A request is paid when the gateway has its money, or its invoices were paid elsewhere; and never otherwise."""
    for id, state, reason, request, booked in requests:
        is_taken = bool(request) and taken[request] > 0
        if is_taken and (state, booked) != ("paid", "posted"):
            yield f"payment request {id} is {state}, its payment {booked}, and the gateway has its money"
        elif state == "paid" and reason != "paid_elsewhere" and not is_taken:
            yield f"payment request {id} is paid, and the gateway has no money of it"


def _not_recorded(requests: Sequence[tuple[Any, ...]], done: AcknowledgedFamilies) -> Iterator[str]:
    paid = {id for id, state, *_ in requests if state == "paid"}
    for id in sorted(done.requests - paid):
        yield f"payment request {id} was paid on the gateway's page, and does not say so"


def _not_kept(connection: psycopg.Connection, done: AcknowledgedFamilies) -> Iterator[str]:
    """What was acknowledged and is not there."""
    moved = {str(key): int(amount) for key, amount in connection.execute(_WALLETS.encode())}
    for key, amount in sorted(done.wallet_minor.items()):
        if moved.get(key) != amount:
            yield f"wallet transaction {key} of {amount} was acknowledged, and is {moved.get(key)}"
    redeemed = {str(code): str(account) for code, account in connection.execute(_REDEEMED.encode())}
    for code, account in sorted(done.redeemed.items()):
        if redeemed.get(code) != account:
            yield f"voucher {code[:8]} was redeemed by {account}, and is {redeemed.get(code)}'s"


def _debits(connection: psycopg.Connection, done: AcknowledgedFamilies) -> Iterator[str]:
    """Every debit stands as the bank has answered it, and what the bank has booked is booked here."""
    here = {str(id): (str(state), int(amount)) for id, state, amount in connection.execute(_DEBITS.encode())}
    expected = dict.fromkeys(done.refused, "rejected")
    # A debit that was taken back had come before.
    for debit, _, is_returned in sorted(done.lines, key=lambda one: one[2]):
        expected[debit] = "returned" if is_returned else "collected"
    for id, state in sorted(expected.items()):
        if here.get(id, ("nowhere", 0))[0] != state:
            yield f"debit {id} is {state} at the bank, {here.get(id, ('nowhere', 0))[0]} in the ledger"
    for id, (state, _) in sorted(here.items()):
        if state in {"collected", "returned"} and id not in expected:
            yield f"debit {id} is {state} in the ledger, and the bank knows nothing of it"
    for message, id, amount in done.filed:
        if here.get(id, ("", 0))[1] != amount:
            yield f"debit {id} of file {message} is of {amount} at the bank, {here.get(id, ('', 0))[1]} in the ledger"
    booked = sum(-amount if is_returned else amount for _, amount, is_returned in done.lines)
    row = connection.execute(_LINES.encode()).fetchone()
    if row is None or row[0] != booked:
        yield f"the bank has booked {booked} of debits, and the ledger {row and row[0]}"
