"""What client, worker and replayer must agree on: how messages are written, and what the sandbox lets through."""

from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxRestrictions

from workflows.generation import Generations
from workflows.inputs.checks import InputChecks
from workflows.inputs.newer_fields import DATA_CONVERTER
from workflows.inputs.runner import CheckingRunner

# Loaded once for all workflows instead of again for each of them, which costs milliseconds and megabytes a workflow.
# They are rules, messages, activity signatures and the parts that several executions or workflows have in common: no
# state in a module, no clock, no chance (the house rules hold it). What defines a workflow stays inside the sandbox.
SHARED_MODULES = (
    "activities",
    "models",
    "workflows.cancelling",
    "workflows.cards.details",
    "workflows.cards.handlers",
    "workflows.cards.notices",
    "workflows.cards.state",
    "workflows.collections.actions",
    "workflows.collections.details",
    "workflows.collections.handlers",
    "workflows.collections.notices",
    "workflows.collections.policy",
    "workflows.collections.state",
    "workflows.collections.steps",
    "workflows.collections.waits",
    "workflows.faults",
    "workflows.generation",
    "workflows.inputs",
    "workflows.markdown",
    "workflows.messages.outgoing",
    "workflows.operator_actions",
    "workflows.options",
    "workflows.reconciliation.details",
    "workflows.reductions.handlers",
    "workflows.refunds.handlers",
    "workflows.refunds.reduction_signals",
    "workflows.runs.payment_run_actions",
    "workflows.runs.payment_run_details",
    "workflows.runs.payment_run_state",
    "workflows.signals",
    "workflows.updates",
    "workflows.visibility",
    "workflows.waiting",
)


def sandboxed_runner() -> WorkflowRunner:
    """The one runner of production, tests and replays."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*SHARED_MODULES)
    return CheckingRunner(restrictions=restrictions)


def _use_ours(_given: WorkflowRunner | None) -> WorkflowRunner:
    return sandboxed_runner()


DULY_PLUGIN = SimplePlugin(
    "duly",
    data_converter=DATA_CONVERTER,
    workflow_runner=_use_ours,
    interceptors=[InputChecks(), Generations()],
)
