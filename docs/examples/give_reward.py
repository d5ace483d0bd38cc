"""How a service gives a customer a reward's discount back, and learns at once whether it is accepted."""

from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from models.reductions.reduction import Award, Reduction, ReductionRequest
from models.workflow_ids import WORKFLOW_QUEUE, reduction_id
from workflows.reductions.back_end_reduction import BackEndReduction
from workflows.visibility import reduction_label


async def give_reward(client: Client, award: Award) -> Reduction:
    """Start the award's reduction; the same award again is the same one. Fails with the rule when it may not be."""
    start = WithStartWorkflowOperation[BackEndReduction, Reduction](
        BackEndReduction.run,
        ReductionRequest(award.award_id, award=award),
        id=reduction_id(award.award_id),
        task_queue=WORKFLOW_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        **reduction_label(award.award_id, merchant=award.merchant_id, account=award.account_id),
    )
    accepted: Reduction = await client.execute_update_with_start_workflow(
        "accepted", start_workflow_operation=start, result_type=Reduction
    )
    return accepted
