"""A workflow that goes on in other executions before it asks how old it is."""

from datetime import timedelta

from temporalio import activity, workflow

from activities.recovery.generation import began_at


@activity.defn
async def beginning_of_line() -> str:
    """When the line of workflows began that asks."""
    return began_at().isoformat()


@workflow.defn
class LineOfExecutions:
    """Goes on in another execution, and in a child of that, before it asks."""

    @workflow.run
    async def run(self, left: int) -> str:
        if left == 2:
            workflow.continue_as_new(1)
        if left == 1:
            return await workflow.execute_child_workflow(LineOfExecutions.run, 0, id="line/child")
        beginning = await workflow.execute_activity(beginning_of_line, start_to_close_timeout=timedelta(seconds=10))
        near = await workflow.execute_local_activity(beginning_of_line, start_to_close_timeout=timedelta(seconds=10))
        return beginning if beginning == near else f"{beginning}, and {near}"
