"""Every workflow that a worker runs, in order."""

from workflows.cards.card_lifecycle import CardLifecycle
from workflows.collections.collection import Collection
from workflows.disputes.dispute import Dispute
from workflows.events.event_sweep import EventSweep
from workflows.gateway.movements import GatewayMovements
from workflows.ledger.ledger_audit import LedgerAudit
from workflows.merchants.merchant_connection import MerchantConnection
from workflows.messages.mailing import Mailing
from workflows.messages.reminders import Reminders
from workflows.payments.payment_request import PaymentRequest
from workflows.reconciliation.object_check import ObjectCheck
from workflows.reconciliation.reconciliation import Reconciliation
from workflows.reductions.back_end_reduction import BackEndReduction
from workflows.refunds.bank_refunds import BankRefunds
from workflows.refunds.refund import Refund
from workflows.reports.report_delivery import ReportDelivery
from workflows.runs.billing_run import BillingRun
from workflows.runs.payment_run import PaymentRun
from workflows.runs.payment_run_shard import PaymentRunShard
from workflows.runs.refund_run import RefundRun
from workflows.runs.scheduled_run import ScheduledRun
from workflows.supervision.supervisor import Supervisor

WORKFLOWS = (
    BackEndReduction,
    BankRefunds,
    BillingRun,
    CardLifecycle,
    Collection,
    Dispute,
    EventSweep,
    GatewayMovements,
    LedgerAudit,
    Mailing,
    MerchantConnection,
    ObjectCheck,
    PaymentRequest,
    PaymentRun,
    PaymentRunShard,
    Reconciliation,
    Refund,
    RefundRun,
    Reminders,
    ReportDelivery,
    ScheduledRun,
    Supervisor,
)
