"""A line in the log for each operator's command: which, by whom, to which workflow. Replays say nothing again."""

from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    HandleUpdateInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from models.operations.business_events import without_address
from models.operations.event_names import EventName
from models.operator_command import OperatorCommand


class CommandLog(Interceptor):
    """Logs the updates that carry who gives them. Why stands in the history: a reason may hold names."""

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002
    ) -> type[WorkflowInboundInterceptor]:
        """Look at what is asked of a workflow."""
        return _Logged


class _Logged(WorkflowInboundInterceptor):
    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:  # noqa: A002
        command = next((one for one in input.args if isinstance(one, OperatorCommand)), None)
        if command is None:
            return await super().handle_update_handler(input)
        details = {
            "command": input.update,
            "actor": without_address(command.actor),
            "workflow_id": workflow.info().workflow_id,
        }
        try:
            answer = await super().handle_update_handler(input)
        except ApplicationError as error:
            workflow.logger.warning(EventName.COMMAND_REFUSED, extra={**details, "rule": error.type})
            raise
        workflow.logger.info(EventName.COMMAND_GIVEN, extra=details)
        return answer
