"""How each workflow is started: by which id, and what only Duly itself may give."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from types import MappingProxyType
from typing import Any

from models import workflow_ids
from models.bank.bank_refunds import BankRefundsRequest
from models.collections.collection import CollectionRequest
from models.messages.message import MailingRequest
from models.problem import Problem
from models.reconciliation.reconciliation import ReconciliationRequest
from models.reductions.reduction import ReductionRequest
from models.reports.delivery import ReportDeliveryRequest
from models.runs.process_run import RunRequest, ScheduledRunRequest, ShardRequest
from models.runs.refund_run import RefundRunRequest
from models.workflow_inputs import problems_of_input, quoted

NATURAL_ID = "workflow_id_is_natural"
DULY_ALONE = "given_by_duly_alone"

# What Temporal adds to the id of what a schedule starts.
_MOMENT = re.compile(r"-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@dataclass(frozen=True)
class NaturalId:
    """The id that follows from an input; with `has_moment` the moment that a schedule adds may come behind it."""

    text: str
    has_moment: bool = False
    is_prefix: bool = False

    def is_of(self, workflow_id: str) -> bool:
        """Say whether a workflow has it."""
        if self.is_prefix:
            return workflow_id.startswith(self.text) and workflow_id != self.text
        if workflow_id == self.text:
            return True
        moment = workflow_id.removeprefix(self.text)
        return self.has_moment and moment != workflow_id and _MOMENT.fullmatch(moment) is not None

    def __str__(self) -> str:
        return f"{self.text}-<moment>" if self.has_moment else f"{self.text}<occasion>" if self.is_prefix else self.text


@dataclass(frozen=True)
class Start:
    """What a start of one workflow must be like; a client gives no fields `of_duly`, and starts nothing that is.

    One that names a provider is refused when nobody has configured it.
    """

    id_of: Callable[[Any], NaturalId]
    of_duly: tuple[str, ...] = ()
    is_of_duly: bool = False
    names_provider: bool = False


def problems_of_start(
    workflow: str, request: Any, *, workflow_id: str, now: datetime, is_from_duly: bool
) -> list[Problem]:
    """Return everything that is wrong with a start; what Duly's own workflows start may go on from somewhere."""
    start = STARTS.get(workflow)
    if start is None:
        return []
    problems = [] if is_from_duly else list(_reserved(start, request))
    problems += problems_of_input(request, now)
    if not problems and not (expected := start.id_of(request)).is_of(workflow_id):
        problem = f"{quoted(workflow_id)} must be {expected}, which follows from the input"
        problems.append(Problem("workflow_id", NATURAL_ID, problem))
    return problems


def names_provider(workflow: str) -> bool:
    """Say whether a start of this workflow names a provider, which must be configured."""
    return workflow in STARTS and STARTS[workflow].names_provider


def _reserved(start: Start, request: Any) -> Iterator[Problem]:
    if start.is_of_duly:
        yield Problem("workflow", DULY_ALONE, "is started by Duly's own workflows alone")
    if request is None:
        return
    defaults = {field.name: field.default for field in fields(request)}
    for name in start.of_duly:
        if getattr(request, name) != defaults[name]:
            yield Problem(name, DULY_ALONE, "is given by Duly's own workflows alone")


def _billing_run(given: RunRequest) -> NaturalId:
    return NaturalId(workflow_ids.billing_run_id(given.definition_id, given.period, given.supplement))


def _bank_refunds(given: BankRefundsRequest) -> NaturalId:
    return NaturalId(workflow_ids.bank_refunds_id(given.period or "scheduled"), has_moment=not given.period)


def _report(given: ReportDeliveryRequest) -> NaturalId:
    name = workflow_ids.report_id(given.schedule_id, given.period or "scheduled")
    return NaturalId(name, has_moment=not given.period)


def _reduction(given: ReductionRequest) -> NaturalId:
    return NaturalId(workflow_ids.reduction_id(given.award_id))


def _collection(given: CollectionRequest) -> NaturalId:
    return NaturalId(workflow_ids.collection_id(given.account_id, given.period))


