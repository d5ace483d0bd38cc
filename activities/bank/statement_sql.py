"""What the import of a bank statement reads, and its statements."""

from sqlalchemy import and_, func, select

from models.ledger.account import AccountKind
from models.ledger.transaction import Classification
from models.tables.accounts import AccountRow
from models.tables.reconciliation import GatewayPayoutRow
from models.tables.reference import NumberSeriesRow
from models.tables.returns import DebitLineRow
from models.tables.transactions import FinancialTransactionRow, TransactionNumberRow

_IS_CUSTOMER = AccountRow.kind == AccountKind.CUSTOMER
_OWNER_REFERENCE = func.coalesce(AccountRow.owner_reference, "").label("owner_reference")

ACCOUNTS = select(AccountRow.id, AccountRow.currency, AccountRow.state, _OWNER_REFERENCE).where(_IS_CUSTOMER)

INVOICES = (
    select(
        TransactionNumberRow.number,
        FinancialTransactionRow.id,
        FinancialTransactionRow.account_id,
        FinancialTransactionRow.state,
        AccountRow.currency,
        AccountRow.state.label("account_state"),
        _OWNER_REFERENCE,
    )
    .join(
        FinancialTransactionRow,
        and_(
            FinancialTransactionRow.id == TransactionNumberRow.transaction_id,
            FinancialTransactionRow.classification == Classification.INVOICE,
        ),
    )
    .join(AccountRow, and_(AccountRow.id == FinancialTransactionRow.account_id, _IS_CUSTOMER))
)

INVOICE_SERIES = select(NumberSeriesRow.prefix, NumberSeriesRow.is_per_year).where(
    NumberSeriesRow.classification == Classification.INVOICE
)

IMPORTED = select(
    FinancialTransactionRow.idempotency_key.label("key"),
    FinancialTransactionRow.total_minor,
    FinancialTransactionRow.currency,
    FinancialTransactionRow.account_id,
    FinancialTransactionRow.issued_on,
    TransactionNumberRow.number,
).outerjoin(TransactionNumberRow, TransactionNumberRow.transaction_id == FinancialTransactionRow.id)

PAYOUTS = select(
    GatewayPayoutRow.id,
    GatewayPayoutRow.amount_minor,
    GatewayPayoutRow.currency,
    GatewayPayoutRow.arrives_on,
    GatewayPayoutRow.arrived_key,
    GatewayPayoutRow.returned_key,
)

DEBIT_LINES = select(DebitLineRow.key, DebitLineRow.reference)

SUSPENSE = select(AccountRow.id, AccountRow.state).where(AccountRow.kind == AccountKind.SUSPENSE)

# Bills with the invoices that money for them is for: those of which something is unsettled.
BILLS = """
    select b.number, b.account_id, array(select u.id from duly.unsettled_of_bill(b.id) u) as invoices, a.currency,
        a.state as account_state, coalesce(a.owner_reference, '') as owner_reference
    from duly.account_bills b join duly.accounts a on a.id = b.account_id
    where b.number = any(:numbers) and a.kind = 'customer'
"""

# In order of their accounts, system accounts last, as everybody takes the accounts' locks.
POST = """
    select r.place, p.transaction_id, p.number
    from (select * from jsonb_to_recordset(:rows) as x (place integer, key text, account_id text, amount_minor bigint,
            currency text, invoices text[], issued_on date, reference text, is_suspense boolean)
        order by x.is_suspense, x.account_id, x.place) r
    cross join lateral duly.create_payment(r.key, r.account_id, r.amount_minor, r.currency, 'bank_transfer',
        p_addressed_invoice_ids => r.invoices, p_issued_on => r.issued_on, p_payment_reference => r.reference,
        p_origin => 'system', p_actor => :actor) p
"""

# A payment that an import before this one has made has its note.
NOTE = """
    select duly.add_note(r.id, :actor, r.note) from jsonb_to_recordset(:rows) as r (id text, note text)
    where r.note <> '' and not exists (select from duly.transaction_notes n where n.transaction_id = r.id)
"""
