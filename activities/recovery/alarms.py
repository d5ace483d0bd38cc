"""What a worker starts by itself when somebody has forgotten: it waits for no schedule, which may be forgotten too."""

from typing import Any

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy

from models.messages.message import MailingRequest
from models.supervision.supervision import SupervisionRequest
from models.workflow_ids import SUPERVISOR, WORKFLOW_QUEUE, mailing_id


class Alarms:
    """Starts workflows on the server that this worker is connected to; one that runs already is left alone."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def sending_held(self) -> None:
        """Let operators be written to: their messages go out while customers' wait."""
        await self._start("Mailing", MailingRequest(), mailing_id("recovery"), "says that sending is held")

    async def temporal_forgot(self) -> None:
        """Let everything that is open go on from its row, and operators be written to."""
        await self.go_on()
        await self._start("Mailing", MailingRequest(), mailing_id("recovery"), "says that Temporal has forgotten")

    async def go_on(self) -> None:
        """Let everything that is open and has no workflow go on from its row."""
        await self._start("Supervisor", SupervisionRequest(), SUPERVISOR, "somebody has forgotten what is open")

    async def _start(self, workflow: str, request: Any, id: str, summary: str) -> None:
        await self._client.start_workflow(
            workflow,
            request,
            id=id,
            task_queue=WORKFLOW_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=summary,
        )
