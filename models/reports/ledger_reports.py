"""The documents of the reports that every installation has about its books."""

from collections.abc import Mapping
from typing import Any

_SALES = ["invoice", "credit_note", "invoice_cancellation"]
_AMOUNTS = ["net", "vat", "discount", "total"]
# Top-ups of wallets and vouchers that are sold are debts, and revenue when they are spent.
_SOLD = {"classification": _SALES, "prepaid_into": {"not": ["wallet", "voucher"]}}
# What a wallet or a voucher pays had come in before, when that was paid for.
_MONEY = {"paid_from": "money"}


def _revenue(id: str, title: str, *group_by: str, period: str = "this_month") -> Mapping[str, Any]:
    """Describe what was sold, by something: net, VAT, discount and total of lines, without what is paid in advance."""
    return {
        "id": id,
        "title": title,
        "source": "lines",
        "group_by": group_by,
        "measures": ["invoices", *_AMOUNTS],
        "filters": _SOLD,
        "period": period,
    }


LEDGER_REPORTS: tuple[Mapping[str, Any], ...] = (
    {
        "id": "documents",
        "title": "Invoices, credit notes and invoice cancellations",
        "about": "Report A (F146). A credit note and a cancellation count in their own period, below zero.",
        "source": "documents",
        "columns": [
            *("posted_on", "number", "classification", "type_id", "account_id", "due_on", "state", "currency"),
            *("net_minor", "tax_minor", "discount_minor", "total_minor"),
        ],
        "filters": {"classification": _SALES, "account_kind": {"not": ["write_off"]}},
        "period": "last_month",
    },
    {
        "id": "transactions",
        "title": "All transactions posted",
        "about": "Report C (F148). Debits above zero, credits below: they come to the change of accounts' balances.",
        "source": "documents",
        "columns": [
            *(
                "posted_on",
                "number",
                "classification",
                "type_id",
                "account_id",
                "method",
                "provider",
                "state",
                "origin",
            ),
            *("actor", "currency", "total_minor"),
        ],
        "period": "last_month",
    },
    {
        **_revenue("revenue", "Revenue by type", "type_id"),
        "about": "Report B (F147), with `receipts`. Top-ups of wallets and vouchers that are sold are no revenue yet.",
        "compare": True,
    },
    {
        "id": "receipts",
        "title": "Receipts by payment type",
        "about": "Report B (F147). A cancellation counts by the type and method of its payment. What wallets and"
        " vouchers pay came in when they were paid for.",
        "source": "receipts",
        "group_by": ["payment_type", "method"],
        "measures": ["number_of", "paid", "cancelled", "refunded", "amount"],
        "filters": _MONEY,
        "compare": True,
    },
    {
        "id": "monthly-receipts",
        "title": "Receipts by month",
        "about": "Dashboard 2 (F144).",
        "source": "receipts",
        "group_by": ["month"],
        "measures": ["payments", "paid", "cancelled", "refunded", "amount"],
        "filters": _MONEY,
        "period": "last_12_months",
    },
    {
        "id": "monthly-receipts-by-type",
        "title": "Receipts by month and payment type",
        "source": "receipts",
        "group_by": ["month", "payment_type"],
        "measures": ["payments", "paid", "cancelled", "refunded", "amount"],
        "filters": _MONEY,
        "period": "last_12_months",
    },
    {
        **_revenue("monthly-revenue", "Revenue by month", "month", period="last_12_months"),
        "about": "Dashboard 3 (F145). The net amounts are without tax.",
    },
    {
        **_revenue("revenue-by-product", "Revenue by product", "product_line", "product_id"),
        "measures": ["invoices", "net", "vat", "discount", "total", "average"],
        "about": "Dashboard 1 (F143). The average is the net by invoices with the product, less those cancelled.",
    },
    _revenue("revenue-by-region", "Revenue by region", "region"),
    _revenue("revenue-by-channel", "Revenue by sales channel", "sales_channel"),
    _revenue("revenue-by-segment", "Revenue by segment of accounts", "segment"),
    {
        "id": "vat",
        "title": "VAT by rate and period",
        "about": "Base and tax by the day of posting; what a tax service computed has no rate of ours."
        " Relief for bad debts stands apart; due is the tax less it.",
        "source": "lines",
        "group_by": ["month", "region", "tax_rate_id", "tax_percent"],
        "measures": ["net", "vat", "relief", "vat_due"],
        "period": "last_month",
    },
    {
        "id": "vat-by-country",
        "title": "VAT by country and category",
        "about": "Base and tax by the country of the address that the account had when it was posted, and the category"
        " of the rate (S Z E AE K G O); none where an account has no address, or a service computed the tax.",
        "source": "lines",
        "group_by": ["month", "country", "tax_category", "tax_percent"],
        "measures": ["net", "vat", "relief", "vat_due"],
        "period": "last_month",
    },
    {
        "id": "vat-in-tax-currency",
        "title": "VAT in the seller's currency",
        "about": "What documents in other currencies owe in the seller's own (`tax_currency`), at the reference rates"
        " that were frozen when they were posted, beside those in it; one without such a rate stands in its own.",
        "source": "taxes",
        "group_by": ["month", "country", "tax_category", "tax_percent", "document_currency"],
        "measures": ["net", "vat", "relief", "vat_due"],
        "period": "last_month",
    },
    {
        "id": "bad-debt",
        "title": "Bad debt",
        "about": "What was written off, by what was invoiced in the same month (X53).",
        "source": "lines",
        "group_by": ["month"],
        "measures": ["invoiced", "credited", "written_off", "relief", "bad_debt_rate"],
        "period": "last_12_months",
    },
    {
        "id": "trial-balance",
        "title": "Trial balance",
        "about": "By the end of the last day of the period. It comes to nothing in each currency.",
        "source": "trial_balance",
        "group_by": ["ledger_account", "nature"],
        "measures": ["debit", "credit", "balance"],
        "period": "today",
    },
    {
        "id": "ledger",
        "title": "Ledger extract",
        "about": "Both sides of every transfer of the period; filter it by control_account or ledger_account.",
        "source": "entries",
        "columns": [
            *("posted_on", "transfer_id", "ledger_account", "classification", "number", "source_id", "currency"),
            *("debit_minor", "credit_minor"),
        ],
        "period": "last_month",
    },
    {
        "id": "ageing",
        "title": "Ageing of balances",
        "about": "What was unsettled at the end of the last day, by days since it was due (X50, S34).",
        "source": "ageing",
        "group_by": ["account_id"],
        "measures": [
            *("not_due", "days_1_to_30", "days_31_to_60", "days_61_to_90", "over_90_days", "credit", "balance"),
            "outstanding",
        ],
        "filters": {"account_kind": "customer"},
        "period": "today",
    },
    {
        "id": "overdue",
        "title": "Overdue documents",
        "about": "Each document that is due since a day or longer.",
        "source": "ageing",
        "columns": ["account_id", "number", "due_on", "days", "bucket", "currency", "outstanding_minor"],
        "filters": {"account_kind": "customer", "days": {"from": 1}},
        "period": "today",
    },
    {
        "id": "refunds-due",
        "title": "Credit balances",
        "about": "What is owed to customers now: refunds due.",
        "source": "balances",
        "columns": ["account_id", "region", "segment", "state", "currency", "due_back_minor"],
        "filters": {"account_kind": "customer", "due_back_minor": {"from": 1}},
        "period": "today",
    },
    {
        "id": "atv",
        "title": "Average transaction value",
        "about": "Payments that stand, by their number; refunds do not count (S27).",
        "source": "receipts",
        "group_by": ["month"],
        "measures": ["payments", "atv"],
        "filters": {"kind": "payment", **_MONEY},
        "period": "last_12_months",
    },
)

