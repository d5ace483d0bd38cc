"""The configuration as tables that fit a terminal: one for each name of the document."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from rich.table import Table
from sqlalchemy import Row

from commands.configuration.exported import APPROVAL_LIMITS
from commands.formatting import moment, money
from commands.output import table, to_json
from models.listing import heading_of
from models.merchants.application_fee import application_fee
from models.money import Money
from models.runs.criteria import in_words
from models.runs.schedule import calendar_of


def configuration_table(kind: str, rows: Sequence[Row[Any]]) -> Table:
    """Return the table of a kind."""
    columns, shown = _SHOWN[kind]
    return table(heading_of(kind), *columns, rows=[shown(row) for row in rows])


def changes_table(title: str, rows: Sequence[Row[Any]], *, is_history: bool = True) -> Table:
    """Return the table of changes: what, and of a history who, why and when too."""
    what = [(row.kind, row.id or "all", changes_in_words(row.changes)) for row in rows]
    if not is_history:
        return table(title, "Kind", "Id", "What", rows=what)
    whose = [(row.version, row.actor, row.reason, moment(row.changed_at)) for row in rows]
    shown = [(*one, *other) for one, other in zip(what, whose, strict=True)]
    return table(title, "Kind", "Id", "What", "Version", "Who", "Why", "When", rows=shown)


def changes_in_words(changes: Mapping[str, Mapping[str, Any]]) -> str:
    """Return fields as they were and as they are."""
    return ", ".join(_changed(changes))


def _changed(changes: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for field, each in changes.items():
        # What is new has fields that were nothing and are nothing.
        if each["was"] != each["is"]:
            yield f"{field}: {to_json(each['was'])} -> {to_json(each['is'])}"


def _definition(row: Row[Any]) -> tuple[object, ...]:
    calendar, criteria = calendar_of(row.schedule), in_words(row.criteria)
    runs = calendar.describe() if calendar is not None else "by hand"
    return (
        row.id,
        row.kind,
        row.name,
        row.state,
        row.provider_id,
        ", ".join(row.currencies) or "all",
        row.dunning_policy_id if row.provider_id else None,
        f"{runs}; {criteria}" if criteria else runs,
    )


def _provider(row: Row[Any]) -> tuple[object, ...]:
    currencies = (
        f"{code} from {Money(minimum, code).to_decimal()}" for code, minimum in sorted(row.currencies.items())
    )
    fee = application_fee(row.application_fee)
    # With what the platform takes of it: another column would not fit a terminal.
    merchant = f"{row.merchant}: {fee}" if fee else row.merchant
    return row.id, row.gateway, row.mode, row.state, merchant, ", ".join(currencies)


def _policy(row: Row[Any]) -> tuple[object, ...]:
    return row.id, row.segment or "all", row.version, to_json(row.document) if row.document else "as Duly comes"


def _type(row: Row[Any]) -> tuple[object, ...]:
    limits = (
        ", ".join(row.payment_methods or ()),
        f"categories {', '.join(row.categories)}" if row.categories else "",
    )
    series = f"{row.prefix or 'as its classification'}{', each year anew' if row.per_year else ''}"
    series += {True: ", without gaps", False: ", with gaps", None: ""}[row.gap_free]
    use = "default" if row.is_default else _yes(row.is_active)
    return row.id, row.name, row.classification, "; ".join(filter(None, limits)), series, use


def _due_date_rule(row: Row[Any]) -> tuple[object, ...]:
    if row.day_of_month is None:
        due = f"{row.number_of_days} days after posting"
    else:
        due = f"day {row.day_of_month}, {row.after_months} months after posting"
    proximity = (
        f"{row.proximity_operator.replace('_', '/')} {row.proximity_days} days" if row.proximity_operator else ""
    )
    return row.id, due, proximity, _yes(row.is_active)


def _wallet_type(row: Row[Any]) -> tuple[object, ...]:
    other = " by ".join(filter(None, (row.product, row.payment_method))) or row.ledger_account
    days = f"after {row.expires_after_days} days" if row.expires_after_days else "no"
    expires = "books it" if row.books_expiry else days
    triggers = (", ".join(row.funded_by), ", ".join(row.voided_by))
    return row.id, row.name, row.direction, other, expires, *triggers, _yes(row.is_active)


def _layout_columns(columns: Mapping[str, Any]) -> tuple[str, str, str]:
    amount = columns.get("amount") or f"{columns['credit']} - {columns['debit']}"
    return columns["booked_on"], amount, ", ".join(columns.get("text", ()))


def _days(days: Sequence[int]) -> str:
    return ", ".join(map(str, days)) or "none"


def _of_roles(held: Mapping[str, Mapping[str, Mapping[str, int]]]) -> str:
    limits_of = (
        f"{role} {name.replace('_', ' ')} {_amounts(limits)}"
        for role, kinds in sorted(held.items())
        for name, limits in sorted(kinds.items())
    )
    return "; ".join(limits_of) or "the same"


def _amounts(held: Mapping[str, int]) -> str:
    return ", ".join(str(Money(minor, code)) for code, minor in sorted(held.items())) or "any amount"


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _decimal(value: Any) -> str:
    return f"{value:f}".rstrip("0").rstrip(".")


_Shown = tuple[tuple[str, ...], Callable[[Row[Any]], Sequence[object]]]
_SHOWN: Mapping[str, _Shown] = MappingProxyType(
    {
        "tax_rates": (
            ("Id", "Name", "Percent", "Active", "Category", "Exempt by"),
            lambda row: (
                row.id,
                row.name,
                _decimal(row.percent),
                _yes(row.is_active),
                row.category,
                row.exemption,
            ),
        ),
        "products": (
            ("Id", "Name", "Line", "Tax rate", "Ledger account", "Active"),
            lambda row: (*row[:-1], _yes(row.is_active)),
        ),
        "payment_methods": (
            ("Id", "Name", "Ledger account", "Provider", "Active"),
            lambda row: (*row[:-1], _yes(row.is_active)),
        ),
        "transaction_types": (("Id", "Name", "Classification", "Allows", "Numbers", "In use"), _type),
        "transaction_reasons": (
            ("Id", "Name", "Purpose", "Active"),
            lambda row: (row.id, row.name, row.purpose, _yes(row.is_active)),
        ),
        "due_date_rules": (("Id", "Due", "Proximity", "Active"), _due_date_rule),
        "ledger": (("Due date rule", "Allocation", "Product of write-offs"), tuple),
        "internal_accounts": (("Id", "Name", "Currency", "State"), tuple),
        "providers": (("Id", "Gateway", "Mode", "State", "Merchant", "Currencies"), _provider),
        "dunning_policies": (("Id", "Segment", "Version", "Document"), _policy),
        "card_rules": (
            ("Warned before", "Validated again after", "Page open for", "Reminded after"),
            lambda row: (_days(row.warn_days), *row[1:]),
        ),
        "card_networks": (("Network", "Declines", "Days"), tuple),
        "alert_rules": (
            ("Several declines", "In days", "Unusual: times the mean", "Payments before"),
            lambda row: (row.failures_min, row.failures_days, _decimal(row.unusual_factor), row.unusual_payments_min),
        ),
        "reminder_rules": (
            ("Segment", "Version", "Days before", "Days after", "Card payers too"),
            lambda row: (
                row.segment or "all",
                row.version,
                _days(row.days_before),
                _days(row.days_after),
                _yes(row.reminds_card_payers),
            ),
        ),
        "refund_rules": (
            (
                "Watched for days",
                "Reopened invoices at once",
                "Runs give credit back",
                "Bank refunds on day",
                "For",
                "Late payments",
            ),
            lambda row: (
                row.watch_days,
                _yes(row.collects_reopened),
                _yes(row.refunds_credit),
                row.bank_day or "",
                row.bank_file,
                row.late_payments,
            ),
        ),
        "approval_rules": (
            (
                *("Refunds alone up to", "Write-offs", "Cancellations", "Refund files", "Debit files", "Credit notes"),
                *("Payments by hand", "Moves", "Out of suspense", "Wallet credits", "Vouchers", "Statements"),
                *("Disputes", "Of roles", "Expire after hours", "Changed by two"),
            ),
            lambda row: (
                *map(_amounts, row[: len(APPROVAL_LIMITS)]),
                *(_of_roles(row.roles_minor), row.expire_hours, _yes(row.changes_by_two)),
            ),
        ),
        "run_definitions": (("Id", "Kind", "Name", "State", "Provider", "Currencies", "Policy", "Runs"), _definition),
        "segments": (
            ("Id", "Name", "About", "Criteria", "Active"),
            lambda row: (row.id, row.name, row.about, to_json(row.criteria), _yes(row.is_active)),
        ),
        "message_templates": (
            ("Id", "Name", "About", "Languages", "With documents", "Required", "Active"),
            lambda row: (
                *(row.id, row.name, row.about, ", ".join(sorted(row.texts))),
                *(_yes(row.attaches_documents), _yes(row.is_required), _yes(row.is_active)),
            ),
        ),
        "message_rules": (
            ("Invoices mailed when posted", "Bills mailed when made", "Payments confirmed"),
            lambda row: (_yes(row.sends_invoices), _yes(row.sends_bills), _yes(row.confirms_payments)),
        ),
        "creditors": (
            ("Provider", "Name", "IBAN", "Identifier", "Scheme", "Notice", "Lead", "Cut-off"),
            lambda row: (
                *(row.id, row.name, row.iban, row.creditor_identifier, row.scheme),
                *(row.notice_days, row.lead_days, row.cut_off),
            ),
        ),
        "statement_layouts": (
            ("Id", "Account", "Booked on", "Amount", "Text"),
            lambda row: (row.id, row.document.get("bank_account", ""), *_layout_columns(row.document["columns"])),
        ),
        "sellers": (
            ("Id", "Merchant", "Name", "Country", "VAT id", "IBAN", "Logo"),
            lambda row: (
                *(row.id, row.merchant, row.name, row.country, row.vat_id, row.iban),
                _yes(row.logo),
            ),
        ),
        "wallet_transaction_types": (
            ("Id", "Name", "Direction", "Other side", "Expires", "Funded by", "Voided by", "Active"),
            _wallet_type,
        ),
        "voucher_types": (
            ("Id", "Name", "Other side", "Redeemed by", "Expires", "Breakage", "Active"),
            lambda row: (
                *(row.id, row.name, row.product or row.ledger_account),
                " ".join(filter(None, (row.payment_method, row.payment_type))),
                *(f"after {row.expires_after_days} days" if row.expires_after_days else "no", row.breakage_account),
                _yes(row.is_active),
            ),
        ),
        "wallet_top_ups": (
            ("Currency", "Below", "Amount", "In a month", "Type", "Product", "For all", "Active"),
            lambda row: (
                *(row.currency, money(row.below_minor, row.currency), money(row.amount_minor, row.currency)),
                *(row.most_in_month, row.type, row.product, _yes(row.for_all), _yes(row.is_active)),
            ),
        ),
        "charge_rules": (
            ("Id", "Currency", "Holds", "Active"),
            lambda row: (row.id, row.currency or "all", _held_by(row), _yes(row.is_active)),
        ),
        "wallet_limits": (
            ("Currency", "Maximum"),
            lambda row: (row.currency, money(row.maximum_minor, row.currency)),
        ),
    }
)


def _held_by(row: Row[Any]) -> str:
    """Say in one cell which charges a rule holds."""
    window = f"per {row.per} within {row.within_minutes} minutes"
    limits = (
        ("above", row.above_minor and money(row.above_minor, row.currency)),
        ("a first one above", row.first_above_minor and money(row.first_above_minor, row.currency)),
        ("above the median", row.times_median and f"{row.times_median} times"),
        ("more than", row.most_charges and f"{row.most_charges} {window}"),
        ("more than", row.most_minor and f"{money(row.most_minor, row.currency)} {window}"),
        ("until a person releases it,", row.waits_for_person and "also when that time is over"),
    )
    return "; ".join(f"{what} {limit}" for what, limit in limits if limit)
