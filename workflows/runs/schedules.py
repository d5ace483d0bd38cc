"""What runs by itself, as Temporal schedules: runs at a local time (X17, X21), sweeps of events all day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
)
from temporalio.client import ScheduleOverlapPolicy as Overlap
from temporalio.converter import DataConverter

from models.bank.bank_refunds import BankRefundsRequest
from models.gateway.events import SweepRequest
from models.messages.message import MailingRequest
from models.reconciliation.reconciliation import ReconciliationRequest
from models.runs.process_run import RunKind, ScheduledRunRequest
from models.runs.refund_run import RefundRunRequest
from models.runs.schedule import IntervalSchedule, RunCalendar
from models.workflow_ids import (
    AUDIT,
    REMINDERS,
    WORKFLOW_QUEUE,
    bank_refunds_id,
    mailing_id,
    reconciliation_id,
    refund_run_id,
    scheduled_run_id,
    sweep_id,
)
from workflows.events.event_sweep import EventSweep
from workflows.ledger.ledger_audit import LedgerAudit
from workflows.messages.mailing import Mailing
from workflows.messages.reminders import Reminders
from workflows.reconciliation.reconciliation import Reconciliation
from workflows.refunds.bank_refunds import BankRefunds
from workflows.runs.calendar_spec import spec_of
from workflows.runs.refund_run import RefundRun
from workflows.runs.scheduled_run import ScheduledRun

# What a server that was away this long missed is run when it is back; for more, a person decides and backfills.
CATCH_UP = timedelta(days=3)

# Webhooks bring events at once; a lost one is found this soon.
SWEEP_EVERY = timedelta(minutes=15)

# Refunds go out once a day, at night in UTC, when no run of payments begins.
REFUND_HOUR = 3

# Refunds by bank transfer are drafted after the day's through the gateway, so that nobody is in both.
BANK_REFUND_HOUR = 6

# A day is reconciled on the next one, in UTC, when what came late has come; the ledger is audited before that.
RECONCILIATION_HOUR, AUDIT_HOUR = 5, 4

# Reminders go out in the morning, in UTC; which day it is, each account's own clock says.
REMINDER_HOUR = 7


@dataclass(frozen=True)
class ScheduledDefinition:
    """A run definition with a calendar."""

    id: str
    kind: RunKind
    calendar: RunCalendar


def schedule_of(definition: ScheduledDefinition) -> Schedule:
    """Return the schedule that a definition asks for."""
    calendar = definition.calendar
    every = next(
        (getattr(calendar, n) for n in ("every_weeks", "every_days", "every_minutes") if hasattr(calendar, n)), 1
    )
    request = ScheduledRunRequest(
        definition.id,
        definition.kind,
        calendar.time_zone,
        unit=calendar.unit,
        every=every,
        counted_from=calendar.starts_on if every > 1 and not isinstance(calendar, IntervalSchedule) else None,
    )
    return Schedule(
        action=ScheduleActionStartWorkflow(
            ScheduledRun.run,
            request,
            id=scheduled_run_id(definition.id),
            task_queue=WORKFLOW_QUEUE,
            static_summary=f"Starts the {definition.kind} run of {definition.id} for the {calendar.unit} that is due",
        ),
        spec=spec_of(calendar),
        policy=SchedulePolicy(overlap=Overlap.SKIP, catchup_window=CATCH_UP, pause_on_failure=True),
    )


def sweep_schedule_of(provider: str) -> Schedule:
    """Return the schedule of a provider's sweep of events. What was missed is made good by the next one alone."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            EventSweep.run,
            SweepRequest(provider),
            id=sweep_id(provider),
            task_queue=WORKFLOW_QUEUE,
            static_summary=f"Looks for events of {provider} that never came",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=SWEEP_EVERY)]),
        policy=SchedulePolicy(overlap=Overlap.SKIP, catchup_window=SWEEP_EVERY),
    )


