"""What client, worker and replayer must agree on: how messages are written, and what the sandbox lets through."""

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxRestrictions

from workflows.inputs.checks import InputChecks
from workflows.inputs.runner import CheckingRunner

# Rules, messages and activity signatures are pure at import, so they are shared instead of being loaded again for every
# workflow (which costs seconds and megabytes each), and so are the texts that operators read. Workflow modules
# themselves stay inside the sandbox.
SHARED_MODULES = (
    "models",
    "activities",
    "workflows.inputs",
    "workflows.cancelling",
    "workflows.faults",
    "workflows.markdown",
    "workflows.operator_actions",
    "workflows.cards.details",
    "workflows.collections.actions",
    "workflows.collections.details",
    "workflows.runs.payment_run_actions",
    "workflows.runs.payment_run_details",
)


def sandboxed_runner() -> WorkflowRunner:
    """The one runner of production, tests and replays."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*SHARED_MODULES)
    return CheckingRunner(restrictions=restrictions)


def _use_ours(_given: WorkflowRunner | None) -> WorkflowRunner:
    return sandboxed_runner()


DULY_PLUGIN = SimplePlugin(
    "duly", data_converter=pydantic_data_converter, workflow_runner=_use_ours, interceptors=[InputChecks()]
)
