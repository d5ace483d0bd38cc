"""How each open business object goes on from its row: which workflow it has, and with what that is started."""

from dataclasses import replace
from datetime import date
from typing import Any

from activities.events.delivery import WorkflowStart
from activities.supervision.supervision import Resumable
from models import workflow_ids
from models.bank.bank_refunds import BankRefundsRequest
from models.cards.card import CardRequest
from models.collections.collection import CollectionRequest
from models.disputes.dispute import DisputeRequest
from models.gateway.events import SweepRequest
from models.merchants.connection import MerchantConnectionInput
from models.messages.message import MailingRequest
from models.payments.payment_request import PaymentRequestInput
from models.reductions.reduction import ReductionRequest
from models.refunds.refund import RefundRequest
from models.runs.process_run import RunKind, RunRequest
from models.runs.refund_run import RefundRunRequest
from models.supervision.supervision import ObjectKind, OpenObject
from workflows import visibility
from workflows.cards.card_lifecycle import CardLifecycle
from workflows.collections.collection import Collection
from workflows.disputes.dispute import Dispute
from workflows.events.event_sweep import EventSweep
from workflows.merchants.merchant_connection import MerchantConnection
from workflows.messages.mailing import Mailing
from workflows.payments.payment_request import PaymentRequest
from workflows.reductions.back_end_reduction import BackEndReduction
from workflows.refunds.bank_refunds import BankRefunds
from workflows.refunds.refund import Refund
from workflows.runs.billing_run import BillingRun
from workflows.runs.payment_run import PaymentRun
from workflows.runs.refund_run import RefundRun

STANDARD_PROVIDER = "stripe"


def resumable_of(one: OpenObject) -> Resumable:
    """Return the workflow of an open object, and how it is started from the object's row."""
    provider, account = one.provider or STANDARD_PROVIDER, one.account_id
    match one.kind, one.key:
        case ((ObjectKind.COLLECTION | ObjectKind.HAND_OVER), (account_id, period)):
            return _collection(account_id, period, provider)
        case ObjectKind.WAITING_MEMBER, (account_id, _, period):
            return _collection(account_id, period, provider)
        case ObjectKind.PAYMENT_REQUEST, (id,):
            label = visibility.payment_request_label(id, account=account, provider=provider)
            request = PaymentRequestInput(id, provider)
            return _resumed(workflow_ids.payment_request_id(id), PaymentRequest.run, request, label)
        case ObjectKind.MERCHANT_CONNECTION, (id,):
            label = visibility.merchant_label(id, provider=provider)
            connection = MerchantConnectionInput(id, provider)
            return _resumed(workflow_ids.merchant_connection_id(id), MerchantConnection.run, connection, label)
        case ObjectKind.REFUND, (id,):
            label = visibility.refund_label(id, account=account, provider=provider)
            return _resumed(workflow_ids.refund_id(id), Refund.run, RefundRequest(id, provider), label)
        case ObjectKind.REDUCTION, (id,):
            label = visibility.reduction_label(id, account=account)
            return _resumed(workflow_ids.reduction_id(id), BackEndReduction.run, ReductionRequest(id, provider), label)
        case ObjectKind.DISPUTE, (id,):
            label = visibility.dispute_label(id, provider=provider)
            return _resumed(workflow_ids.dispute_id(id), Dispute.run, DisputeRequest(id, provider), label)
        case ObjectKind.CARD, (id,):
            label = visibility.card_label(id, account=account, provider=provider)
            return _resumed(workflow_ids.card_id(id), CardLifecycle.run, CardRequest(id, provider), label)
        case _:
            return _of_a_whole(one, provider)


def _of_a_whole(one: OpenObject, provider: str) -> Resumable:
    """Return the workflow of what stands for many objects: runs and their parts, and all that waits somewhere."""
    match one.kind, one.key:
        case ObjectKind.RUN, (id, kind, definition, period, supplement):
            request = RunRequest(definition, period, not_due_yet=True, supplement=int(supplement))
            return _run(id, RunKind(kind), request, provider)
        case ObjectKind.SHARD, (id, shard, kind, definition, period, supplement):
            request = RunRequest(definition, period, not_due_yet=True, supplement=int(supplement))
            run = _run(id, RunKind(kind), request, provider)
            return replace(run, workflow_id=workflow_ids.shard_id(id, int(shard)), part_of=id)
        case ObjectKind.EVENT, (id,):
            label = visibility.sweep_label(id)
            return _resumed(workflow_ids.sweep_id(id), EventSweep.run, SweepRequest(id), label)
        case ObjectKind.REFUND_RUN, (id, day):
            label = visibility.refund_run_label(provider, day)
            refunds = RefundRunRequest(provider, date.fromisoformat(day), not_due_yet=True)
            return _resumed(workflow_ids.refund_run_id(provider, day), RefundRun.run, refunds, label)
        case ObjectKind.BANK_REFUNDS, (period,):
            label = visibility.bank_refunds_label(period)
            return _resumed(workflow_ids.bank_refunds_id(period), BankRefunds.run, BankRefundsRequest(period), label)
        case ObjectKind.MESSAGE, (hour,):
            label = visibility.mailing_label()
            return _resumed(workflow_ids.mailing_id(f"supervisor/{hour}"), Mailing.run, MailingRequest(), label)
        case _:
            raise ValueError(f"{one.kind}: {one.key} is no key of it")


def _collection(account_id: str, period: str, provider: str) -> Resumable:
    request = CollectionRequest(account_id, period, provider)
    label = visibility.collection_label(request, f"{account_id}, {period}")
    return _resumed(workflow_ids.collection_id(account_id, period), Collection.run, request, label)


def _run(id: str, kind: RunKind, request: RunRequest, provider: str) -> Resumable:
    run: Any = BillingRun.run if kind is RunKind.BILLING else PaymentRun.run
    known = provider if kind is RunKind.PAYMENT else ""
    return _resumed(id, run, request, visibility.run_label(kind, request, id, provider=known))


def _resumed(workflow_id: str, run: Any, request: object, label: visibility.Label) -> Resumable:
    return Resumable(workflow_id, WorkflowStart(run, request, **label))
