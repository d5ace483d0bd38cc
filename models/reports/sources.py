"""What reports are made of: each source with the columns that may be shown, filtered and grouped by, and its measures.

A definition names these, and nothing else: no text of it ever becomes SQL. The names of the columns are those of the
views (migrations/functions/reports), amounts are in minor units.
"""

from collections.abc import Mapping
from types import MappingProxyType

from models.reports.columns import DISTINCT, ColumnKind, ReportMeasure, count, rate, total
from models.reports.gateway_sources import (
    APPLICATION_FEES,
    ATTEMPTS,
    DEBITS,
    RECEIVABLES,
    RETURNS,
    RETURNS_BY_PAYMENT,
)
from models.reports.recurring_sources import AT_RISK, FORECAST, LIFETIME, MRR
from models.reports.source import CURRENCY, RECEIVABLE_KINDS, Source, Tie, columns_named

_SALES = ("invoice", "credit_note", "invoice_cancellation")
# A cancelled invoice is none any more, from its cancellation on: as its amounts, it counts with the opposite sign.
_STANDING = (f"{DISTINCT}invoice_id", f"-{DISTINCT}cancelled_invoice_id")
_MONEY = ("payment", "payment_cancellation", "refund")

DOCUMENTS = Source(
    "documents",
    "every posted transaction, debits above zero and credits below",
    columns_named(
        "posted_on number id classification type_id category account_id account_kind region segment state method"
        " provider origin actor issued_on due_on month currency net_minor tax_minor discount_minor total_minor"
    ),
    {
        "number_of": count(),
        "net": total("net_minor"),
        "vat": total("tax_minor"),
        "discount": total("discount_minor"),
        "total": total("total_minor"),
    },
    ("id",),
    "posted_on",
    (Tie("total", RECEIVABLE_KINDS, (*_SALES, *_MONEY, "write_off")),),
)
LINES = Source(
    "lines",
    "lines of invoices, credit notes, invoice cancellations and write-offs",
    columns_named(
        "posted_on number transaction_id classification type_id account_id region segment product_id product_line"
        " sales_channel tax_rate_id tax_category country prepaid_into month currency net_minor tax_minor discount_minor"
        " total_minor",
        tax_percent=ColumnKind.NUMBER,
    ),
    {
        "number_of": count(),
        "invoices": count(*_STANDING),
        "net": total("net_minor"),
        "vat": total("tax_minor"),
        "discount": total("discount_minor"),
        "total": total("total_minor"),
        "average": ReportMeasure(ColumnKind.MONEY, ("net_minor",), _STANDING),
        "invoiced": total("invoiced_minor"),
        "credited": total("credited_minor"),
        "written_off": total("written_off_minor"),
        "relief": total("relief_minor"),
        "vat_due": total("tax_minor", "-relief_minor"),
        "bad_debt_rate": rate(("written_off_minor",), ("invoiced_minor",)),
    },
    ("transaction_id",),
    "posted_on",
    (
        Tie(
            "net",
            ("revenue", "reward_expense", "write_off", "wallet_clearing", "wallet_top_ups", "voucher_clearing"),
            _SALES,
            -1,
        ),
        Tie("vat_due", ("vat_payable",), (), -1),
        Tie("written_off", RECEIVABLE_KINDS, ("write_off",), -1),
    ),
)
TAXES = Source(
    "taxes",
    "base and tax of each rate of a document, in the currency in which the house owes VAT, as frozen at its posting",
    columns_named(
        "posted_on number transaction_id classification account_id tax_rate_id tax_category country month"
        " document_currency currency exchange_rate_on net_minor tax_minor",
        tax_percent=ColumnKind.NUMBER,
    ),
    {
        "net": total("net_minor"),
        "vat": total("tax_minor"),
        "relief": total("relief_minor"),
        "vat_due": total("tax_minor", "-relief_minor"),
    },
    ("transaction_id",),
    "posted_on",
)
RECEIPTS = Source(
    "receipts",
    "payments, their cancellations and refunds; what left is below zero",
    columns_named(
        "posted_on number id kind payment_type method provider account_id region segment state paid_from month"
        " currency amount_minor paid_minor cancelled_minor refunded_minor"
    ),
    {
        "number_of": count(),
        "payments": count("standing"),
        "paid": total("paid_minor"),
        "cancelled": total("cancelled_minor"),
        "refunded": total("refunded_minor"),
        "amount": total("amount_minor"),
        "atv": ReportMeasure(ColumnKind.MONEY, ("standing_minor",), ("standing",)),
    },
    ("id",),
    "posted_on",
    (Tie("amount", RECEIVABLE_KINDS, _MONEY, -1),),
)
ENTRIES = Source(
    "entries",
    "both sides of every transfer of the ledger",
    columns_named(
        "posted_on ledger_account control_account kind classification number source_id account_id month currency"
        " debit_minor credit_minor",
        transfer_id=ColumnKind.NUMBER,
    ),
    {
        "number_of": count(),
        "debit": total("debit_minor"),
        "credit": total("credit_minor"),
        "balance": total("debit_minor", "-credit_minor"),
    },
    ("transfer_id", "ledger_account"),
    "posted_on",
    (Tie("balance", ()),),
)
TRANSFERS = Source(
    "transfers",
    "every transfer as it was written: one amount from the account that is credited to the one that is debited",
    columns_named(
        "posted_on source_id debit_account credit_account number classification currency amount_minor",
        transfer_id=ColumnKind.NUMBER,
        position=ColumnKind.NUMBER,
    ),
    {"number_of": count(), "amount": total("amount_minor")},
    ("transfer_id",),
    "posted_on",
)
SEALS = Source(
    "seals",
    "the seals over ranges of transfers, each chained to the one before",
    columns_named(
        "previous_seal seal marked_at",
        roll_up_id=ColumnKind.NUMBER,
        after_transfer_id=ColumnKind.NUMBER,
        upto_transfer_id=ColumnKind.NUMBER,
    ),
    {"number_of": count()},
    ("roll_up_id",),
    is_flow=False,
)
TRIAL_BALANCE = Source(
    "trial_balance",
    "what each ledger account had been debited and credited by the end of the last day",
    columns_named("ledger_account kind nature currency debit_minor credit_minor"),
    {
        "debit": total("debit_minor"),
        "credit": total("credit_minor"),
        "balance": total("debit_minor", "-credit_minor"),
    },
    ("ledger_account", CURRENCY),
    ties=(Tie("balance", ()),),
)
AGEING = Source(
    "ageing",
    "documents that were not settled at the end of the last day, by how long they were due",
    columns_named(
        "account_id account_kind region segment number transaction_id classification posted_on due_on bucket currency"
        " unsettled_minor outstanding_minor credit_minor",
        days=ColumnKind.NUMBER,
    ),
    {
        "documents": count(),
        "accounts": count(f"{DISTINCT}account_id"),
        "not_due": total("not_due_minor"),
        "days_1_to_30": total("days_30_minor"),
        "days_31_to_60": total("days_60_minor"),
        "days_61_to_90": total("days_90_minor"),
        "over_90_days": total("older_minor"),
        "credit": total("credit_minor"),
        "balance": total("unsettled_minor"),
        "outstanding": total("outstanding_minor"),
    },
    ("account_id", "due_on", "transaction_id"),
    ties=(Tie("balance", RECEIVABLE_KINDS),),
)
WALLETS = Source(
    "wallets",
    "what wallets were credited with, what was spent of it, has expired or was taken back",
    columns_named(
        "posted_on number id account_id region segment type_id kind expires_on actor month currency credited_minor"
        " given_minor spent_minor expired_minor corrected_minor change_minor balance_after_minor"
    ),
    {
        "number_of": count(),
        "accounts": count(f"{DISTINCT}account_id"),
        "credited": total("credited_minor"),
        "given": total("given_minor"),
        "spent": total("spent_minor"),
        "expired": total("expired_minor"),
        "corrected": total("corrected_minor"),
        "change": total("change_minor"),
    },
    ("id",),
    "posted_on",
    (Tie("change", ("wallet",), (), -1),),
)
VOUCHERS = Source(
    "vouchers",
    "steps of vouchers: issued, redeemed, cancelled and expired",
    columns_named(
        "posted_on id batch type_id origin kind account_id expires_on actor month currency issued_minor redeemed_minor"
        " cancelled_minor expired_minor change_minor",
        vouchers=ColumnKind.NUMBER,
    ),
    {
        "number_of": count("vouchers"),
        "issued": total("issued_minor"),
        "redeemed": total("redeemed_minor"),
        "cancelled": total("cancelled_minor"),
        "expired": total("expired_minor"),
        "change": total("change_minor"),
        "redeemed_share": rate(("redeemed_minor",), ("issued_minor",)),
        "expired_share": rate(("expired_minor",), ("issued_minor",)),
    },
    ("id",),
    "posted_on",
    (Tie("change", ("vouchers",), (), -1),),
)
BALANCES = Source(
    "balances",
    "what every account owes now, or is owed",
    columns_named("account_id account_kind state region segment currency balance_minor owed_minor due_back_minor"),
    {
        "accounts": count(),
        "balance": total("balance_minor"),
        "owed": total("owed_minor"),
        "due_back": total("due_back_minor"),
    },
    ("account_id",),
    ties=(Tie("balance", RECEIVABLE_KINDS),),
)

_OF_THE_LEDGER = (DOCUMENTS, LINES, TAXES, RECEIPTS, ENTRIES, TRANSFERS, SEALS, TRIAL_BALANCE, AGEING, BALANCES)
_PREPAID = (WALLETS, VOUCHERS)

SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        one.name: one
        for one in (
            *_OF_THE_LEDGER,
            *_PREPAID,
            ATTEMPTS,
            RECEIVABLES,
            RETURNS,
            RETURNS_BY_PAYMENT,
            APPLICATION_FEES,
            DEBITS,
            MRR,
            LIFETIME,
            AT_RISK,
            FORECAST,
        )
    }
)
