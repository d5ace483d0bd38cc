"""Sources about what gateways answered: attempts, receivables by their first answer, and what came back."""

from types import MappingProxyType

from models.reports.columns import ColumnKind, ReportMeasure, count, rate, total
from models.reports.source import RECEIVABLE_KINDS, Source, Tie, columns_named

ATTEMPTS = Source(
    "attempts",
    "attempts to charge a card, by the day on which they were sent (UTC)",
    columns_named(
        "sent_on request_id account_id region segment provider method brand card_id channel cause run_id outcome"
        " code decline_code advice_code decline_class month currency amount_minor succeeded_minor declined_minor",
        attempt=ColumnKind.NUMBER,
    ),
    {
        "attempts": count(),
        "succeeded": count("succeeded"),
        "declined": count("declined"),
        "unknown": count("unknown"),
        "not_made": count("not_made"),
        "success_rate": rate(("succeeded",), ("succeeded", "declined")),
        "amount": total("amount_minor"),
        "collected": total("succeeded_minor"),
        "refused": total("declined_minor"),
    },
    ("request_id", "attempt"),
    "sent_on",
)
RECEIVABLES = Source(
    "receivables",
    "receivables by the first answer of an issuer, on its day (UTC), and what became of them since",
    columns_named(
        "first_on request_id account_id region segment provider brand run_id code decline_code advice_code"
        " decline_class result recovered_by month currency amount_minor declined_minor recovered_minor"
    ),
    {
        "receivables": count(),
        "at_once": count("at_once"),
        "paid": count("paid"),
        "declined": count("declined"),
        "recovered": count("recovered"),
        "still_open": count("still_open"),
        "given_up": count("given_up"),
        "first_try_rate": rate(("at_once",), ("rows",)),
        "payment_rate": rate(("paid",), ("rows",)),
        "recovery_rate": rate(("recovered",), ("declined",)),
        "declined_amount": total("declined_minor"),
        "recovered_amount": total("recovered_minor"),
        "recovered_share": rate(("recovered_minor",), ("declined_minor",)),
    },
    ("request_id",),
    "first_on",
)
_RETURN_COLUMNS = columns_named(
    "happened_on payment_on kind id state account_id region segment provider method month payment_month currency"
    " payment_minor refunded_minor disputed_minor",
    payment_month=ColumnKind.MONTH,
)
_RETURN_MEASURES = MappingProxyType(
    {
        "payments": count("payments"),
        "paid": total("payment_minor"),
        "refunds": count("refunds"),
        "refunded": total("refunded_minor"),
        "refund_rate": rate(("refunds",), ("payments",)),
        "refunded_share": rate(("refunded_minor",), ("payment_minor",)),
        "disputes": count("disputes"),
        "disputed": total("disputed_minor"),
        "lost": count("lost"),
        "won": count("won"),
        "dispute_rate": rate(("disputes",), ("payments",)),
        "average_refund": ReportMeasure(ColumnKind.MONEY, ("refunded_minor",), ("refunds",)),
    }
)
RETURNS = Source(
    "returns",
    "payments, refunds and disputes, each on its own day",
    _RETURN_COLUMNS,
    _RETURN_MEASURES,
    ("kind", "id"),
    "happened_on",
    (Tie("paid", RECEIVABLE_KINDS, ("payment",), -1), Tie("refunded", RECEIVABLE_KINDS, ("refund",))),
)
RETURNS_BY_PAYMENT = Source(
    "returns_by_payment",
    "payments, and their refunds and disputes since, on the day of the payment",
    _RETURN_COLUMNS,
    _RETURN_MEASURES,
    ("kind", "id"),
    "payment_on",
    # A payment stands on its own day here too; what came back of it may have come on any day since.
    (Tie("paid", RECEIVABLE_KINDS, ("payment",), -1),),
)
APPLICATION_FEES = Source(
    "application_fees",
    "what a platform takes of its merchants' payments and gives back, booking by booking in both books",
    columns_named(
        "booked_on book merchant_id provider kind reference payment_id month currency taken_minor given_back_minor"
        " income_minor",
        charges=ColumnKind.NUMBER,
    ),
    {
        "charges": count("charges"),
        "taken": total("taken_minor"),
        "given_back": total("given_back_minor"),
        "net": total("taken_minor", "-given_back_minor"),
        "income": total("income_minor"),
    },
    ("id",),
    "booked_on",
    (Tie("net", ("platform_fees",)), Tie("income", ("application_fees",), (), -1)),
)
DEBITS = Source(
    "debits",
    "bank debits: asked for, refused, brought by a statement, taken back, and what the bank charged for that",
    columns_named(
        "happened_on kind id account_id region segment provider mandate batch sequence_type state code collect_on month"
        " currency asked_minor refused_minor collected_minor returned_minor charges_minor"
    ),
    {
        "debits": count("asked"),
        "asked": total("asked_minor"),
        "refusals": count("refused"),
        "refused": total("refused_minor"),
        "collections": count("collected"),
        "collected": total("collected_minor"),
        "returns": count("returned"),
        "returned": total("returned_minor"),
        "charges": total("charges_minor"),
        "net": total("collected_minor", "-returned_minor", "-charges_minor"),
        "refusal_rate": rate(("refused",), ("asked",)),
        "return_rate": rate(("returned",), ("collected",)),
    },
    ("kind", "id"),
    "happened_on",
    (Tie("net", ("bank",), ("debits_collected", "debits_returned")),),
)
