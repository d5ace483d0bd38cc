"""What a workflow asked the server to do: as its history has it, and as today's code asks again when it is replayed.

Replay compares the kinds and names of commands alone. A changed argument, time-out or result would go unnoticed, so
here all that matters of a command is compared.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.workflow import _Definition

Command = tuple[Any, ...]

CHANGE_VERSION = "TemporalChangeVersion"
# What operators find workflows by, written since 0.1.0: a server takes an attribute more under an old history.
NEWER_ATTRIBUTES = frozenset({"Amount", "AmountMinor"})
# The message of a refused workflow in 0.1.0; since then it says what was refused.
UNREADABLE = "Activity task failed"


def recorded_commands(events: Iterable[HistoryEvent]) -> Iterator[Command]:
    """The commands behind the events of a history, in order."""
    for event in events:
        match event.WhichOneof("attributes"):
            case "activity_task_scheduled_event_attributes":
                activity = event.activity_task_scheduled_event_attributes
                timeout = activity.start_to_close_timeout.ToTimedelta()
                payloads = _plain(activity.input.payloads)
                yield "activity", activity.activity_type.name, activity.activity_id, timeout, payloads
            case "timer_started_event_attributes":
                yield "timer", event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
            case "start_child_workflow_execution_initiated_event_attributes":
                child = event.start_child_workflow_execution_initiated_event_attributes
                yield "child", child.workflow_type.name, child.workflow_id, _plain(child.input.payloads)
            case "signal_external_workflow_execution_initiated_event_attributes":
                signal = event.signal_external_workflow_execution_initiated_event_attributes
                to = signal.workflow_execution.workflow_id
                yield "signal", signal.signal_name, to, _plain(signal.input.payloads)
            case "upsert_workflow_search_attributes_event_attributes":
                upsert = event.upsert_workflow_search_attributes_event_attributes
                yield from _attributes(upsert.search_attributes.indexed_fields)
            case "workflow_execution_continued_as_new_event_attributes":
                new = event.workflow_execution_continued_as_new_event_attributes
                yield "continue", _plain(new.input.payloads)
            case "workflow_execution_completed_event_attributes":
                yield "complete", _plain(event.workflow_execution_completed_event_attributes.result.payloads)
            case "workflow_execution_failed_event_attributes":
                yield "fail", event.workflow_execution_failed_event_attributes.failure.message
            case _:
                continue


def _attributes(fields: Mapping[str, Payload]) -> Iterator[Command]:
    # The SDK itself writes down which patches a history has; the workflow asks for nothing there.
    if CHANGE_VERSION not in fields:
        yield "attributes", _plain_map(fields)


def asked_again(commands: Iterable[WorkflowCommand]) -> Iterator[Command]:
    """The same of the commands that a worker sends."""
    for command in commands:
        match command.WhichOneof("variant"):
            case "schedule_activity":
                activity = command.schedule_activity
                timeout = activity.start_to_close_timeout.ToTimedelta()
                yield "activity", activity.activity_type, activity.activity_id, timeout, _plain(activity.arguments)
            case "start_timer":
                yield "timer", command.start_timer.start_to_fire_timeout.ToTimedelta()
            case "start_child_workflow_execution":
                child = command.start_child_workflow_execution
                yield "child", child.workflow_type, child.workflow_id, _plain(child.input)
            case "signal_external_workflow_execution":
                signal = command.signal_external_workflow_execution
                # A child is named by its id alone.
                to = signal.child_workflow_id or signal.workflow_execution.workflow_id
                yield "signal", signal.signal_name, to, _plain(signal.args)
            case "upsert_workflow_search_attributes":
                upsert = command.upsert_workflow_search_attributes
                yield "attributes", _plain_map(upsert.search_attributes.indexed_fields)
            case "continue_as_new_workflow_execution":
                yield "continue", _plain(command.continue_as_new_workflow_execution.arguments)
            case "complete_workflow_execution":
                yield "complete", _plain([command.complete_workflow_execution.result])
            case "fail_workflow_execution":
                yield "fail", command.fail_workflow_execution.failure.message
            case _:
                continue


def as_recorded(asked: Sequence[Command], recorded: Sequence[Command]) -> list[Command]:
    """Return what is asked again, less what is only shown to operators and was not yet where the history began."""
    nothing: Command = ("",)
    pairs = zip_longest(asked, recorded[: len(asked)], fillvalue=nothing)
    return [_less_newer(one, *before) for one, before in pairs]


def _less_newer(asked: Command, kind: str, *before: Any) -> Command:
    if (asked[0], kind, *before) == ("fail", "fail", UNREADABLE):
        return kind, *before
    if asked[0] != "attributes" or kind != "attributes":
        return asked
    newer = NEWER_ATTRIBUTES - before[0].keys()
    return "attributes", {name: value for name, value in asked[1].items() if name not in newer}


def _plain(payloads: Iterable[Payload]) -> tuple[Any, ...]:
    return tuple(json.loads(payload.data) if payload.data else None for payload in payloads)


def _plain_map(payloads: Mapping[str, Payload]) -> dict[str, Any]:
    return dict(zip(payloads, _plain(payloads.values()), strict=True))


def _that_reach_the_server(commands: Sequence[WorkflowCommand]) -> list[WorkflowCommand]:
    """Leave out timers that were started and cancelled in one go: the SDK never sends them."""
    cancelled = {command.cancel_timer.seq for command in commands if command.HasField("cancel_timer")}
    return [one for one in commands if not (one.HasField("start_timer") and one.start_timer.seq in cancelled)]


class ListeningRunner(WorkflowRunner):
    """A runner that writes down what its workflows ask for."""

    def __init__(self, behind: WorkflowRunner) -> None:
        self._behind = behind
        self.commands: list[WorkflowCommand] = []

    def prepare_workflow(self, defn: _Definition) -> None:
        self._behind.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        instance = self._behind.create_instance(det)
        activate = instance.activate

        def listening(act: WorkflowActivation) -> WorkflowActivationCompletion:
            completion = activate(act)
            self.commands.extend(_that_reach_the_server(completion.successful.commands))
            return completion

        instance.activate = listening  # type: ignore[method-assign]
        return instance

    def set_worker_level_failure_exception_types(self, types: Any) -> None:
        self._behind.set_worker_level_failure_exception_types(types)
