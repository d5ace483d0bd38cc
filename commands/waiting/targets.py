"""What is behind an id that was typed, where the workflow that it should name takes no command."""

from collections.abc import Mapping

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from models.problem import RefusedError, refusal

# What each kind of workflow is to whoever types commands, and what shows, or steers, such a thing.
KINDS: Mapping[str, tuple[str, str]] = {
    "BackEndReduction": ("a reduction", "duly reductions --help"),
    "BankRefunds": ("a month's refunds by bank transfer", "duly refunds --help"),
    "BillingRun": ("a billing run", "duly billing --help"),
    "CardLifecycle": ("a card", "duly cards --help"),
    "Collection": ("a collection", "duly collections --help"),
    "Dispute": ("a dispute", "duly disputes --help"),
    "MerchantConnection": ("a merchant's connection", "duly merchants --help"),
    "PaymentRequest": ("a payment request", "duly payment-requests --help"),
    "PaymentRun": ("a payment run", "duly runs --help"),
    "PaymentRunShard": ("one shard of a payment run, which is steered as a whole", "duly runs --help"),
    "Reconciliation": ("a reconciliation", "duly reconcile --help"),
    "Refund": ("a refund", "duly refunds --help"),
    "RefundRun": ("a refund run", "duly refunds pause --help"),
    "ReportDelivery": ("a report", "duly reports --help"),
}

_ENDED: Mapping[WorkflowExecutionStatus, str] = {
    WorkflowExecutionStatus.COMPLETED: "over",
    WorkflowExecutionStatus.FAILED: "over: it was refused what it was started for",
    WorkflowExecutionStatus.CANCELED: "over: it was cancelled",
    WorkflowExecutionStatus.TERMINATED: "terminated; the supervisor goes on from its row where something is open",
    WorkflowExecutionStatus.TIMED_OUT: "over: its time was over",
}

# The SDK's words for a workflow that runs, and knows no such update.
NO_SUCH_UPDATE = "expected but not found"


async def refused_target(client: Client, workflow_id: str, noun: str) -> RefusedError:
    """Return the refusal of a command to what is missing, over, or of another kind. Raises RPCError."""
    shows = f"{noun.replace('_', '-')}s"
    try:
        described = await client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        first, _, rest = workflow_id.partition("/")
        is_doubled = rest.startswith(f"{first}/")
        helps = f"give its id without `{first}/`" if is_doubled else f"is it spelled so? See {shows} list"
        message = f"{workflow_id} is not under way, and Temporal knows of none that was: {helps}"
        return refusal(noun, f"{noun}_under_way", message)
    what, helps = KINDS.get(described.workflow_type, (f"a workflow of type {described.workflow_type}", ""))
    if described.status is not None and described.status in _ENDED:
        at = f" since {described.close_time:%Y-%m-%d %H:%M}Z" if described.close_time else ""
        ended = f"{workflow_id} is not under way: {what}, {_ENDED[described.status]}{at}; see {shows} show"
        return refusal(noun, f"{noun}_under_way", ended)
    helps = f": see {helps}" if helps else ""
    return refusal(noun, f"{noun}_takes_command", f"{workflow_id} is {what}, which takes no such command{helps}")
