"""The examples of runs and of what runs by itself; `EXAMPLES` has those of every workflow."""

from dataclasses import replace
from datetime import timedelta

from models.bank.bank_refunds import BankRefundsRecord, BankRefundsRequest, BankRefundsState
from models.gateway.events import Delivered, SweepRequest, SweepResult, Swept
from models.gateway.movements import MovementsBooked, MovementsRequest
from models.ledger.audit import AuditResult, RollUp, Violation
from models.messages.message import MailingRequest
from models.reconciliation.reconciliation import (
    BalanceComparison,
    CheckedObject,
    DiscrepancyTotal,
    MovementTotal,
    ObjectCheckRequest,
    ReconciliationCertificate,
    ReconciliationRequest,
    TransitTotal,
)
from models.reports.delivery import ReportDelivered, ReportDeliveryRequest
from models.runs.process_run import (
    Certificate,
    ItemOutcome,
    OutcomeTotal,
    RunKind,
    RunRequest,
    ScheduledRunRequest,
    ShardProgress,
    ShardRequest,
)
from models.runs.refund_run import RefundCertificate, RefundRunRequest, RefundRunStatus, RefundRunTotals, RefundTotal
from models.runs.run_control import RateCommand, RunStage, RunStatus, Steering
from models.supervision.supervision import (
    NextStep,
    ObjectKind,
    StoppedWorkflow,
    Supervised,
    SupervisionReport,
    SupervisionRequest,
)
from tests.contract.examples import COMMAND, DAY, MONEY, NOON, WHO, WHY, Call, Example
from tests.contract.merchant_examples import MERCHANTS
from tests.contract.request_examples import REQUESTS

RUN = "run/monthly/2026-11"
SEAL = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

BILLED = Certificate(
    run_id="billing/plans/2026-11",
    definition_id="plans",
    period="2026-11",
    members=2,
    totals=(OutcomeTotal(ItemOutcome.BILLED, "", "EUR", 2, 5000),),
    sha256=SEAL,
)
CHARGED = Certificate(
    run_id=RUN,
    definition_id="monthly",
    period="2026-11",
    members=2,
    totals=(
        OutcomeTotal(ItemOutcome.CHARGED, "", "EUR", 1, 2500),
        OutcomeTotal(ItemOutcome.IN_DUNNING, "insufficient_funds", "EUR", 1, 2500),
    ),
    sha256=SEAL,
)
STATUS = RunStatus(
    stage=RunStage.COLLECTING,
    members=2,
    skipped=0,
    totals={"charged": 1},
    due={"EUR": 5000},
    charged={"EUR": 2500},
    payments_per_minute=120,
    calls_per_second=None,
    waits_for="payments in flight",
)
REFUNDING = RefundRunStatus(RunStage.COLLECTING, members=1, sent=1, answered=1)
PROGRESS = ShardProgress(0, {"charged": 1}, {"EUR": 2500})
MINUTE = f"{NOON:%Y-%m-%dT%H:%M:%SZ}"

