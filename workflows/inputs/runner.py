"""The runner that gives every workflow its own strict converter, and the mark of what Duly's workflows send."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadConverter
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from workflows.inputs.converter import Arguments, InputConverter, InputKind, Parameters
from workflows.inputs.instance import WithoutContexts

# A header of every workflow that one of ours has started or continued as. Its input comes from a worker, maybe of
# another version: what this one cannot read fails the task, which is tried again until the deployment is through.
FROM_DULY = "duly-workflow"
MARK = {FROM_DULY: Payload(metadata={"encoding": b"json/plain"}, data=b"true")}


def is_from_duly(headers: Mapping[str, Payload]) -> bool:
    """Say whether a start was sent by a workflow of ours."""
    return FROM_DULY in headers


class UnknownTypeError(Exception):
    """A workflow of ours has started one that this worker does not know."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is no workflow of this release")


# Workflows that this process has loaded in the sandbox once, to see that they can be.
_LOADED: set[type] = set()


class CheckingRunner(SandboxedWorkflowRunner):
    """Runs workflows in the sandbox, each with a converter that knows what it takes."""

    def prepare_workflow(self, defn: Any) -> None:
        """See that a workflow loads in the sandbox, once in a process however many workers it makes."""
        if defn.cls not in _LOADED:
            super().prepare_workflow(defn)
            _LOADED.add(defn.cls)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Make an instance whose input is read strictly."""
        is_trusted = is_from_duly(det.info.headers)
        if is_trusted and det.defn.name is None:
            # Of a newer release, perhaps: the task is tried again until the deployment is through.
            raise UnknownTypeError(det.info.workflow_type)
        arguments = _arguments(det.defn, det.info.workflow_id, is_trusted=is_trusted)
        checking = replace(det, payload_converter_factory=_checking(det.payload_converter_factory, arguments))
        return WithoutContexts(super().create_instance(checking))


def _checking(make: Callable[[], PayloadConverter], arguments: Arguments) -> Callable[[], PayloadConverter]:
    return lambda: InputConverter(_shared(make), arguments)


@cache
def _shared(make: Callable[[], PayloadConverter]) -> PayloadConverter:
    """Return one converter for all workflows: making what reads a type costs milliseconds, for each type."""
    return make()


def _arguments(definition: Any, workflow_id: str, *, is_trusted: bool) -> Arguments:
    signals, updates, queries = (
        {name: handler for name, handler in handlers.items() if name}
        for handlers in (definition.signals, definition.updates, definition.queries)
    )
    taken = [] if is_trusted else [(definition.arg_types, InputKind.START)]
    taken += [(handler.arg_types, InputKind.SIGNAL) for handler in signals.values()]
    taken += [(handler.arg_types, InputKind.REQUEST) for handler in (*updates.values(), *queries.values())]
    kinds: dict[tuple[type, ...], frozenset[InputKind]] = {}
    for types, kind in taken:
        if types:
            kinds[tuple(types)] = kinds.get(tuple(types), frozenset()) | {kind}
    # The SDK sees to it that no two handlers of a workflow have one name.
    taken_by = {name: parameters_of(handler.fn) for name, handler in (signals | updates | queries).items()}
    return Arguments(workflow_id, kinds, taken_by, is_own=True)


def parameters_of(function: Callable[..., Any]) -> Parameters:
    """Return what a method takes, and how much of it has to be given."""
    taken = [each for name, each in inspect.signature(function).parameters.items() if name != "self"]
    required = sum(each.default is inspect.Parameter.empty for each in taken)
    return Parameters(tuple(each.name for each in taken), required)
