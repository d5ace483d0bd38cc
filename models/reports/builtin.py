"""The reports that every installation has."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from models.problem import refusal
from models.reports.definition import ReportDefinition, definition_of

_SALES = ["invoice", "credit_note", "invoice_cancellation"]
_AMOUNTS = ["net", "vat", "discount", "total"]


def _revenue(id: str, title: str, *group_by: str, period: str = "this_month") -> Mapping[str, Any]:
    """Describe what was sold, by something: net, VAT, discount and total of lines."""
    return {
        "id": id,
        "title": title,
        "source": "lines",
        "group_by": group_by,
        "measures": ["invoices", *_AMOUNTS],
        "filters": {"classification": _SALES},
        "period": period,
    }


_LEDGER: tuple[Mapping[str, Any], ...] = (
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
        "about": "Report B (F147), with `receipts`.",
        "compare": True,
    },
    {
        "id": "receipts",
        "title": "Receipts by payment type",
        "about": "Report B (F147). A cancellation counts by the type and method of its payment.",
        "source": "receipts",
        "group_by": ["payment_type", "method"],
        "measures": ["number_of", "paid", "cancelled", "refunded", "amount"],
        "compare": True,
    },
    {
        "id": "monthly-receipts",
        "title": "Receipts by month",
        "about": "Dashboard 2 (F144).",
        "source": "receipts",
        "group_by": ["month"],
        "measures": ["payments", "paid", "cancelled", "refunded", "amount"],
        "period": "last_12_months",
    },
    {
        **_revenue("monthly-revenue", "Revenue by month", "month", period="last_12_months"),
        "about": "Dashboard 3 (F145). The net amounts are without tax.",
    },
    {
        **_revenue("revenue-by-product", "Revenue by product", "product_line", "product_id"),
        "measures": ["invoices", "net", "vat", "discount", "total", "average"],
        "about": "Dashboard 1 (F143). The average is the net amount by invoices that carry the product.",
    },
    _revenue("revenue-by-region", "Revenue by region", "region"),
    _revenue("revenue-by-channel", "Revenue by sales channel", "sales_channel"),
    _revenue("revenue-by-segment", "Revenue by segment of accounts", "segment"),
    {
        "id": "vat",
        "title": "VAT by rate and period",
        "about": "Base and tax by the day of posting. Relief for bad debts stands apart; due is the tax less it.",
        "source": "lines",
        "group_by": ["month", "region", "tax_rate_id", "tax_percent"],
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
        "filters": {"kind": "payment"},
        "period": "last_12_months",
    },
)

_RATES = ["attempts", "succeeded", "declined", "unknown", "not_made", "success_rate", "collected"]
_RECOVERY = [
    *("declined", "recovered", "still_open", "given_up", "recovery_rate", "declined_amount", "recovered_amount"),
    "recovered_share",
]
_RETURNS = ["payments", "paid", "refunds", "refunded", "refund_rate", "refunded_share", "disputes", "disputed"]


def _success(by: str, title: str, *group_by: str) -> Mapping[str, Any]:
    """Describe the success of attempts by something; unknown outcomes and what was not made stand beside it."""
    about = "Succeeded, by succeeded and declined (S29). A repeat under the same key is the same attempt."
    known = {"id": f"success-by-{by}", "title": title, "about": about, "source": "attempts"}
    return {**known, "group_by": group_by, "measures": _RATES, "period": "last_28_days"}


_GATEWAYS: tuple[Mapping[str, Any], ...] = (
    _success("method", "Success by payment method", "method"),
    _success("gateway", "Success by gateway", "provider"),
    _success("brand", "Success by card brand", "brand"),
    _success("attempt", "Success by attempt", "attempt"),
    _success("run", "Success by run", "run_id"),
    {
        **_success("decline", "Declines by class and code", "decline_class", "decline_code"),
        "measures": ["attempts", "refused"],
        "filters": {"outcome": "declined"},
        "id": "declines",
    },
    {
        "id": "payment-rates",
        "title": "Receivables paid at the first try, and at all",
        "about": "By the day of the first answer; what is open is shown as open.",
        "source": "receivables",
        "group_by": ["month", "provider"],
        "measures": ["receivables", "at_once", "paid", "still_open", "given_up", "first_try_rate", "payment_rate"],
        "period": "last_12_months",
    },
    {
        "id": "recovery",
        "title": "Recovery by dunning",
        "about": "What was declined at first and paid later, by count and amount. A write-off recovers nothing.",
        "source": "receivables",
        "group_by": ["month"],
        "measures": _RECOVERY,
        "filters": {"result": {"not": ["at_once"]}},
        "period": "last_12_months",
    },
    {
        "id": "recovered-by",
        "title": "What recovered it",
        "about": "The last before the money: the same card, a fallback, a new card, a link, the bank, a person.",
        "source": "receivables",
        "group_by": ["recovered_by"],
        "measures": ["recovered", "recovered_amount"],
        "filters": {"result": "recovered"},
        "period": "last_12_months",
    },
    {
        "id": "returns",
        "title": "Refund and dispute rates",
        "about": "What came back or was disputed in a month, by the payments of the same month.",
        "source": "returns",
        "group_by": ["month"],
        "measures": [*_RETURNS, "lost", "won", "dispute_rate"],
        "period": "last_12_months",
    },
    {
        "id": "returns-by-payment",
        "title": "Refund and dispute rates by the month of the payment",
        "about": "Of the payments of a month, what came back or was disputed since.",
        "source": "returns_by_payment",
        "group_by": ["payment_month"],
        "measures": [*_RETURNS, "lost", "won", "dispute_rate"],
        "period": "last_12_months",
    },
)

_MRR: tuple[Mapping[str, Any], ...] = (
    {
        "id": "mrr",
        "title": "Recurring revenue and its growth",
        "about": "Report D (F149): start and all changes are the end. Corrected months are told as they are now.",
        "source": "mrr",
        "group_by": ["month"],
        "measures": [
            *("start", "new", "reactivation", "expansion", "contraction", "churn", "mrr", "growth_rate"),
            *("net_retention", "gross_retention", "accounts", "accounts_lost"),
        ],
        "period": "last_12_months",
    },
    {
        "id": "mrr-accounts",
        "title": "Recurring revenue by account",
        "about": "What is behind each number of `mrr`.",
        "source": "mrr",
        "columns": ["month", "account_id", "change", "state", "currency", "start_minor", "mrr_minor"],
        "period": "last_month",
    },
)

# What auditors get, whole (`reports audit`).
AUDIT: tuple[ReportDefinition, ...] = tuple(
    definition_of({"id": id, "title": title, "source": source})
    for id, title, source in (
        ("transactions", "Every posted transaction", "documents"),
        ("lines", "Every line", "lines"),
        ("transfers", "Every transfer", "transfers"),
        ("seals", "Every seal", "seals"),
    )
)

BUILT_IN: Mapping[str, ReportDefinition] = MappingProxyType(
    {str(one["id"]): definition_of(one) for one in (*_LEDGER, *_GATEWAYS, *_MRR)},
)


def built_in(id: str) -> ReportDefinition:
    """Return a report by its id. Raises RefusedError where there is none."""
    if id not in BUILT_IN:
        raise refusal("report", "report_known", f"{id!r} is none of {', '.join(BUILT_IN)}")
    return BUILT_IN[id]
