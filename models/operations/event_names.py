"""The stable names of business events. docs/operations.md says what each means."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from models.disputes.dispute import DisputeState
from models.gateway.gateway_request import AttemptOutcome
from models.refunds.refund import RefundOutcome


class EventName(StrEnum):
    """The names under which business events are logged. A name is never given another meaning."""

    RUN_STARTED = "run_started"
    RUN_HELD = "run_held"
    RUN_GOES_ON = "run_goes_on"
    RUN_COMPLETED = "run_completed"
    PAYMENT_SUCCEEDED = "payment_succeeded"
    PAYMENT_DECLINED = "payment_declined"
    PAYMENT_PROCESSING = "payment_processing"
    PAYMENT_INVALID_REQUEST = "payment_invalid_request"
    PAYMENT_DID_NOT_HAPPEN = "payment_did_not_happen"
    PAYMENT_UNKNOWN = "payment_unknown"
    PAYMENT_RESOLVED = "payment_resolved"
    COLLECTION_OPENED = "collection_opened"
    COLLECTION_SETTLED = "collection_settled"
    COLLECTION_GIVEN_UP = "collection_given_up"
    LINK_OPENED = "link_opened"
    LINK_PAID = "link_paid"
    LINK_EXPIRED = "link_expired"
    LINK_WITHDRAWN = "link_withdrawn"
    MERCHANT_PENDING = "merchant_pending"
    MERCHANT_INCOMPLETE = "merchant_incomplete"
    MERCHANT_SUCCESSFUL = "merchant_successful"
    MERCHANT_RESTRICTED = "merchant_restricted"
    MERCHANT_DISCONNECTED = "merchant_disconnected"
    REFUND_PENDING = "refund_pending"
    REFUND_REFUNDED = "refund_refunded"
    REFUND_REJECTED = "refund_rejected"
    REFUND_REVERSED = "refund_reversed"
    REFUND_DID_NOT_HAPPEN = "refund_did_not_happen"
    REFUND_UNKNOWN = "refund_unknown"
    REFUND_RESOLVED = "refund_resolved"
    DISPUTE_INQUIRY = "dispute_inquiry"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    DISPUTE_CLOSED = "dispute_closed"
    DISCREPANCY_MENDED = "discrepancy_mended"
    DISCREPANCY_OPENED = "discrepancy_opened"
    EVENTS_SWEPT = "events_swept"
    COMMAND = "command"
    COMMAND_GIVEN = "command_given"
    COMMAND_REFUSED = "command_refused"


class RunSort(StrEnum):
    """What kinds of runs there are, as metrics and logs tell them apart."""

    BILLING = "billing"
    PAYMENT = "payment"
    SHADOW = "shadow"
    REFUND = "refund"


OF_PAYMENT: Mapping[AttemptOutcome, EventName] = MappingProxyType(
    {
        AttemptOutcome.SUCCEEDED: EventName.PAYMENT_SUCCEEDED,
        AttemptOutcome.DECLINED: EventName.PAYMENT_DECLINED,
        AttemptOutcome.PROCESSING: EventName.PAYMENT_PROCESSING,
        AttemptOutcome.INVALID_REQUEST: EventName.PAYMENT_INVALID_REQUEST,
        AttemptOutcome.DID_NOT_HAPPEN: EventName.PAYMENT_DID_NOT_HAPPEN,
        AttemptOutcome.UNKNOWN: EventName.PAYMENT_UNKNOWN,
    }
)
OF_REFUND: Mapping[RefundOutcome, EventName] = MappingProxyType(
    {
        RefundOutcome.PENDING: EventName.REFUND_PENDING,
        RefundOutcome.REFUNDED: EventName.REFUND_REFUNDED,
        RefundOutcome.REJECTED: EventName.REFUND_REJECTED,
        RefundOutcome.REVERSED: EventName.REFUND_REVERSED,
        RefundOutcome.DID_NOT_HAPPEN: EventName.REFUND_DID_NOT_HAPPEN,
        RefundOutcome.UNKNOWN: EventName.REFUND_UNKNOWN,
    }
)
OF_DISPUTE: Mapping[DisputeState, EventName] = MappingProxyType(
    {
        DisputeState.INQUIRY: EventName.DISPUTE_INQUIRY,
        DisputeState.OPEN: EventName.DISPUTE_OPENED,
        DisputeState.WON: EventName.DISPUTE_WON,
        DisputeState.LOST: EventName.DISPUTE_LOST,
        DisputeState.CLOSED: EventName.DISPUTE_CLOSED,
    }
)