def refund_schedule_of(provider: str) -> Schedule:
    """Return the schedule of a provider's daily refunds. A day that was missed is made good by the next one."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            RefundRun.run,
            RefundRunRequest(provider),
            id=refund_run_id(provider, "scheduled"),
            task_queue=WORKFLOW_QUEUE,
            static_summary=f"Sends what is due back through {provider}: rewards, and accounts in credit",
        ),
        spec=_daily(REFUND_HOUR),
        policy=SchedulePolicy(overlap=Overlap.SKIP, catchup_window=CATCH_UP),
    )


def bank_refund_schedule_of(day: int) -> Schedule:
    """Return the schedule that drafts refunds by bank transfer on a day of each month, 1 to 28, at 6:00 UTC."""
    at = ScheduleCalendarSpec(
        hour=(ScheduleRange(BANK_REFUND_HOUR),), minute=(ScheduleRange(0),), day_of_month=(ScheduleRange(day),)
    )
    return Schedule(
        action=ScheduleActionStartWorkflow(
            BankRefunds.run,
            BankRefundsRequest(),
            id=bank_refunds_id("scheduled"),
            task_queue=WORKFLOW_QUEUE,
            static_summary="Drafts what is due back by bank transfer, and asks a person for the file's release",
        ),
        spec=ScheduleSpec(calendars=[at]),
        policy=SchedulePolicy(overlap=Overlap.SKIP, catchup_window=CATCH_UP),
    )


def reconciliation_schedule_of(provider: str) -> Schedule:
    """Return the schedule of a provider's reconciliation: each day is reconciled on the next."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            Reconciliation.run,
            ReconciliationRequest(provider),
            id=reconciliation_id(provider, "scheduled"),
            task_queue=WORKFLOW_QUEUE,
            static_summary=f"Compares yesterday at {provider} with the ledger",
        ),
        spec=_daily(RECONCILIATION_HOUR),
        policy=SchedulePolicy(overlap=Overlap.SKIP, catchup_window=CATCH_UP),
    )


def audit_schedule() -> Schedule:
    """Return the schedule of the ledger's nightly audit."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            LedgerAudit.run,
            id=AUDIT,
            task_queue=WORKFLOW_QUEUE,
            static_summary="Seals what was posted, and checks every rule of the ledger",
        ),
        spec=_daily(AUDIT_HOUR),
        policy=SchedulePolicy(overlap=Overlap.SKIP, catchup_window=CATCH_UP),
    )


def _daily(hour: int) -> ScheduleSpec:
    return ScheduleSpec(calendars=[ScheduleCalendarSpec(hour=(ScheduleRange(hour),), minute=(ScheduleRange(0),))])


def reminder_schedule() -> Schedule:
    """Return the schedule of the daily reminders. A day that was missed is made good by the next one."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            Reminders.run,
            id=REMINDERS,
            task_queue=WORKFLOW_QUEUE,
            static_summary="Reminds customers of invoices that fall due or are overdue",
        ),
        spec=_daily(REMINDER_HOUR),
        policy=SchedulePolicy(overlap=Overlap.SKIP, catchup_window=CATCH_UP),
    )


def mailing_schedule() -> Schedule:
    """Return the schedule that mails what was written when something was posted, whoever posted it."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            Mailing.run,
            MailingRequest(),
            id=mailing_id("scheduled"),
            task_queue=WORKFLOW_QUEUE,
            static_summary="Sends what the outbox holds about invoices and payments that were posted",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=SWEEP_EVERY)]),
        policy=SchedulePolicy(overlap=Overlap.SKIP, catchup_window=SWEEP_EVERY),
    )


async def is_same(found: Schedule, wanted: Schedule, converter: DataConverter) -> bool:
    """Tell whether a schedule does already what is wanted. Whether it is paused is the operator's business."""
    return (
        _when(found.spec) == _when(wanted.spec)
        and found.policy == wanted.policy
        and await _what(found.action, wanted.action, converter) == await _what(wanted.action, wanted.action, converter)
    )


def _when(spec: ScheduleSpec) -> tuple[Any, ...]:
    others = (spec.cron_expressions, spec.skip, spec.jitter)
    intervals = [(interval.every, interval.offset or timedelta(0)) for interval in spec.intervals]
    calendars = [_fields(calendar) for calendar in spec.calendars]
    bounds = (spec.start_at, spec.end_at)
    return calendars, intervals, bounds, spec.time_zone_name or "", *(not value for value in others)


def _fields(calendar: ScheduleCalendarSpec) -> tuple[tuple[ScheduleRange, ...], ...]:
    ranges: Sequence[Sequence[ScheduleRange]] = (
        calendar.second,
        calendar.minute,
        calendar.hour,
        calendar.day_of_month,
        calendar.month,
        calendar.year,
        calendar.day_of_week,
    )
    return tuple(tuple(part) for part in ranges)


async def _what(action: object, wanted: object, converter: DataConverter) -> tuple[Any, ...]:
    if not isinstance(action, ScheduleActionStartWorkflow) or not isinstance(wanted, ScheduleActionStartWorkflow):
        return (action,)
    # What a server describes is encoded still: it is read as what the wanted action is given.
    kinds = [type(value) for value in wanted.args]
    args = [
        (await converter.decode([value], [kind]))[0] if isinstance(value, Payload) else value
        for value, kind in zip(action.args, kinds, strict=False)
    ]
    summary = action.static_summary
    if isinstance(summary, Payload):
        (summary,) = await converter.decode([summary], [str])
    return action.workflow, action.id, action.task_queue, len(action.args), tuple(args), summary
