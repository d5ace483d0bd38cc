"""The ledger's refusals as exceptions: each names its rule and is made from typed arguments (F98).

A prerequisite is checked before an action begins, a postcondition after it was requested and before anything is
written. The database's functions raise with SQLSTATE class LD, the rule in the constraint field and its arguments as
JSON in the detail; `ledger_error` turns that, or a broken constraint, into the exception. Nothing here needs a driver.
"""

import json
import re
from collections.abc import Mapping
from string import Formatter
from typing import Any, Protocol

from models.money import Money


class LedgerError(Exception):
    """A refusal by the ledger. `rule` is the rule's name, `arguments` what it was applied to."""

    def __init__(self, rule: str, arguments: Mapping[str, Any]) -> None:
        self.rule = rule
        self.arguments = dict(arguments)
        super().__init__(message_for(rule, self.arguments))


class PrerequisiteError(LedgerError):
    """The action is not available in the state things are in."""


class PostconditionError(LedgerError):
    """The action was requested and its outcome is not allowed."""


class InvalidInputError(LedgerError):
    """A field holds what it may not hold."""


class KeyReusedError(LedgerError):
    """An idempotency key came with another request than the first time."""


class ConfigurationError(LedgerError):
    """The ledger is not set up for this action."""


class AcknowledgementRequiredError(LedgerError):
    """A warning: the same request with the acknowledgement goes through (F60)."""


class AppendOnlyError(LedgerError):
    """An attempt to change, delete or half-write what is posted."""


ERRORS: dict[str, type[LedgerError]] = {
    "LD001": PrerequisiteError,
    "LD002": PostconditionError,
    "LD003": InvalidInputError,
    "LD004": KeyReusedError,
    "LD005": ConfigurationError,
    "LD006": AcknowledgementRequiredError,
    "LD007": AppendOnlyError,
}

_CONSTRAINT_RULES: dict[str, tuple[type[LedgerError], str]] = {
    "one_back_office_code": (InvalidInputError, "back_office_code_unique"),
    "one_gateway_booking": (PrerequisiteError, "gateway_reference_unique"),
    "one_counterpart": (PrerequisiteError, "posted_only"),
    "one_system_account": (InvalidInputError, "one_system_account"),
    "not_over_allocated": (AppendOnlyError, "not_over_allocated"),
}
_DUPLICATE_KEY = re.compile(r"Key \(([\w, ]+)\)=\((.*)\) already exists")
_INVALID_DATA = ("22", "23502", "23503", "23514")

