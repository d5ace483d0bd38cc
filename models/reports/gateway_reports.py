"""The documents of the reports about gateways, recurring revenue and what is to come."""

from collections.abc import Mapping
from typing import Any

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


GATEWAY_REPORTS: tuple[Mapping[str, Any], ...] = (
    _success("method", "Success by payment method", "method"),
    _success("gateway", "Success by gateway", "provider"),
    _success("brand", "Success by card brand", "brand"),
    _success("attempt", "Success by attempt", "attempt"),
    _success("run", "Success by run", "run_id"),
    {**_success("month", "Success by month", "month"), "period": "last_12_months"},
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
        "about": "The last before the money: the same card, a fallback, a new card, a link, the bank, a wallet,"
        " a voucher, a person.",
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
    {
        "id": "application-fees",
        "title": "Application fees by merchant",
        "about": "Charges, what was taken of them and given back, and what of it the platform's account has had.",
        "source": "application_fees",
        "group_by": ["merchant_id"],
        "measures": ["charges", "taken", "given_back", "net", "income"],
        "period": "last_month",
    },
)

DEBIT_REPORTS: tuple[Mapping[str, Any], ...] = (
    {
        "id": "debits",
        "title": "Bank debits by month",
        "about": "What was asked for, refused, brought and taken back, each in its own month, and the bank's charges"
        " (X25). Net is what bank statements brought.",
        "source": "debits",
        "group_by": ["month", "provider"],
        "measures": [
            *("debits", "asked", "refused", "collected", "returned", "charges", "net", "refusal_rate", "return_rate"),
        ],
        "period": "last_12_months",
    },
    {
        "id": "debits-refused",
        "title": "Bank debits refused and taken back by reason",
        "about": "By the bank's code of ISO 20022.",
        "source": "debits",
        "group_by": ["code", "kind"],
        "measures": ["refusals", "refused", "returns", "returned"],
        "filters": {"kind": ["refused", "returned"]},
        "period": "last_28_days",
    },
)

RECURRING_REPORTS: tuple[Mapping[str, Any], ...] = (
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
    {
        "id": "cltv",
        "title": "Customer lifetime value by segment",
        "about": "Receipts so far and what is to come, without tax (S27, S39). `reports update` keeps what it needs.",
        "source": "lifetime",
        "group_by": ["segment"],
        "measures": ["accounts", "receipts", "mrr", "value", "average"],
        "period": "today",
    },
    {
        "id": "cltv-accounts",
        "title": "Customer lifetime value",
        "source": "lifetime",
        "columns": ["account_id", "segment", "currency", "receipts_minor", "mrr_minor", "months", "value_minor"],
        "period": "today",
    },
    {
        "id": "at-risk",
        "title": "Customers at risk of leaving",
        "about": "Whom two rules or more say it of (S39). Cards and subscriptions are as they are now.",
        "source": "at_risk",
        "columns": [
            *("account_id", "segment", "reasons", "currency", "overdue_minor", "overdue_days", "mrr_lost_minor"),
            *("card_expires_on", "ends_on"),
        ],
        "filters": {"reason_count": {"from": 2}},
        "period": "today",
    },
    {
        "id": "forecast",
        "title": "Forecast of receipts",
        "about": "Beside the error of three held-out months, and that of saying `as last month` (S35).",
        "source": "forecast",
        "columns": [
            *("kind", "month", "currency", "billed_minor", "expected_minor", "received_minor", "naive_minor", "error"),
            *("bias", "naive_error"),
        ],
        "period": "today",
    },
)
