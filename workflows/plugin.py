"""What client, worker and replayer must agree on: how messages are written, and what the sandbox lets through."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from temporalio.converter import DataConverter
from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkerConfig, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxRestrictions

from activities.build import build_id
from activities.supervision.successors import Successors
from workflows.generation import Generations
from workflows.inputs.checks import InputChecks
from workflows.inputs.command_log import CommandLog
from workflows.inputs.failures import EncodedFailures
from workflows.inputs.newer_fields import DATA_CONVERTER
from workflows.inputs.runner import CheckingRunner

# Loaded once for all workflows. What a workflow loads again costs each of its starts up to 28 ms of CPU, and memory
# while it is at hand; what that would keep from it, the rules of the house keep from all of `workflows`: no state in a
# module, no clock, no chance, no outside world (decision 0187). Recorded histories are replayed under the full watch.
SHARED_MODULES = ("activities", "models", "workflows")


def sandboxed_runner(shared: Sequence[str] = SHARED_MODULES) -> WorkflowRunner:
    """The one runner of production and tests; replays share less, so that the sandbox watches what they run."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*shared)
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
    interceptors=[InputChecks(), Generations(), CommandLog(), Successors()],
)


def encrypting(keys: Mapping[str, bytes]) -> list[SimplePlugin]:
    """Return what makes a client, and the workers on it, encrypt; nothing where there are no keys."""
    if not keys:
        return []
    # Only who encrypts loads what it takes (decision 0250).
    from activities.payload_codec import EncryptionCodec  # noqa: PLC0415

    codec = EncryptionCodec(keys)

    def encrypted(within: DataConverter | None) -> DataConverter:
        assert within is not None, "it stands behind the plugin that has a converter"
        return replace(within, payload_codec=codec, failure_converter_class=EncodedFailures)

    return [SimplePlugin("duly-encryption", data_converter=encrypted)]
