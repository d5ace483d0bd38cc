"""A workflow in the sandbox that is not asked for what nobody uses: in which context each payload is written."""

from typing import Any

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import SerializationContext, StorageDriverStoreContext
from temporalio.worker import WorkflowInstance
from temporalio.workflow import Info


class WithoutContexts(WorkflowInstance):
    """Says of every payload that it has no context of its own.

    The SDK asks for it several times for each payload, for codecs and for storage outside of histories, and runs a
    statement in the sandbox for every answer: a third of what a worker spends on a payment run. There is no
    such storage, the codec that encrypts takes no context (workflows/plugin.py), and the converter inside the sandbox
    gets its context from there.
    """

    def __init__(self, sandboxed: WorkflowInstance) -> None:
        self._sandboxed = sandboxed

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Let the workflow go on."""
        return self._sandboxed.activate(act)

    def get_serialization_context(self, command_info: Any) -> SerializationContext | None:
        """Return none: no codec of ours takes one."""
        del command_info
        return None

    def get_external_store_context(self, command_info: Any) -> StorageDriverStoreContext:
        """Return one without a target: nothing is stored outside of histories."""
        del command_info
        return StorageDriverStoreContext(target=None)

    def get_info(self) -> Info:
        """Return what the workflow is."""
        return self._sandboxed.get_info()

    def get_thread_id(self) -> int | None:
        """Return the thread in which it runs now."""
        return self._sandboxed.get_thread_id()
