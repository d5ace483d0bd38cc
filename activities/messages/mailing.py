"""Starting the workflow that sends the messages of a run."""

from collections.abc import Callable
from typing import Any

import structlog
from temporalio import activity
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from models.messages.message import MailingRequest, MailingStart

log = structlog.get_logger(__name__)


class MailingActivities:
    """Starts mailings on the server that this worker is connected to."""

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.start_mailing]

    @activity.defn
    async def start_mailing(self, start: MailingStart) -> None:
        """Start a run's mailing, once. It is nobody's child: the run is over, and its mail may take days."""
        try:
            await activity.client().start_workflow(
                "Mailing",
                MailingRequest(start.run_id),
                id=start.workflow_id,
                task_queue=start.task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                static_summary=f"receipts and alerts of {start.run_id}",
            )
        except WorkflowAlreadyStartedError:
            log.info("mailing_already_started", run_id=start.run_id)
