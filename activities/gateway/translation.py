"""Stripe's objects and errors translated into ours: results, declines, movements, and the gateway's errors."""

import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp
import stripe
import structlog

from models.currency import UnknownCurrencyError
from models.gateway.amounts import GatewayAmountError, from_gateway, to_gateway
from models.gateway.charges import Charge, ChargeResult, ChargeStatus
from models.gateway.decline import Decline
from models.gateway.errors import (
    KEY_USED,
    UNREADABLE,
    GatewayAccessError,
    GatewayBusyError,
    GatewayError,
    GatewayInvalidRequestError,
    GatewayUnansweredError,
)
from models.gateway.identity import named_invoices
from models.gateway.movements import Movement, MovementKind
from models.gateway.refunds import RefundCall
from models.money import Money

log = structlog.get_logger(__name__)

_STATUS = {
    "succeeded": ChargeStatus.SUCCEEDED,
    "processing": ChargeStatus.PROCESSING,
    "canceled": ChargeStatus.CANCELED,
    "requires_action": ChargeStatus.DECLINED,
    "requires_confirmation": ChargeStatus.DECLINED,
    "requires_payment_method": ChargeStatus.DECLINED,
    "requires_capture": ChargeStatus.PROCESSING,
}

# What reading an answer raises that is not what the gateway's contract says.
_UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, AssertionError)
_RETRY_AFTER_MAX = 3600.0

_MOVEMENT = {
    "charge": MovementKind.CHARGE,
    "payment": MovementKind.CHARGE,
    "refund": MovementKind.REFUND,
    "payment_refund": MovementKind.REFUND,
    "refund_failure": MovementKind.REFUND_FAILURE,
    "payment_failure_refund": MovementKind.REFUND_FAILURE,
    "payout": MovementKind.PAYOUT,
}


# What is read of a payment intent, of its charge and of the charge's booking.
_BOOKING = dict.fromkeys(
    ("id", "object", "amount", "created", "currency", "fee", "fee_details", "reporting_category", "source", "type")
)
_CHARGE = dict.fromkeys(("id", "object")) | {"balance_transaction": _BOOKING}
_INTENT = dict.fromkeys(("id", "object", "status", "amount", "currency", "metadata", "last_payment_error"))
_READ = _INTENT | {"latest_charge": _CHARGE}


