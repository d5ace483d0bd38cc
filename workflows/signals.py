"""Signals to other workflows, should they be running."""

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception


async def signal_if_running(workflow_id: str, signal: str, *arguments: object) -> bool:
    """Signal a workflow; False when it does not run, so that nothing was delivered."""
    try:
        await workflow.get_external_workflow_handle(workflow_id).signal(signal, args=list(arguments))
    except FailureError as error:
        if is_cancelled_exception(error):
            raise
        workflow.logger.info("workflow_not_running", extra={"workflow_id": workflow_id, "signal": signal})
        return False
    return True