PREPAID_REPORTS: tuple[Mapping[str, Any], ...] = (
    {
        "id": "wallets",
        "title": "Wallets by month and type",
        "about": "What came into wallets, what was spent, and what has expired (F161). Corrected: voided, or taken back"
        " with the money of a top-up.",
        "source": "wallets",
        "group_by": ["month", "type_id"],
        "measures": ["credited", "given", "spent", "expired", "corrected", "change"],
        "period": "last_12_months",
    },
    {
        "id": "wallets-by-account",
        "title": "Wallets by account",
        "source": "wallets",
        "group_by": ["account_id"],
        "measures": ["credited", "given", "spent", "expired", "corrected", "change"],
        "period": "last_month",
    },
    {
        "id": "vouchers",
        "title": "Vouchers by month and type",
        "about": "Sold or given, redeemed, cancelled, and what nobody has redeemed (F165).",
        "source": "vouchers",
        "group_by": ["month", "type_id", "origin"],
        "measures": ["issued", "redeemed", "cancelled", "expired", "change"],
        "period": "last_12_months",
    },
    {
        "id": "vouchers-by-batch",
        "title": "Vouchers by batch",
        "about": "What became of what was issued; a batch that was issued before the period has no share.",
        "source": "vouchers",
        "group_by": ["batch", "type_id"],
        "measures": ["issued", "redeemed", "cancelled", "expired", "redeemed_share", "expired_share"],
        "period": "last_12_months",
    },
)
