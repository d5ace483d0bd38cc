"""Sources about recurring revenue: closed months as they were kept, what customers are worth, receipts to come."""

from models.reports.columns import ROWS, ColumnKind, ReportMeasure, count, rate, total
from models.reports.source import Source, columns_named

MRR = Source(
    "mrr",
    "the recurring revenue of closed months, by account; `reports update` keeps them",
    columns_named(
        "ends_on account_id region segment change state month currency start_minor new_minor reactivation_minor"
        " expansion_minor contraction_minor churn_minor mrr_minor",
        version=ColumnKind.NUMBER,
    ),
    {
        "accounts": count("accounts"),
        "accounts_lost": count("lost"),
        "accounts_before": count("began"),
        "start": total("start_minor"),
        "new": total("new_minor"),
        "reactivation": total("reactivation_minor"),
        "expansion": total("expansion_minor"),
        "contraction": total("contraction_minor"),
        "churn": total("churn_minor"),
        "mrr": total("mrr_minor"),
        "existing": total("start_minor", "-contraction_minor", "-churn_minor"),
        "growth": total("new_minor", "reactivation_minor", "expansion_minor"),
        "growth_rate": rate(("mrr_minor", "-start_minor"), ("start_minor",)),
        "net_retention": rate(
            ("start_minor", "expansion_minor", "-contraction_minor", "-churn_minor"), ("start_minor",)
        ),
        "gross_retention": rate(("start_minor", "-contraction_minor", "-churn_minor"), ("start_minor",)),
    },
    ("account_id",),
    "ends_on",
    is_flow=False,
)
LIFETIME = Source(
    "lifetime",
    "what each customer is worth now, without tax: receipts so far, and recurring revenue for as long as accounts stay",
    columns_named("account_id region segment currency receipts_minor mrr_minor value_minor", months=ColumnKind.NUMBER),
    {
        "accounts": count(),
        "receipts": total("receipts_minor"),
        "mrr": total("mrr_minor"),
        "value": total("value_minor"),
        "average": ReportMeasure(ColumnKind.MONEY, ("value_minor",), (ROWS,)),
    },
    ("account_id",),
)
AT_RISK = Source(
    "at_risk",
    "customers that a rule says may leave: of the last two receivables both were declined at first, the only card"
    " expires within 30 days, more than 30 days overdue, recurring revenue fell within 90 days, a subscription ends",
    columns_named(
        "account_id region segment state reasons currency overdue_minor mrr_lost_minor card_expires_on ends_on",
        **dict.fromkeys(
            ("reason_count", "overdue_days", "declined", "card_expires", "overdue", "mrr_fell", "leaving"),
            ColumnKind.NUMBER,
        ),
    ),
    {
        "accounts": count(),
        "declined_twice": count("declined"),
        "with_expiring_card": count("card_expires"),
        "overdue_accounts": count("overdue"),
        "buying_less": count("mrr_fell"),
        "about_to_leave": count("leaving"),
        "overdue_amount": total("overdue_minor"),
        "mrr_lost": total("mrr_lost_minor"),
    },
    ("account_id",),
    is_flow=False,
)
FORECAST = Source(
    "forecast",
    "receipts to come, by what was billed and the shares collected so many months after; its error on held-out months",
    columns_named(
        "month kind currency billed_minor expected_minor received_minor naive_minor",
        error=ColumnKind.PERCENT,
        bias=ColumnKind.PERCENT,
        naive_error=ColumnKind.PERCENT,
    ),
    {},
    (),
    is_flow=False,
)
