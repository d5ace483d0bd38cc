"""A service collects one receivable now and gets the first outcome in the same call."""

from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from models.collections.collection import CollectionRequest
from models.gateway.gateway_request import CollectResult
from models.workflow_ids import WORKFLOW_QUEUE, collection_id
from workflows.collections.collection import Collection
from workflows.visibility import collection_label


async def collect_now(client: Client, account_id: str, period: str) -> CollectResult:
    """Charge what the account owes for the period; a decline is collected further by the policy.

    Whoever got no answer asks again: nothing is charged twice. What was collected and has ended is refused (one_owner).
    """
    request = CollectionRequest(account_id, period)
    start = WithStartWorkflowOperation(
        Collection.run,
        request,
        id=collection_id(account_id, period),
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        task_queue=WORKFLOW_QUEUE,
        **collection_label(request),
    )
    return await client.execute_update_with_start_workflow(Collection.first_outcome, start_workflow_operation=start)