MESSAGES: dict[str, str] = {
    "account_exists": "account {account_id} does not exist",
    "account_has_currency": "there is no account {account_id} with the currency {currency}",
    "account_id_unique": "account {account_id} exists already with another currency or kind",
    "account_not_terminated": "account {account_id} is terminated",
    "account_state_exists": "account {account_id} cannot become {state}; suspended is for customers only",
    "account_takes_documents": "account {account_id} is a suspense or write-off account and takes no documents",
    "addressed_invoice_posted": "invoice {invoice_id} is not a posted invoice of account {account_id}",
    "allocation_within_account": "an allocation joins a credit and a debit of one account",
    "actor_given": "who does it must be said",
    "always_posted": "a {classification} can only be posted, not {state}",
    "amount_in_range": "the amount must be above zero, and no more than a transaction can carry",
    "any_day_right": (
        "{actor} has no right to post on a day that is closed or has not come yet: somebody else gives it, by "
        "`books grant`"
    ),
    "append_only": "{operation} on {table} is not allowed: what is posted stays as it is",
    "back_office_code_unique": "back_office_code {back_office_code} is taken by another {classification}",
    "bank_decides": "refund {transaction_id} is with the bank, whose answer posts or rejects it: `refunds confirm`",
    "batch_not_empty": "the batch must be a list of at least one element",
    "bill_after_the_last": "account {account_id} has a bill of {last} already, and none of {period} comes after it",
    "period_has_begun": "{period} has not begun, so that there is no bill of it yet",
    "bill_exists": "there is no bill {bill}",
    "bill_steps": "{bill} is {was}, so that it cannot be {state}: presented comes first, and its answer once",
    "bill_unsettled": "bill {bill} is settled",
    "category_allowed": "category {category} is not allowed on type {type_id}",
    "close_moves_on": "{day} is closed already: the books are closed until {closed_until}; `books reopen` opens days",
    "counterpart_given": "a {classification} {transaction_id} must name the document it undoes; others may not",
    "counterpart_matches": "transaction {transaction_id} does not match the document it cancels, writes off or moves",
    "credit_limit": (
        "the refund takes the balance of {account_id} to {balance}, above its credit limit of {credit_limit}; "
        "acknowledge to go on"
    ),
    "currency_exists": "currency {currency} is not an active ISO 4217 code",
    "currency_of_account": "currency {currency} is not the currency of account {account_id}",
    "day_has_come": (
        "posted_on {posted_on} has not come yet, for today is {today}; who has the right gives `--any-day WHY`"
    ),
    "day_is_closed": "{day} is open: the books are closed until {closed_until}",
    "day_is_open": (
        "posted_on {posted_on} is closed, for the books are closed until {closed_until}; who has the right gives "
        "`--any-day WHY`"
    ),
    "day_is_over": "{day} is not over in every time zone; the latest day that can be closed is {latest}",
    "default_type_exists": "classification {classification} has no default type",
    "definition_exists": "account {account_id} has no due date rule: the definition is missing",
    "draft_only": "transaction {transaction_id} is {state}; only a draft can be edited, posted or rejected",
    "due_date_in_credit_period": "due date {due_on} of account {account_id} is outside {earliest} to {latest}",
    "exchange_rate_known": (
        "VAT of {key} in {currency} is owed in {tax_currency} too, and no reference rate of {posted_on} is known: "
        "`import rates` takes the file of that day"
    ),
    "field_editable": "field {field} of a {classification} cannot be edited",
    "field_valid": "{field} is not valid: {reason}",
    "gateway_confirms_first": "{transaction_id} went through {provider}, which has not returned the money",
    "gateway_decides": "transaction {transaction_id} is with {provider}, whose answer posts or rejects it",
    "gateway_reference_first": "a {classification} through {provider} is posted when the gateway has moved the money",
    "gateway_reference_unique": "gateway_reference {gateway_reference} is booked already",
    "gateway_request_first": "a {classification} through {provider} is written by its request, posted by the answer",
    "invoice_only": "transaction {transaction_id} is a {classification}; only an invoice allows this",
    "key_length": "idempotency_key must have 1 to 200 characters",
    "key_means_one_request": "key {key} was used for another request",
    "key_once_per_batch": "key {key} stands twice in the batch",
    "late_open_item": "transaction {transaction_id} is not being posted: no open item can be added",
    "late_transfer": "transaction {transaction_id} is not being posted: no transfer can be added",
    "line_adds_up": "line {line} of {key} does not add up: quantity, price and rates give another net, discount or tax",
    "line_required": "lines must hold at least one line",
    "lines_at_most": "lines of {key} are more than 1000",
    "lines_of_posted": "transaction {transaction_id} is not a draft: its lines stay as they are",
    "method_allowed": "method {method} is not allowed on type {type_id}",
    "method_exists": "method {method} does not exist",
    "method_of_money": "method and provider belong to payments and refunds, and only to them",
    "mirror_stays": "invoice {transaction_id} mirrors a write-off and stays with it",
    "not_over_allocated": "no more can be allocated than is open",
    "one_system_account": "the currency has this system account already",
    "only_credits_address_invoices": "only a payment or credit note addresses invoices",
    "only_invoices_and_payments_are_cancelled": "a {classification} cannot be cancelled",
    "only_invoices_are_written_off": "a {classification} cannot be written off",
    "only_invoices_fall_due": "a {classification} has no due date",
    "other_account": "the payment is on account {account_id} already",
    "payment_only": "transaction {transaction_id} is a {classification}; only a payment allows this",
    "posted_columns": "transaction {transaction_id} is {state} but its posting is not complete",
    "posted_invoices_fall_due": "posted invoice {transaction_id} has no due date",
    "posted_only": "transaction {transaction_id} is {state}; only a posted one allows this",
    "posting_is_complete": "transaction {transaction_id} lacks transfers, lines, an open item or a number",
    "product_exists": "product {product_id} of line {line} does not exist or is retired",
    "reason_given": "why must be said",
    "refund_only": "transaction {transaction_id} is a {classification}; only a refund allows this",
    "rejected_columns": "transaction {transaction_id} is {state} but its rejection is not complete",
    "rejection_reason_given": "reason {reason} is not one of the reasons for rejection",
    "right_by_another": "{actor} cannot give this right to himself: somebody else gives it",
    "something_to_bill": "account {account_id} has nothing to bill for {period}",
    "state_transition": "transaction {transaction_id} cannot go from {state} to {new_state}, nor change otherwise",
    "system_account_empty": ("account {account_id} is the company's own and has money on it: {balance}"),
    "tax_rate_exists": "tax rate {tax_rate_id} of line {line} does not exist",
    "text_not_empty": "actor, back_office_code and gateway_reference of {transaction_id} must not be empty",
    "time_zone_exists": "time_zone {time_zone} is not an IANA time zone",
    "transaction_exists": "transaction {transaction_id} does not exist",
    "type_of_classification": "type {type_id} is not an active type of {classification}",
    "unsettled_only": "invoice {transaction_id} is settled",
    "voucher_buyer": "vouchers of type {type_id} are sold to an account if it has a product, else given away",
    "voucher_code": "there is no voucher with this code",
    "voucher_count": "a batch has 1 to 10000 vouchers, not {count}",
    "voucher_currency": "there is no currency {currency}",
    "voucher_end_to_come": "{expires_on} is over already, for today is {today}",
    "voucher_ends_once": "voucher {voucher} is {state} already",
    "voucher_exists": "there is no voucher or batch {voucher}",
    "voucher_first": (
        "{transaction_id} would move money between vouchers and an account: that is done by `vouchers issue`, "
        "`redeem` and `cancel`"
    ),
    "service_of_account": "there is no subscription {service} of {account_id}",
    "voucher_is_over": "voucher {voucher} could be redeemed until {expires_on}",
    "voucher_type_exists": "there is no active voucher type {type_id}",
    "vouchers_out": "no voucher of {batch} is out any more",
    "wallet_credit_unspent": "of {wallet_transaction} something is spent: void what has spent it first",
    "wallet_empty": ("account {account_id} has {balance} in its wallet: spend or void them first"),
    "wallet_end_to_come": "{expires_on} is over already, for today is {today}",
    "wallet_expiry_type": "credit that ends needs a wallet transaction type that books it: `books_expiry = true`",
    "wallet_type_is_invoiced": "type {type_id} invoices nothing; a payment funds the wallet by an invoice",
    "wallet_limit": "{amount} is more than the wallet of {account_id} takes: there is room for {room}",
    "wallet_never_negative": "{amount} is more than the {balance} in the wallet of {account_id}",
    "wallet_pays_its_top_up": (
        "account {account_id} waits for a top-up of its wallet, which the wallet itself would pay: collect or cancel "
        "it first"
    ),
    "wallet_product": (
        "product {product_id} of line {line} fills wallets: it is invoiced by `wallets credit` and by runs that top "
        "up, and taken back by `wallets void`"
    ),
    "wallet_product_active": "product {product_id} of wallet transaction type {type_id} is retired",
    "wallet_top_up_is_cancelled": "{transaction_id} is a top-up that is not paid: cancel it, nothing was sold for it",
    "wallet_top_up_is_voided": (
        "{transaction_id} is a top-up that is in a wallet: void its wallet transaction, and no credit note is needed"
    ),
    "wallet_top_up_rule": "no rule tops up wallets in {currency}: definitions have none, or it is out of use",
    "wallet_transaction_exists": "there is no wallet transaction {wallet_transaction}",
    "wallet_transaction_first": (
        "{transaction_id} would move money between a wallet and the account: that is done by `wallets credit`, `debit` "
        "and `void`"
    ),
    "wallet_type_exists": "there is no active type {type_id} of wallet {direction}s",
    "wallet_type_pays_invoices": "type {type_id} does not pay invoices that are named",
    "wallet_voided_once": "{wallet_transaction} is voided, or is a void or an expiry, which stay",
    "write_off_product_set": "the definition has no write-off product",
    "write_off_type_given": "type_id of a write-off is mandatory",
}
"""A sentence for every rule. The arguments are those that the rule's refusal carries."""


