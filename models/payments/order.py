"""A payment that a person orders now: an amount, invoices or a part of one, on a card (F86, F87, C10)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from models.gateway.gateway_request import CollectOutcome, CollectResult
from models.money import Money, MoneyError
from models.payments.state import ACTION_CODES, PaymentState
from models.problem import refusal

ID_PATTERN = re.compile(r"^[A-Za-z][A-Za-z0-9_.-]{0,51}$")
ID_MEANING = "must begin with a letter, and have at most 52 of A-Z a-z 0-9 _ . -"
_OUTCOMES = {
    CollectOutcome.SETTLED: PaymentState.SUCCEEDED,
    CollectOutcome.PROCESSING: PaymentState.PROCESSING,
    CollectOutcome.UNKNOWN: PaymentState.UNKNOWN,
    CollectOutcome.PROVIDER_NOT_EFFECTIVE: PaymentState.PROCESSING,
    CollectOutcome.DID_NOT_HAPPEN: PaymentState.PROCESSING,
}


@dataclass(frozen=True)
class PaymentOrder:
    """What is ordered, by whom and why. Without an amount the invoices that are named are paid whole.

    `hands_over`: a decline is followed up by the account's dunning policy; else it ends the payment, and what was
    claimed is free again. `prepays`: all of the amount is charged, and what is left of it is the account's credit.
    """

    id: str
    account_id: str
    provider: str
    asked: Money | None
    invoices: tuple[str, ...]
    card_id: str
    preference: str
    hands_over: bool
    actor: str
    reason: str
    prepays: bool = False

    def __post_init__(self) -> None:
        """Refuse a prepayment that could not be one. Raises RefusedError."""
        if self.prepays and (self.asked is None or self.invoices or self.hands_over):
            problem = "a prepayment is of an amount (--amount), names no invoices, and is not handed over"
            raise refusal("prepay", "prepayment_of_amount", problem)


def order_id(text: str) -> str:
    """Check the id of an order. Raises RefusedError."""
    if not ID_PATTERN.match(text):
        raise refusal("id", "id_format", f"{text!r} {ID_MEANING}")
    return text


def asked_of(amount: str, invoices: Sequence[str], currency: str) -> tuple[Money | None, tuple[str, ...]]:
    """Read what is asked for: an amount, of some invoices perhaps, or `INVOICE=PART` of one. Raises RefusedError."""
    named = [text.partition("=") for text in invoices]
    parts = [part for _, sign, part in named if sign]
    if parts and (amount or len(named) > 1):
        raise refusal("invoice", "one_part", "a part is of one invoice alone: give one --invoice ID=PART, or --amount")
    if not amount and not named:
        raise refusal("amount", "something_asked", "say how much (--amount), or which invoices (--invoice)")
    ids = tuple(dict.fromkeys(id for id, _, _ in named))
    return amount_of(parts[0] if parts else amount, currency), ids


def amount_of(text: str, currency: str, field: str = "amount") -> Money | None:
    """Read an amount that is asked for; None of an empty text. Raises RefusedError."""
    if not text:
        return None
    try:
        asked = Money.parse(text, currency)
    except MoneyError as error:
        raise refusal(field, "amount_is_decimal", str(error)) from error
    if asked.amount_minor <= 0:
        raise refusal(field, "amount_collectable", f"{asked} is nothing to ask for")
    return asked


def state_of(result: CollectResult, *, hands_over: bool) -> PaymentState:
    """Return where an ordered payment stands after its first attempt."""
    if (state := _OUTCOMES.get(result.outcome)) is not None:
        return state
    if result.outcome is CollectOutcome.DECLINED and (result.decline_code or result.code) in ACTION_CODES:
        return PaymentState.REQUIRES_ACTION
    is_followed_up = hands_over and result.outcome in {CollectOutcome.DECLINED, CollectOutcome.NO_CARD}
    return PaymentState.REQUIRES_PAYMENT_METHOD if is_followed_up else PaymentState.CANCELED
