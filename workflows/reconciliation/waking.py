"""Waking the workflows that wait for what was found at the gateway; a dispute or refund that has none gets one."""

from typing import Any

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError

from models.disputes.dispute import DisputeRequest
from models.reconciliation.reconciliation import ObjectCheckRequest
from models.refunds.refund import RefundRequest
from workflows import visibility
from workflows.disputes.dispute import Dispute
from workflows.refunds.refund import Refund
from workflows.signals import signal_if_running

# Every workflow that waits for the gateway has this signal; it carries nothing.
GATEWAY_EVENT = "gateway_event"
# Before the id of a workflow whose receivable was settled by money that names none: it looks at what is owed.
RECEIVABLE = "receivable:"
RECEIVABLE_CHANGED = "receivable_changed"

# What looks after a receivable may wait for something else than the gateway: reset to a task before its page was
# opened, it knows of no page. Then it listens to this, and looks at what is owed.
OWNERS = frozenset({"collection", "payment-request"})
OWNERS_CHECK = "owners-check-what-is-owed"


async def wake(workflow_id: str, provider: str) -> None:
    """Hint a workflow by its id. Most collections do not run any more, and nothing is lost when nobody waits."""
    if workflow_id.startswith(RECEIVABLE):
        await signal_if_running(workflow_id.removeprefix(RECEIVABLE), RECEIVABLE_CHANGED)
        return
    kind, _, name = workflow_id.partition("/")
    if await signal_if_running(workflow_id, GATEWAY_EVENT):
        if kind in OWNERS and workflow.patched(OWNERS_CHECK):
            await signal_if_running(workflow_id, RECEIVABLE_CHANGED)
        return
    if kind == "dispute":
        label = visibility.dispute_label(name, provider=provider)
        await _start(Dispute.run, DisputeRequest(name, provider), workflow_id, label)
    elif kind == "refund":
        label = visibility.refund_label(name, provider=provider)
        await _start(Refund.run, RefundRequest(name, provider), workflow_id, label)
    elif kind == "check":
        # What was seen on a platform's account is looked for on its merchant's, by whoever reads that one.
        merchants, _, found = name.partition("/")
        label = visibility.object_check_label(found, provider=merchants)
        await _start("ObjectCheck", ObjectCheckRequest(found, merchants), workflow_id, label)


async def _start(run: Any, request: object, workflow_id: str, label: visibility.Label) -> None:
    try:
        _ = await workflow.start_child_workflow(
            run, request, id=workflow_id, parent_close_policy=workflow.ParentClosePolicy.ABANDON, **label
        )
    except WorkflowAlreadyStartedError:
        workflow.logger.info("is_at_work", extra={"workflow_id": workflow_id})