RUNS = {
    "BankRefunds": Example(
        BankRefundsRequest("2026-11"),
        "bank-refunds/2026-11",
        BankRefundsRecord("2026-11", BankRefundsState.RELEASED, 12, WHO, WHY),
        updates={
            "reject": Call(BankRefundsRecord("2026-11", BankRefundsState.REJECTED, 12, WHO, WHY), COMMAND),
            "release": Call(BankRefundsRecord("2026-11", BankRefundsState.RELEASED, 12, WHO, WHY), COMMAND),
        },
        signals={"month_changed": ()},
        queries={"status": Call(BankRefundsRecord("2026-11", BankRefundsState.WAITING, 12))},
    ),
    "BillingRun": Example(
        RunRequest("plans", "2026-11"),
        BILLED.run_id,
        BILLED,
        queries={"totals": Call({"billed": 2, "parked": 0})},
    ),
    "EventSweep": Example(
        SweepRequest("stripe"),
        f"events/stripe-{MINUTE}",
        SweepResult(Swept(listed=40, found=1, since=NOON - timedelta(minutes=15)), Delivered(taken=1)),
    ),
    "GatewayMovements": Example(
        MovementsRequest("stripe"),
        "movements/stripe",
        MovementsBooked(listed=40, booked=12, open=3),
        signals={"gateway_event": ()},
    ),
    "LedgerAudit": Example(
        None,
        f"ledger-audit-{MINUTE}",
        AuditResult(RollUp(1, 4711, SEAL), (Violation("I2 balance is the sum of postings", "cust-1001"),)),
    ),
    "Mailing": Example(MailingRequest(RUN), f"mailing/{RUN}", None),
    "ObjectCheck": Example(
        ObjectCheckRequest("re_1QX8", "stripe"),
        "check/stripe/re_1QX8",
        CheckedObject("mended", "unbooked_refund", "refund/re_1QX8"),
        signals={"gateway_event": ()},
    ),
    "PaymentRun": Example(
        RunRequest("monthly", "2026-11"),
        RUN,
        CHARGED,
        signals={"shard_progressed": (PROGRESS,)},
        updates={
            "abort": Call(STATUS, COMMAND),
            "change_rate": Call(STATUS, RateCommand(WHO, WHY, calls_per_second=20)),
            "pause": Call(STATUS, COMMAND),
            "resume": Call(STATUS, COMMAND),
        },
        queries={"status": Call(STATUS), "totals": Call(STATUS.totals)},
    ),
    "PaymentRunShard": Example(
        ShardRequest(RUN, "2026-11", "stripe", shard=0, window=50, page=250),
        f"{RUN}/shard-000",
        PROGRESS,
        signals={"steer": (Steering(revision=1, is_paused=True),)},
    ),
    "Reconciliation": Example(
        ReconciliationRequest("stripe", DAY),
        f"reconciliation/stripe/{DAY}",
        ReconciliationCertificate(
            f"reconciliation/stripe/{DAY}",
            "stripe",
            DAY,
            round=1,
            read_from=NOON - timedelta(days=3, hours=12),
            read_until=NOON + timedelta(hours=12),
            listed=2,
            balances=(BalanceComparison("EUR", 4794, 4794, 0),),
            in_transit=(TransitTotal("EUR", 1, 120_000),),
            totals=(MovementTotal("EUR", "charge", "matched", 2, 5000, 206, 4794),),
            discrepancies=(DiscrepancyTotal("double_charge", "open", 1),),
            sha256=SEAL,
        ),
    ),
    "RefundRun": Example(
        RefundRunRequest("stripe", DAY),
        f"refunds/stripe/{DAY}",
        RefundCertificate(
            f"refunds/stripe/{DAY}", DAY, 1, (RefundTotal("reward", "refunded", "EUR", 1, 500, 500),), SEAL
        ),
        signals={"member_answered": ("refund/rf_2026_17",)},
        updates={
            "pause": Call(replace(REFUNDING, stage=RunStage.PAUSED), COMMAND),
            "resume": Call(REFUNDING, COMMAND),
        },
        queries={"status": Call(REFUNDING), "totals": Call(RefundRunTotals(members=1, sent=1, answered=1))},
    ),
    "Reminders": Example(None, f"reminders-{MINUTE}", 3),
    "ReportDelivery": Example(
        ReportDeliveryRequest("vat-of-the-month", "2026-11"),
        "report/vat-of-the-month/2026-11",
        ReportDelivered(
            *("vat-of-the-month", "2026-11", "VAT by rate and period", "vat-of-the-month-2026-11.xlsx"),
            rows=3,
            ties=True,
            problem="",
            recipients=2,
        ),
    ),
    "ScheduledRun": Example(
        ScheduledRunRequest("monthly", RunKind.PAYMENT, "Asia/Nicosia"), f"scheduled/monthly-{MINUTE}", RUN
    ),
    "Supervisor": Example(
        SupervisionRequest(),
        f"supervisor-{MINUTE}",
        SupervisionReport(
            (
                Supervised(
                    ObjectKind.COLLECTION,
                    open=3,
                    running=2,
                    in_review=1,
                    stopped=(
                        StoppedWorkflow(
                            "collection/acc_42/2026-11", NextStep.ASK, "terminated", "maria@example.com", WHY
                        ),
                    ),
                ),
            )
        ),
    ),
}

EXAMPLES = MONEY | MERCHANTS | REQUESTS | RUNS
