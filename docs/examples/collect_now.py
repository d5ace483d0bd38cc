"""A service collects one receivable now and gets the first outcome in the same call."""

from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from models.collection import CollectionRequest
from models.gateway_request import CollectResult
from workflows.collection import Collection
from workflows.visibility import WORKFLOW_QUEUE, collection_id


async def collect_now(client: Client, account_id: str, period: str) -> CollectResult:
    """Charge what the account owes for the period; a decline is collected further by the policy."""
    start = WithStartWorkflowOperation(
        Collection.run,
        CollectionRequest(account_id, period),
        id=collection_id(account_id, period),
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        task_queue=WORKFLOW_QUEUE,
    )
    return await client.execute_update_with_start_workflow(Collection.first_outcome, start_workflow_operation=start)
