"""The state of a payment through a gateway, in Stripe's words, and that of its request (X31 to X42)."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from models.gateway.decline import CLASS_OF_CODE, DeclineClass
from models.gateway.gateway_request import AttemptOutcome, RequestState

# The codes of declines that the customer alone can let pass.
ACTION_CODES = frozenset(code for code, kind in CLASS_OF_CODE.items() if kind is DeclineClass.ACTION_REQUIRED)


class PaymentState(StrEnum):
    """Where a payment stands: Stripe's states of a payment intent, and one for what nobody has answered yet."""

    SUCCEEDED = "succeeded"
    PROCESSING = "processing"
    REQUIRES_ACTION = "requires_action"
    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    CANCELED = "canceled"
    UNKNOWN = "unknown"


class FieldState(StrEnum):
    """The states of a gateway request as people of the field know them (X34)."""

    PENDING = "pending"
    UNDER_PROCESSING = "under_processing"
    POSTED = "posted"
    REJECTED = "rejected"


# What the field calls what we store: an outcome that nobody knows is under processing, and what was posted and came
# back was posted.
FIELD_STATES: Mapping[RequestState, FieldState] = MappingProxyType(
    {
        RequestState.PENDING: FieldState.PENDING,
        RequestState.UNDER_PROCESSING: FieldState.UNDER_PROCESSING,
        RequestState.UNKNOWN: FieldState.UNDER_PROCESSING,
        RequestState.POSTED: FieldState.POSTED,
        RequestState.REJECTED: FieldState.REJECTED,
        RequestState.REVERSED: FieldState.POSTED,
    }
)

_OPEN = frozenset({RequestState.PENDING, RequestState.UNDER_PROCESSING})
# Which stored states of its request a payment of a state may have: what a list looks through.
REQUEST_STATES: Mapping[PaymentState, frozenset[RequestState]] = MappingProxyType(
    {
        PaymentState.SUCCEEDED: frozenset({RequestState.POSTED, RequestState.REVERSED}),
        PaymentState.CANCELED: frozenset({RequestState.REJECTED}),
        PaymentState.UNKNOWN: _OPEN | {RequestState.UNKNOWN},
        PaymentState.PROCESSING: _OPEN,
        PaymentState.REQUIRES_ACTION: _OPEN,
        PaymentState.REQUIRES_PAYMENT_METHOD: _OPEN,
    }
)


def stored_states(field: FieldState) -> frozenset[RequestState]:
    """Return the stored states that the field has one word for."""
    return frozenset(stored for stored, known_as in FIELD_STATES.items() if known_as is field)


def payment_state(
    request: RequestState, outcome: AttemptOutcome | None, code: str = "", *, has_page: bool = False
) -> PaymentState:
    """Return where a payment stands by its request and its last attempt; `has_page`: the customer may pay on a page."""
    if request in REQUEST_STATES[PaymentState.SUCCEEDED]:
        return PaymentState.SUCCEEDED
    if request is RequestState.REJECTED:
        return PaymentState.CANCELED
    if request is RequestState.UNKNOWN or outcome is AttemptOutcome.UNKNOWN:
        return PaymentState.UNKNOWN
    if outcome is AttemptOutcome.DECLINED:
        return PaymentState.REQUIRES_ACTION if code in ACTION_CODES else PaymentState.REQUIRES_PAYMENT_METHOD
    if outcome in {AttemptOutcome.DID_NOT_HAPPEN, AttemptOutcome.INVALID_REQUEST}:
        return PaymentState.REQUIRES_PAYMENT_METHOD
    return PaymentState.REQUIRES_ACTION if has_page else PaymentState.PROCESSING
