"""What is wrong in a ledger's payment requests, wallets, vouchers and bank debits, by rows that nothing of it writes.

Each is made by a superuser whose session fires no trigger, and is rolled back.
"""

from bench.chaos.families.rules import AcknowledgedFamilies

_PAYMENT = "select id from duly.financial_transactions where classification = 'payment' and posted_at is not null"
_WALLET = """
insert into duly.wallet_transactions (id, idempotency_key, request_hash, account_id, currency, type_id, direction,
    amount_minor, transaction_id, wallet_version, balance_after_minor, actor, posted_on)
values ('wt_0', 'chaos:wrong', sha256('wrong'), 'acc_000001', 'EUR', 'film', 'debit', 777, {paid}, 99999, 5, 'maria',
    current_date);
"""
_BATCH = """
insert into duly.voucher_batches (id, type_id, currency, amount_minor, vouchers)
values ('vb_0', 'given', 'EUR', 777, 1);
"""
_DEBIT = """
insert into duly.debits (id, request_id, attempt, idempotency_key, provider_id, mandate_id, account_id, amount_minor,
    currency, state, collect_on, batch_id)
select 'DD-' || number, a.request_id, a.attempt, 'wrong:' || number, 'sepa', 'M', 'acc_000001', 777, 'EUR', '{state}',
    current_date, 'DDB-1'
from generate_series(1000001, {until}) number cross join (
    select a.request_id, a.attempt from duly.gateway_attempts a
    join duly.current_allocations x on x.credit_id = a.payment_id limit 1) a;
"""
_COLLECTED = _DEBIT.format(state="collected", until=1000001)
_REQUEST = """
insert into duly.gateway_requests select (jsonb_populate_record(r,
    '{{"id": "req_wrong", "account_id": "acc_000001", "period": "wrong", {booked},
        "gateway_reference": null}}')).*
from duly.gateway_requests r where r.kind = 'payment' and r.state = 'posted' limit 1;
insert into duly.payment_requests select (jsonb_populate_record(q,
    '{{"id": "wrong", "account_id": "acc_000001", "period": "wrong", "state": "paid", "end_reason": "paid"}}')).*
from duly.payment_requests q where q.closed_at is not null limit 1;
update duly.payment_requests set state = '{state}' where id = 'wrong';
"""
_PAID, _EXPIRED = (
    _REQUEST.format(state=state, booked=booked)
    for state, booked in (
        ("paid", '"state": "posted"'),
        ("expired", '"state": "rejected", "transaction_id": null'),
    )
)

# By the rule that has to find it.
BROKEN_RULES = {
    "a wallet holds its credits less its debits, and never less than nothing": _WALLET.format(paid="null"),
    "a wallet holds what is on its ledger account": _WALLET.format(paid="null"),
    "no credit of a wallet is spent twice": _WALLET.format(paid="null")
    + "insert into duly.wallet_uses (transaction_id, credit_id, amount_minor) values ('wt_0', 'wt_0', 778)",
    "what a wallet has paid is a payment of the same amount": _WALLET.format(paid=f"({_PAYMENT} limit 1)"),
    "a wallet has its top-up when its invoice is paid": "insert into duly.wallet_top_ups"
    " (invoice_id, account_id, run_id, currency, amount_minor, wallet_type_id)"
    " select i.transaction_id, 'acc_000001', 'run', 'EUR', 777, 'top_up' from duly.open_items i"
    " where i.allocated_minor = i.amount_minor"
    " and not exists (select from duly.wallet_top_ups u where u.invoice_id = i.transaction_id) limit 1",
    "a voucher pays once": "update duly.financial_transactions set voucher_number = 'VCH-0'"
    f" where id in ({_PAYMENT} limit 2)",
    "who has redeemed a voucher is paid what it is worth": _BATCH
    + "insert into duly.voucher_transactions (idempotency_key, request_hash, batch_id, kind, currency, amount_minor,"
    " account_id, actor, posted_on) values ('chaos:wrong', sha256('wrong'), 'vb_0', 'redeemed', 'EUR', 777,"
    " 'acc_000001', 'maria', current_date)",
    "vouchers that are out are worth what the ledger holds": _BATCH
    + "insert into duly.vouchers (batch_id, code_hash) values ('vb_0', repeat('0', 64))",
    "a request is collected by one debit": _DEBIT.format(state="collected", until=1000002),
    "a debit that the bank has brought is a payment of the same amount": _DEBIT.format(
        state="collected", until=1000001
    ),
    "a debit that was returned settles no invoice": _DEBIT.format(state="returned", until=1000001),
    "nothing of bank debits is left in clearing": "insert into duly.transfers"
    " (source_id, position, debit_account, credit_account, currency, amount_minor, posted_on)"
    " values ('wrong', 1, 'gateway_clearing:sepa', 'bank', 'EUR', 777, current_date)",
}

_NOT_COLLECTED = _DEBIT.format(state="rejected", until=1000001)
_BROUGHT = AcknowledgedFamilies(filed=(("DDB-1", "DD-1000001", 778),), lines=(("DD-1000001", 777, False),))

# What is done to the tables, how often the gateway has charged the request `req_wrong`, what was acknowledged, and what
# must be found.
WRONGS = (
    (
        _PAID,
        2,
        AcknowledgedFamilies(),
        "payment request wrong was paid 2 times",
    ),
    (
        _PAID,
        0,
        AcknowledgedFamilies(),
        "payment request wrong is paid, and the gateway has no money of it",
    ),
    (
        _EXPIRED,
        1,
        AcknowledgedFamilies(requests=frozenset({"wrong"})),
        "payment request wrong is expired, its payment rejected, and the gateway has its money",
    ),
    (
        _EXPIRED,
        0,
        AcknowledgedFamilies(requests=frozenset({"wrong"})),
        "payment request wrong was paid on the gateway's page, and does not say so",
    ),
    (
        "",
        0,
        AcknowledgedFamilies(wallet_minor={"chaos:lost": 500}),
        "wallet transaction chaos:lost of 500 was acknowledged, and is None",
    ),
    (
        "",
        0,
        AcknowledgedFamilies(redeemed={"f" * 64: "acc_000001"}),
        "voucher ffffffff was redeemed by acc_000001, and is None's",
    ),
    (
        "",
        0,
        AcknowledgedFamilies(filed=(("DDB-1", "DD-9", 1), ("DDB-2", "DD-9", 1))),
        "debit DD-9 is in the files ['DDB-1', 'DDB-2']",
    ),
    (_NOT_COLLECTED, 0, _BROUGHT, "debit DD-1000001 is collected at the bank, rejected in the ledger"),
    (_NOT_COLLECTED, 0, _BROUGHT, "debit DD-1000001 of file DDB-1 is of 778 at the bank, 777 in the ledger"),
    (
        _COLLECTED,
        0,
        AcknowledgedFamilies(),
        "debit DD-1000001 is collected in the ledger, and the bank knows nothing of it",
    ),
)
