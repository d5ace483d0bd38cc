"""Signals to reductions about the payments and refunds they hang on, and to refund runs about their members."""

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.reductions.reductions import ReductionActivities
from models import workflow_ids
from models.reductions.reduction import ReductionRequest
from workflows import visibility
from workflows.options import DATABASE
from workflows.signals import signal_if_running


async def signal_reductions_of(payment_id: str, provider: str) -> None:
    """Wake every reduction that hangs on a payment through a provider; one that has ended is taken up again."""
    awards = await workflow.execute_activity_method(
        ReductionActivities.reductions_of_payment,
        payment_id,
        summary=f"which rewards hang on {payment_id}?",
        **DATABASE,
    )
    for award in awards:
        await signal_or_restart_reduction(award, provider, "payment_changed")


async def signal_or_restart_reduction(award_id: str, provider: str, signal: str, *arguments: object) -> None:
    """Signal a reduction; one that has ended is started again, and reads for itself what is new."""
    if not await signal_if_running(workflow_ids.reduction_id(award_id), signal, *arguments):
        await _take_up_again(award_id, provider)


async def _take_up_again(award_id: str, provider: str) -> None:
    try:
        _ = await workflow.start_child_workflow(
            "BackEndReduction",
            ReductionRequest(award_id, provider),
            id=workflow_ids.reduction_id(award_id),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            **visibility.reduction_label(award_id),
        )
    except WorkflowAlreadyStartedError:
        workflow.logger.info("reduction_is_at_work", extra={"award_id": award_id})


async def signal_refund_run(run_id: str) -> None:
    """Signal the refund run that sent this workflow that there is an outcome; one that is over does not wait for it."""
    await signal_if_running(run_id, "member_answered", workflow.info().workflow_id)
