"""The ledger's refusals as problems: which field of a command a broken rule is about (F98)."""

from models.ledger.refusals import LedgerError
from models.problem import Problem

_FIELDS = {
    "account_exists": "account",
    "account_not_terminated": "account",
    "account_state_exists": "account",
    "account_takes_documents": "account",
    "actor_given": "actor",
    "addressed_invoice_posted": "invoices",
    "amount_in_range": "amount",
    "any_day_right": "any_day",
    "back_office_code_unique": "back_office_code",
    "bill_after_the_last": "period",
    "period_has_begun": "period",
    "bill_exists": "bill",
    "bill_steps": "bill",
    "bill_unsettled": "bill",
    "category_allowed": "category",
    "close_moves_on": "day",
    "credit_limit": "acknowledge_warning",
    "currency_of_account": "account",
    "day_has_come": "posted_on",
    "day_is_closed": "day",
    "day_is_open": "posted_on",
    "day_is_over": "day",
    "default_type_exists": "type",
    "due_date_in_credit_period": "due_on",
    "exchange_rate_known": "currency",
    "key_length": "key",
    "key_means_one_request": "key",
    "line_adds_up": "lines",
    "line_required": "lines",
    "lines_at_most": "lines",
    "method_allowed": "method",
    "method_exists": "method",
    "method_is_not_a_gateways": "method",
    "only_invoices_fall_due": "due_on",
    "other_account": "account",
    "product_exists": "lines",
    "reason_given": "reason",
    "rejection_reason_given": "reason",
    "right_by_another": "actor",
    "something_to_bill": "period",
    "system_account_empty": "account",
    "tax_rate_exists": "lines",
    "type_of_classification": "type",
    "voucher_buyer": "account",
    "voucher_code": "code",
    "voucher_count": "count",
    "voucher_currency": "currency",
    "voucher_end_to_come": "expires_on",
    "voucher_ends_once": "voucher",
    "voucher_exists": "voucher",
    "voucher_first": "method",
    "service_of_account": "service",
    "voucher_is_over": "voucher",
    "voucher_type_exists": "type",
    "vouchers_out": "voucher",
    "wallet_credit_unspent": "wallet_transaction",
    "wallet_empty": "account",
    "wallet_end_to_come": "expires_on",
    "wallet_expiry_type": "type",
    "wallet_type_is_invoiced": "type",
    "wallet_limit": "amount",
    "wallet_never_negative": "amount",
    "wallet_pays_its_top_up": "account",
    "wallet_product": "lines",
    "wallet_product_active": "type",
    "wallet_top_up_is_cancelled": "transaction",
    "wallet_top_up_is_voided": "invoices",
    "wallet_top_up_rule": "account",
    "wallet_transaction_exists": "wallet_transaction",
    "wallet_transaction_first": "method",
    "wallet_type_exists": "type",
    "wallet_type_pays_invoices": "type",
    "wallet_voided_once": "wallet_transaction",
    "write_off_type_given": "type",
}

# What the ledger calls its columns, and what a person calls them.
_WORDS = {
    "addressed_invoice_ids": "invoices",
    "issue_reason": "reason",
    "payment_preference": "preference",
    "payment_reference": "reference",
    "total_minor": "amount",
    "type_id": "type",
}


def problem_of(error: LedgerError, *, source: str = "", line: int = 0) -> Problem:
    """Return a refusal as a problem: the field that a person would change, the rule, and its sentence."""
    field = str(error.arguments["field"]) if error.rule in {"field_editable", "field_valid"} else ""
    sentence = str(error).removeprefix(f"{error.rule}: ")
    field = _WORDS.get(field, field)
    return Problem(field or _FIELDS.get(error.rule, "transaction"), error.rule, sentence, source, line)
