"""Which workflow an event of the gateway is for, and how it is started when it does not run."""

from typing import Any

from activities.events.delivery import EventTarget, WorkflowStart
from models import workflow_ids
from models.cards.card import CardRequest
from models.disputes.dispute import DisputeRequest
from models.gateway.events import EventSubject
from models.gateway.movements import MovementsRequest
from models.reconciliation.reconciliation import ObjectCheckRequest
from models.refunds.refund import RefundRequest
from workflows import visibility
from workflows.cards.card_lifecycle import CardLifecycle
from workflows.disputes.dispute import Dispute
from workflows.gateway.movements import GatewayMovements
from workflows.reconciliation.object_check import ObjectCheck
from workflows.refunds.refund import Refund


def target_of(subject: EventSubject, key: tuple[str, ...]) -> EventTarget:
    """Return the workflow that an event is for, by the natural key of the object that the event is about."""
    match subject:
        case EventSubject.CARD:
            card, provider = key
            label = visibility.card_label(card, provider=provider)
            return _started(workflow_ids.card_id(card), CardLifecycle.run, CardRequest(card, provider), label)
        case EventSubject.REFUND:
            refund, provider = key
            label = visibility.refund_label(refund, provider=provider)
            return _started(workflow_ids.refund_id(refund), Refund.run, RefundRequest(refund, provider), label)
        case EventSubject.DISPUTE:
            dispute, provider = key
            label = visibility.dispute_label(dispute, provider=provider)
            return _started(workflow_ids.dispute_id(dispute), Dispute.run, DisputeRequest(dispute, provider), label)
        case EventSubject.MOVEMENT:
            (provider,) = key
            label = visibility.movements_label(provider)
            workflow_id = workflow_ids.movements_id(provider)
            return _started(workflow_id, GatewayMovements.run, MovementsRequest(provider), label)
        case EventSubject.FOUND:
            found, provider = key
            check = workflow_ids.object_check_id(provider, found)
            label = visibility.object_check_label(found, provider=provider)
            return _started(check, ObjectCheck.run, ObjectCheckRequest(found, provider), label)
        case EventSubject.MERCHANT:
            merchant, _ = key
            return EventTarget(workflow_ids.merchant_connection_id(merchant))
        case EventSubject.FRAUD:
            raise ValueError("no workflow waits for what may be fraud: operators get an alert")
        case EventSubject.PAYMENT:
            account_id, period, *payment_request = key
            if payment_request:
                return EventTarget(workflow_ids.payment_request_id(payment_request[0]))
            return EventTarget(workflow_ids.collection_id(account_id, period))


def _started(workflow_id: str, run: Any, request: object, label: visibility.Label) -> EventTarget:
    return EventTarget(workflow_id, WorkflowStart(run, request, **label))
