"""A client of another language: plain JSON, no classes of ours. And everything that it may get wrong."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from copy import deepcopy
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from datetime import date, datetime
from enum import Enum
from functools import partial
from typing import Any
from uuid import uuid4

from pydantic import TypeAdapter
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, Interceptor, OutboundInterceptor, StartWorkflowInput, WorkflowHandle
from temporalio.common import RawValue, WorkflowIDConflictPolicy
from temporalio.service import RPCError
from temporalio.worker import Worker
from temporalio.workflow import _Definition

from models.workflow_inputs import TEXT_RULES
from tests.contract.run_examples import EXAMPLES
from workflows.inputs.runner import MARK
from workflows.inputs.values import TEXT_MAX
from workflows.registered import WORKFLOWS
from workflows.supervision.unknown_workflow import UnknownWorkflow

NAMES = sorted(EXAMPLES)
REGISTERED: dict[str, Any] = {
    str(definition.name): definition for definition in map(_Definition.must_from_class, WORKFLOWS)
}

TASK_FAILED = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
ASKED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
ACCEPTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED

WRONG_TYPE = {"not": "this"}
IS_NO_JSON = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b'{"account_id": '))
IS_NOT_JSON = RawValue(Payload(metadata={"encoding": b"binary/plain"}, data=b"\x00\x01"))
IS_OF_NO_ENCODING = RawValue(Payload(metadata={"encoding": b"json/ours"}, data=b"{}"))


@dataclass(frozen=True)
class Mistake:
    """Arguments that are wrong, and the field that the answer has to name."""

    arguments: tuple[Any, ...]
    field: str


def plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    return TypeAdapter(type(value)).dump_python(value, mode="json")


def mistakes(*examples: Any, may_be_missing: bool = False) -> Iterator[Mistake]:
    """Yield everything that can be wrong about arguments: one thing at a time."""
    good = tuple(plain(example) for example in examples)
    for one_too_many in ("one too many", IS_NO_JSON, IS_NOT_JSON, IS_OF_NO_ENCODING):
        yield Mistake((*good, one_too_many), "arguments")
    if not examples:
        return
    if not may_be_missing:
        yield Mistake((), "arguments")
    for position, example in enumerate(examples):
        name = "argument" if len(examples) == 1 else f"argument {position + 1}"
        put = partial(_with, good, position)
        for nonsense in (IS_NO_JSON, IS_NOT_JSON, IS_OF_NO_ENCODING, None, [good[position]]):
            yield Mistake(put(nonsense), name)
        if is_dataclass(example):
            yield from (Mistake(put(wrong), field) for wrong, field in _wrong_objects(example))
        else:
            yield Mistake(put(WRONG_TYPE), name)


def _with(arguments: tuple[Any, ...], position: int, value: Any) -> tuple[Any, ...]:
    return (*arguments[:position], value, *arguments[position + 1 :])


def _wrong_objects(example: Any, prefix: str = "") -> Iterator[tuple[Any, str]]:
    """Yield objects with one thing wrong, and where: unknown, missing and ill-typed fields, at every depth."""
    good = plain(example)
    yield {**good, "perod": "2026-11"}, f"{prefix}perod"
    for field in fields(example):
        place, value = f"{prefix}{field.name}", getattr(example, field.name)
        yield {**good, field.name: _of_another_type(value)}, place
        if _is_required(field):
            yield {name: kept for name, kept in good.items() if name != field.name}, place
        if is_dataclass(value):
            for wrong, inner in _wrong_objects(value, f"{place}."):
                yield {**good, field.name: wrong}, inner


def _of_another_type(value: Any) -> Any:
    if value is None:
        return True
    return "no object" if is_dataclass(value) or isinstance(value, dict) else WRONG_TYPE


def _is_required(field: "Field[Any]") -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def broken_texts(example: Any, prefix: str = "") -> Iterator[tuple[Any, str]]:
    """Yield objects whose types are right, with one text that breaks its rule, and where."""
    good = plain(example)
    for name, rule in TEXT_RULES.get(type(example), {}).items():
        yield {**good, name: ["so\non"] if rule.is_for_lists else "so\non"}, f"{prefix}{name}"
    for field in fields(example):
        value = getattr(example, field.name)
        if is_dataclass(value):
            for wrong, inner in broken_texts(value, f"{field.name}."):
                yield {**deepcopy(good), field.name: wrong}, inner


def unstorable(example: Any, prefix: str = "") -> Iterator[tuple[Any, str]]:
    """Yield objects whose types are right, with one value that is beyond all bounds, and where."""
    good = plain(example)
    for field in fields(example):
        value, place = getattr(example, field.name), f"{prefix}{field.name}"
        if is_dataclass(value):
            for wrong, inner in unstorable(value, f"{place}."):
                yield {**deepcopy(good), field.name: wrong}, inner
        for wrong in _beyond(value):
            yield {**good, field.name: wrong}, place


def _beyond(value: Any) -> Iterator[Any]:
    match value:
        case bool() | Enum():
            return
        case str():
            yield from ("so\0on", "x" * (TEXT_MAX + 1))
        case int():
            yield from (2**53, 10**30)
        case datetime():
            yield from ("2026-12-10T12:00:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00")
        case date():
            yield from ("9999-12-31", "0001-01-01")
        case dict():
            yield from ({"so\0on": 1}, {"EUR": 2**53})
        case _:
            return


class Marked(Interceptor):
    """Starts workflows with the header of Duly's own, as a workflow of ours starts another."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        return _Marked(next)


class _Marked(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002
        return await super().start_workflow(replace(input, headers={**input.headers, **MARK}))


@dataclass(frozen=True)
class Foreign:
    """Plain clients of a server on which Duly's workflows run alone: their activities wait for ever."""

    client: Client
    marked: Client
    queue: str

    async def start(self, name: str, *arguments: Any, workflow_id: str = "") -> WorkflowHandle[Any, Any]:
        """Start a workflow under an id of the test's own, or under the one that is given."""
        return await self.client.start_workflow(
            name, args=list(arguments), id=workflow_id or f"contract-{uuid4().hex}", task_queue=self.queue
        )

    @asynccontextmanager
    async def waiting(self, name: str) -> AsyncIterator[WorkflowHandle[Any, Any]]:
        """A workflow that was started as its example says, and waits for its first activity, or has ended without one.

        An event that another test delivered may have started one of the same id, for which nobody works now.
        """
        example = EXAMPLES[name]
        arguments = [] if example.request is None else [plain(example.request)]
        handle = await self.marked.start_workflow(
            name,
            args=arguments,
            id=example.id,
            task_queue=self.queue,
            id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
        )
        try:
            yield handle
        finally:
            with suppress(RPCError):  # it has ended: ScheduledRun starts another one, and is done
                await handle.terminate("the test is over")


async def kinds_of(handle: WorkflowHandle[Any, Any]) -> list[int]:
    """Return the kinds of a history's events."""
    return [event.event_type async for event in handle.fetch_history_events()]


@asynccontextmanager
async def running_workflows(duly: Client, foreign: Client, marked: Client) -> AsyncIterator[Foreign]:
    """Run every workflow of the worker on a queue of its own, without any activity.

    Nothing is kept at hand: whatever is said to a workflow, its history is replayed first, as on another worker.
    """
    queue = f"contract-{uuid4().hex}"
    async with Worker(duly, task_queue=queue, workflows=(*WORKFLOWS, UnknownWorkflow), max_cached_workflows=0):
        yield Foreign(foreign, marked, queue)
