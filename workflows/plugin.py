"""What client, worker and replayer must agree on: how messages are written, and what the sandbox lets through."""

from collections.abc import Mapping
from dataclasses import replace

from temporalio.converter import DataConverter
from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkerConfig, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxRestrictions

from activities.build import build_id
from activities.payload_codec import EncryptionCodec
from workflows.generation import Generations
from workflows.inputs.checks import InputChecks
from workflows.inputs.command_log import CommandLog
from workflows.inputs.failures import EncodedFailures
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
    "workflows.merchants.details",
    "workflows.merchants.handlers",
    "workflows.merchants.state",
    "workflows.messages.outgoing",
    "workflows.operator_actions",
    "workflows.options",
    "workflows.payments.details",
    "workflows.payments.handlers",
    "workflows.payments.state",
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


class DulyPlugin(SimplePlugin):
    """What every worker of ours has in common."""

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """Name the code that the worker runs, unless it was named."""
        configured = super().configure_worker(config)
        if not configured.get("build_id") and not configured.get("deployment_config"):
            configured["build_id"] = build_id()
        return configured


DULY_PLUGIN = DulyPlugin(
    "duly",
    data_converter=DATA_CONVERTER,
    workflow_runner=_use_ours,
    interceptors=[InputChecks(), Generations(), CommandLog()],
)


def encrypting(keys: Mapping[str, bytes]) -> list[SimplePlugin]:
    """Return what makes a client, and the workers on it, encrypt; nothing where there are no keys."""
    if not keys:
        return []
    codec = EncryptionCodec(keys)

    def encrypted(within: DataConverter | None) -> DataConverter:
        assert within is not None, "it stands behind the plugin that has a converter"
        return replace(within, payload_codec=codec, failure_converter_class=EncodedFailures)

    return [SimplePlugin("duly-encryption", data_converter=encrypted)]