def _shard(given: ShardRequest) -> NaturalId:
    return NaturalId(workflow_ids.shard_id(given.run_id, given.shard))


def _scheduled_run(given: ScheduledRunRequest) -> NaturalId:
    return NaturalId(workflow_ids.scheduled_run_id(given.definition_id), has_moment=True)


def _payment_run(given: RunRequest) -> NaturalId:
    if given.is_shadow:
        return NaturalId(workflow_ids.shadow_run_id(given.definition_id, given.period))
    return NaturalId(workflow_ids.payment_run_id(given.definition_id, given.period, given.supplement))


def _refund_run(given: RefundRunRequest) -> NaturalId:
    if given.day is None:
        return NaturalId(workflow_ids.refund_run_id(given.provider, "scheduled"), has_moment=True)
    return NaturalId(workflow_ids.refund_run_id(given.provider, f"{given.day}"))


def _reconciliation(given: ReconciliationRequest) -> NaturalId:
    if given.day is None:
        return NaturalId(workflow_ids.reconciliation_id(given.provider, "scheduled"), has_moment=True)
    return NaturalId(workflow_ids.reconciliation_id(given.provider, f"{given.day}"))


def _mailing(given: MailingRequest) -> NaturalId:
    return NaturalId(workflow_ids.mailing_id(given.run_id), is_prefix=not given.run_id)


STARTS: Mapping[str, Start] = MappingProxyType(
    {
        "BackEndReduction": Start(_reduction, of_duly=("run_id", "resumed"), names_provider=True),
        "BankRefunds": Start(_bank_refunds, of_duly=("asked",)),
        "BillingRun": Start(_billing_run, of_duly=("is_shadow", "after", "billed", "parked", "skipped")),
        "CardLifecycle": Start(
            lambda given: NaturalId(workflow_ids.card_id(given.card_id)), of_duly=("resumed",), names_provider=True
        ),
        "Collection": Start(_collection, of_duly=("run_id", "resumed"), names_provider=True),
        "Dispute": Start(
            lambda given: NaturalId(workflow_ids.dispute_id(given.dispute_id)),
            of_duly=("resumed",),
            names_provider=True,
        ),
        "EventSweep": Start(
            lambda given: NaturalId(workflow_ids.sweep_id(given.provider), has_moment=True), names_provider=True
        ),
        "GatewayMovements": Start(
            lambda given: NaturalId(workflow_ids.movements_id(given.provider)), names_provider=True
        ),
        "Mailing": Start(_mailing, of_duly=("after", "has_alerts", "deferred", "passes")),
        "MerchantConnection": Start(
            lambda given: NaturalId(workflow_ids.merchant_connection_id(given.merchant_id)),
            of_duly=("resumed",),
            names_provider=True,
        ),
        "ObjectCheck": Start(
            lambda given: NaturalId(workflow_ids.object_check_id(given.provider, given.object_id)), names_provider=True
        ),
        "PaymentRequest": Start(
            lambda given: NaturalId(workflow_ids.payment_request_id(given.request_id)),
            of_duly=("resumed",),
            names_provider=True,
        ),
        "PaymentRun": Start(_payment_run, of_duly=("after", "billed", "parked", "skipped")),
        "PaymentRunShard": Start(_shard, is_of_duly=True),
        "LedgerAudit": Start(lambda _: NaturalId(workflow_ids.AUDIT, has_moment=True)),
        "Reconciliation": Start(_reconciliation, names_provider=True),
        "Refund": Start(
            lambda given: NaturalId(workflow_ids.refund_id(given.refund_id)),
            of_duly=("run_id", "resumed"),
            names_provider=True,
        ),
        "RefundRun": Start(_refund_run, of_duly=("resumed",), names_provider=True),
        "Reminders": Start(lambda _: NaturalId(workflow_ids.REMINDERS, has_moment=True)),
        "ReportDelivery": Start(_report),
        "ScheduledRun": Start(_scheduled_run),
        "Supervisor": Start(lambda _: NaturalId(workflow_ids.SUPERVISOR, has_moment=True)),
    }
)