class Diagnostics(Protocol):
    """What a PostgreSQL driver reports of an error; psycopg's `Diagnostic` has these names."""

    @property
    def sqlstate(self) -> str | None: ...
    @property
    def constraint_name(self) -> str | None: ...
    @property
    def message_primary(self) -> str | None: ...
    @property
    def message_detail(self) -> str | None: ...
    @property
    def column_name(self) -> str | None: ...


def message_for(rule: str, arguments: Mapping[str, Any]) -> str:
    """Return the sentence for a refusal, its rule in front.

    A value that was empty reads as not given. A refusal that does not carry all that its sentence asks for says what
    it does carry instead.
    """
    values = {
        name: "(not given)" if value is None else value for name, value in {**arguments, **_shown(arguments)}.items()
    }
    template = MESSAGES.get(rule, "the rule refuses it")
    if all(name in values for _, name, _, _ in Formatter().parse(template) if name):
        return f"{rule}: {template.format_map(values)}"
    named = ", ".join(f"{name} {value}" for name, value in values.items())
    return f"{rule}: the rule refuses it{f' ({named})' if named else ''}"


def _shown(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return amounts as people read them, by their name without `_minor`, where their currency is said."""
    currency = arguments.get("currency")
    amounts = {name: value for name, value in arguments.items() if name.endswith("_minor") and isinstance(value, int)}
    return {name.removesuffix("_minor"): str(Money(value, currency)) for name, value in amounts.items() if currency}


def ledger_error(diagnostics: Diagnostics) -> LedgerError | None:
    """Return the exception for a database error that is a refusal, or None for any other (lost, locked, broken)."""
    state, constraint = diagnostics.sqlstate or "", diagnostics.constraint_name or ""
    if state in ERRORS:
        return ERRORS[state](constraint, json.loads(diagnostics.message_detail or "{}"))
    if constraint in _CONSTRAINT_RULES:
        error, rule = _CONSTRAINT_RULES[constraint]
        return error(rule, _key_of(diagnostics.message_detail or ""))
    if state.startswith(_INVALID_DATA):
        name = diagnostics.column_name or constraint or "value"
        return InvalidInputError("field_valid", {"field": name, "reason": diagnostics.message_primary or ""})
    return None


def _key_of(detail: str) -> dict[str, str]:
    """Return the columns and values of a unique index's complaint: `Key (code, kind)=(B-1, payment) already exists.`"""
    found = _DUPLICATE_KEY.match(detail)
    if found is None:
        return {}
    columns, values = found[1].split(", "), found[2].split(", ")
    return dict(zip(columns, values, strict=True)) if len(columns) == len(values) else {}