def pick_fields(intent: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is read of a payment intent, as the gateway sent it."""
    return _only(intent, _READ)


def _only(answer: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: answer[name] for name in fields if name in answer}
    return {
        name: _only(value, fields[name]) if fields[name] and isinstance(value, dict) else value
        for name, value in kept.items()
    }


def amount_to_send(request: Charge | RefundCall) -> int:
    """Return the amount in the gateway's own scale. Raises GatewayInvalidRequestError when it cannot be moved there."""
    try:
        return to_gateway(Money(request.amount_minor, request.currency))
    except ValueError as error:
        # Nothing was sent, and a retry sends nothing either: the amount itself is wrong.
        raise GatewayInvalidRequestError("amount_not_chargeable") from error


def application_fee(charge: Charge) -> int:
    """Return what the platform takes, in the gateway's own scale; where that is 0, no request may name it."""
    return to_gateway(Money(charge.application_fee_minor, charge.currency))


def metadata_of(charge: Charge) -> dict[str, str]:
    """Return our ids, which every object of ours carries at the gateway."""
    return charge.identity.metadata(invoices=named_invoices(charge.invoices))


def optional(found: object, name: str) -> Any:
    """Return a field that the gateway may leave out, or say null of: the SDK's objects then lack the attribute."""
    return getattr(found, name, None)


def metadata_at(found: object) -> dict[str, str]:
    """Return what an object of the gateway says about itself."""
    metadata = optional(found, "metadata")
    return metadata.to_dict() if metadata else {}


def charge_result(intent: stripe.PaymentIntent, charge: Charge) -> ChargeResult:
    """Read what an intent came to; it must be about the money that was requested."""
    found_minor = _other_amount(intent, charge)
    expected_minor = charge.amount_minor if found_minor is None else found_minor
    status = _STATUS.get(intent.status, ChargeStatus.PROCESSING)
    latest: stripe.Charge | str | None = optional(intent, "latest_charge")
    return ChargeResult(
        status=status,
        gateway_reference=intent.id,
        charge_reference=latest if isinstance(latest, str) else latest.id if latest else "",
        decline=_decline_of(intent) if status is ChargeStatus.DECLINED else None,
        movement=moved_for(booked_movement(optional(latest, "balance_transaction")), expected_minor, charge),
        found_minor=found_minor,
        method_type=_type_charged(latest),
    )


def _type_charged(charge: stripe.Charge | str | None) -> str:
    """Return the gateway's type of what was charged; empty where the answer was not read so far."""
    return str(optional(optional(charge, "payment_method_details"), "type") or "")


def require_same_attempt(intent: stripe.PaymentIntent, charge: Charge) -> stripe.PaymentIntent:
    """Return the intent if it is this attempt's. Raises GatewayInvalidRequestError when it is another payment."""
    metadata = metadata_at(intent)
    is_ours = charge.identity.is_attempt(metadata) or charge.identity.is_receivable(metadata)
    if not is_ours or intent.id in charge.known_references:
        raise GatewayInvalidRequestError("another_payment")
    return intent


def _other_amount(intent: stripe.PaymentIntent, charge: Charge) -> int | None:
    """Return the intent's amount where it is another than was requested, which only a key used before can explain."""
    currency = intent.currency.upper()
    if (intent.amount, currency) == (amount_to_send(charge), charge.currency):
        return None
    if charge.is_key_used and currency == charge.currency:
        return from_gateway(intent.amount, currency).amount_minor
    # An answer about another amount than the request's is no answer to it: it must reach a person.
    raise GatewayUnansweredError("amount_mismatch", is_final=True)


def booked_movement(booking: object) -> Movement | None:
    """Read the balance transaction of an answer; None while the gateway has none, or gives its id alone."""
    if not isinstance(booking, stripe.BalanceTransaction):
        return None
    try:
        return movement_of(booking)
    except (GatewayAmountError, UnknownCurrencyError):
        # The money has moved, whatever it cost: what the ledger cannot express stays expected, and is reported overdue.
        log.warning("movement_not_expressible", movement=booking.id, currency=booking.currency)
        return None


def moved_for(movement: Movement | None, amount_minor: int, request: Charge | RefundCall) -> Movement | None:
    """Return the movement, and log one of another amount than was requested: the ledger lists it as a discrepancy."""
    if movement and movement.currency == request.currency and movement.amount_minor != amount_minor:
        log.warning(
            "movement_differs",
            movement=movement.reference,
            request_id=request.request_id,
            amount_minor=movement.amount_minor,
            expected_minor=amount_minor,
        )
    return movement


def _decline_of(intent: stripe.PaymentIntent) -> Decline:
    if intent.status == "requires_action":
        return Decline("authentication_required")
    error = optional(intent, "last_payment_error")
    return Decline("card_declined") if error is None else decline_of(error)


def decline_from(error: stripe.CardError) -> ChargeResult:
    """Read the issuer's decline; raise the error again when it is none of an issuer's."""
    details = issuers_error(error)
    intent = getattr(details, "payment_intent", None)
    return ChargeResult(
        ChargeStatus.DECLINED,
        gateway_reference=intent.id if intent else "",
        charge_reference=getattr(details, "charge", None) or "",
        decline=decline_of(details),
    )


def issuers_error(error: stripe.CardError) -> Any:
    """Return what the issuer answered; raise the error again when nobody asked one: the SDK goes by its status."""
    if error.error is None or optional(error.error, "type") != "card_error":
        raise error
    return error.error


def decline_of(error: object) -> Decline:
    """Read an issuer's decline from an error; models/gateway/decline.py classifies it."""
    # The SDK's objects lack an attribute that the answer did not carry.
    return Decline(
        code=getattr(error, "code", None) or "card_declined",
        decline_code=getattr(error, "decline_code", None) or "",
        advice_code=getattr(error, "advice_code", None) or "",
        network_decline_code=getattr(error, "network_decline_code", None) or "",
    )


def movement_of(booking: stripe.BalanceTransaction) -> Movement:
    """Read a balance transaction."""
    currency = booking.currency.upper()
    return Movement(
        reference=booking.id,
        kind=_MOVEMENT.get(booking.type) or _adjustment_of(booking),
        source_reference=str(optional(booking, "source") or ""),
        amount_minor=_signed(booking.amount, currency),
        fee_minor=_signed(booking.fee, currency),
        application_fee_minor=_signed(application_fee_in(booking.fee_details), currency),
        currency=currency,
        booked_at=datetime.fromtimestamp(booking.created, UTC),
    )


def application_fee_in(details: Sequence[Any]) -> int:
    """Return the platform's part of a balance transaction's fee, in the gateway's own scale."""
    return sum(each["amount"] for each in details if each["type"] == "application_fee")


def _adjustment_of(booking: stripe.BalanceTransaction) -> MovementKind:
    match booking.reporting_category:
        case "dispute" | "dispute_reversal":
            # A reversal that is cancelled takes the money again.
            return MovementKind.DISPUTE_REVERSAL if booking.amount > 0 else MovementKind.DISPUTE
        case _:
            return MovementKind.OTHER


def _signed(amount: int, currency: str) -> int:
    minor = from_gateway(abs(amount), currency).amount_minor
    return minor if amount >= 0 else -minor


def _raised_in(error: Exception) -> str:
    return traceback.extract_tb(error.__traceback__)[-1].name


@contextmanager
def translating_errors() -> Iterator[None]:
    """Turn every error of the SDK, of the connection and of reading an answer into one of the port's."""
    try:
        yield
    except stripe.StripeError as error:
        raise translated(error) from error
    # The SDK lets through what breaks while a body is being read.
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise GatewayUnansweredError(type(error).__name__) from error
    except _UNREADABLE as error:
        # A proxy's answer, half of one, or one without a field that it must have: the request may have had its effect.
        # Neither its words nor a traceback's, which may have what was sent.
        log.warning("answer_unreadable", error=type(error).__name__, function=_raised_in(error))
        raise GatewayUnansweredError(UNREADABLE) from error


def translated(error: stripe.StripeError) -> GatewayError:
    """Say what an error of the SDK means for the request: it did not happen, or nobody knows."""
    code = _code_of(error)
    match error:
        case stripe.RateLimitError():
            return GatewayBusyError(code, retry_after_seconds=_retry_after(error))
        case stripe.AuthenticationError() | stripe.PermissionError():
            return GatewayAccessError(code)
        case stripe.IdempotencyError():
            return GatewayUnansweredError(KEY_USED, is_final=True)
        case stripe.InvalidRequestError() | stripe.CardError() | stripe.SignatureVerificationError():
            return GatewayInvalidRequestError(code)
        case _:
            return GatewayUnansweredError(code, is_final=_is_replayed(error))


def _code_of(error: stripe.StripeError) -> str:
    return str(getattr(error.error, "code", None) or error.code or type(error).__name__)


def _retry_after(error: stripe.StripeError) -> float:
    try:
        seconds = float((error.headers or {}).get("retry-after", 1.0))
    except ValueError:
        return 1.0
    # A float may be no number at all, and no clock goes as far as some.
    return min(max(0.1, seconds), _RETRY_AFTER_MAX)


def _is_replayed(error: stripe.StripeError) -> bool:
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    return headers.get("idempotent-replayed") == "true"
