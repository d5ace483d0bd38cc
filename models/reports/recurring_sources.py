"""The source about recurring revenue: closed months as they were kept."""

from models.reports.columns import ColumnKind, count, rate, total
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
