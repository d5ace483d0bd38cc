"""What is wrong between a ledger, its gateway and what was acknowledged: rows that nothing writes, and other records.

Rows are written by a superuser whose session fires no trigger, without the constraint that would refuse them, and are
rolled back; records of the gateway are those that it has, with one thing different.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from bench.chaos.gateway_records import GatewayRecords
from bench.chaos.oracle import Acknowledged

_REQUEST = """
insert into duly.gateway_requests select (jsonb_populate_record(r, '{more}')).*
from duly.gateway_requests r where r.kind = 'payment' and r.state = 'posted' limit 1;
"""
_DISPUTE = """
insert into duly.disputes (id, provider_id, request_id, account_id, amount_minor, currency, state, status)
values ('dp_wrong', 'stripe', 'r', 'acc_000001', 777, 'EUR', 'open', 'needs_response');
"""
_ATTEMPT = """
drop index duly.one_success;
insert into duly.gateway_attempts select (jsonb_populate_record(a,
    '{"attempt": 99, "number": 99, "idempotency_key": "wrong", "charge_reference": null}')).*
from duly.gateway_attempts a where a.outcome = 'succeeded' limit 1;
"""
_ORPHAN = """
insert into duly.transfers (source_id, position, debit_account, credit_account, currency, amount_minor, posted_on)
values ('wrong', 1, 'receivable:acc_000001', 'bank', 'EUR', 777, current_date);
"""
_ALLOCATED = """
alter table duly.open_items drop constraint not_over_allocated;
update duly.open_items set allocated_minor = amount_minor + 1
where transaction_id = (select transaction_id from duly.open_items limit 1);
"""

# By what the finding begins with.
WRONG_BOOKS = {
    "a posted transaction has transfers over its total: ": "delete from duly.transfers where source_id ="
    " (select id from duly.financial_transactions where posted_at is not null limit 1)",
    "a transfer belongs to something that is posted: wrong": _ORPHAN,
    "a balance is the sum of what is posted: ": "update duly.account_balances set balance_minor = balance_minor + 1"
    " where account_id = (select account_id from duly.account_balances limit 1)",
    "nothing is settled beyond its amount: ": _ALLOCATED,
    "what is settled of a document is what others settle of it: ": _ALLOCATED,
    "a receivable is paid by one request: ": "drop index duly.one_request_a_receivable;"
    + _REQUEST.format(more='{"id": "req_wrong", "gateway_reference": null}'),
    "a request has one attempt that succeeded: ": _ATTEMPT,
    "an invariant of the product: ": _ORPHAN,
    "refund re_wrong: None at the gateway": _REQUEST.format(
        more='{"id": "rf_wrong", "kind": "refund", "of_request_id": "r", "gateway_reference": "re_wrong"}',
    ),
    "dispute dp_wrong is open in the ledger alone": _DISPUTE,
}

Change = Callable[[GatewayRecords], GatewayRecords]


def same(has: GatewayRecords) -> GatewayRecords:
    """Change nothing of what the gateway has."""
    return has


def _refund(status: str, times: int = 1) -> Change:
    one = {"currency": "eur", "amount": 777, "status": status, "metadata": {"duly_request": "rf_wrong"}}
    return lambda has: replace(has, refunds=(*has.refunds, *({**one, "id": f"re_wrong{n}"} for n in range(times))))


def _dispute(status: str) -> Change:
    return lambda has: replace(has, disputes=(*has.disputes, {"id": "dp_wrong", "status": status}))


def _first_charge(**more: Any) -> Change:
    return lambda has: replace(has, charges=({**has.charges[0], **more}, *has.charges[1:]))


# What is done to the tables, what the gateway has on record then, and what a finding must have in it.
WRONG_RECORDS: Sequence[tuple[str, Change, tuple[str, ...]]] = (
    ("", lambda has: replace(has, charges=has.charges[1:]), ("ch_", " is booked, and the gateway has no such charge")),
    ("", _first_charge(amount=1), ("ch_", " is booked as ")),
    ("", _first_charge(metadata={}), ("a charge that no request asked for",)),
    ("", lambda has: replace(has, charges=(*has.charges, has.charges[0])), (" was charged 2 times",)),
    ("", _refund("succeeded"), ("refund re_wrong0: ('EUR', 777, False) at the gateway, None in the ledger",)),
    ("", _refund("failed", 2), ("rf_wrong was refunded 2 times",)),
    ("", _dispute("needs_response"), ("dispute dp_wrong is needs_response at the gateway, None in the ledger",)),
    (_DISPUTE, _dispute("lost"), ("dispute dp_wrong is lost at the gateway, open in the ledger",)),
    ("", lambda has: replace(has, movements=(*has.movements, {"currency": "eur", "net": 7})), ("balance EUR: ",)),
)
WRONGLY_ACKNOWLEDGED = (
    (Acknowledged(frozenset({("acc_1", "2026-99")}), {}), "acc_1/2026-99 was acknowledged as paid, and is not"),
    (Acknowledged(frozenset(), {"acc_lost": 777}), "money from the bank for acc_lost: 777 there, 0 in the ledger"),
)
