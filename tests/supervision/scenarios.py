"""Every workflow with what it takes to press on it: a new one has to be added here."""

from collections.abc import Mapping

from tests.merchants.connection_scenario import MerchantConnectionScenario
from tests.payments.request_scenario import PaymentRequestScenario
from tests.refunds.bank_refund_scenario import BankRefundsScenario
from tests.supervision.errands import (
    AuditScenario,
    EventSweepScenario,
    MailingScenario,
    MovementsScenario,
    ObjectCheckScenario,
    ReconciliationScenario,
    RemindersScenario,
    ReportDeliveryScenario,
    ScheduledRunScenario,
    SupervisorScenario,
)
from tests.supervision.receivables import CardScenario, CollectionScenario, DisputeScenario
from tests.supervision.returns import ReductionScenario, RefundScenario
from tests.supervision.runs import BillingRunScenario, PaymentRunScenario, RefundRunScenario, ShardScenario
from tests.supervision.scenario import Scenario

SCENARIOS: Mapping[str, type[Scenario]] = {
    "BackEndReduction": ReductionScenario,
    "BankRefunds": BankRefundsScenario,
    "BillingRun": BillingRunScenario,
    "CardLifecycle": CardScenario,
    "Collection": CollectionScenario,
    "Dispute": DisputeScenario,
    "EventSweep": EventSweepScenario,
    "GatewayMovements": MovementsScenario,
    "LedgerAudit": AuditScenario,
    "Mailing": MailingScenario,
    "MerchantConnection": MerchantConnectionScenario,
    "ObjectCheck": ObjectCheckScenario,
    "PaymentRequest": PaymentRequestScenario,
    "PaymentRun": PaymentRunScenario,
    "PaymentRunShard": ShardScenario,
    "Reconciliation": ReconciliationScenario,
    "Refund": RefundScenario,
    "RefundRun": RefundRunScenario,
    "Reminders": RemindersScenario,
    "ReportDelivery": ReportDeliveryScenario,
    "ScheduledRun": ScheduledRunScenario,
    "Supervisor": SupervisorScenario,
}
