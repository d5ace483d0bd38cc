"""Refusing what no workflow should act on: a start, a signal, an update or a query that breaks its contract."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, NoReturn, TypeVar

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError
from temporalio.worker import (
    ContinueAsNewInput,
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    StartChildWorkflowInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from temporalio.workflow import ChildWorkflowHandle

from activities.supervision.stops import StopActivities
from models.card_number import NO_CARD_NUMBER, REFUSED, holds_card_number, without_card_numbers
from models.problem import Problem
from models.supervision.stops import CancelAsked
from workflows.cancelling import AnswersCancel, run_to_its_end
from workflows.faults import carried_cancel, headers_to_carry, suspend_after_faults
from workflows.inputs.converter import InputConverter, Parameters
from workflows.inputs.decoding import ARGUMENTS, Refused, refusal
from workflows.inputs.providers import ProviderCheck
from workflows.inputs.runner import MARK, is_from_duly, parameters_of
from workflows.inputs.starts import names_provider, problems_of_start
from workflows.inputs.values import problems_of_values
from workflows.options import DATABASE

Init = TypeVar("Init", bound=Callable[..., None])

_REFUSED_START = "_refused_start"
# What stands in a history of release 0.1.0 was taken in, and goes on.
_BOUNDED = "input-values-are-bounded"
_METADATA = "__temporal_workflow_metadata"

# A reason is a sentence; what a client may send with a Cancel has no bound.
CANCEL_REASON_MAX = 500


def checked_init(init: Init) -> Init:
    """Declare a workflow's constructor as `workflow.init` does. A start that is refused leaves it without any state."""

    wanted = parameters_of(init)

    @wraps(init)
    def checked(self: Any, *arguments: Any) -> None:
        problems = _problems_of_start(wanted, arguments)
        if problems:
            refuse_start(self, problems)
        else:
            init(self, *arguments)

    decorated: Any = workflow.init(checked)
    return decorated  # type: ignore[no-any-return]  # what `wraps` gives is an Init


class InputChecks(Interceptor):
    """Stands between clients and every workflow of a worker."""

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002
    ) -> type[WorkflowInboundInterceptor]:
        """Check what comes in, and mark what goes out."""
        return _Checked


class _Checked(WorkflowInboundInterceptor):
    def __init__(self, next: WorkflowInboundInterceptor) -> None:  # noqa: A002
        super().__init__(next)
        self._dropped = 0
        self._last_dropped = ""
        self._provider = ProviderCheck()
        self._cancel_answer = ""
        self._fault = ""

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Marking(outbound))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002
        wanted = parameters_of(input.run_fn)
        problems = _refused_start() or _problems_of_start(wanted, input.args)
        if not problems and names_provider(workflow.info().workflow_type):
            problems = await self._provider.problems_of(input.args[0])
            if problems:
                refuse_start(workflow.instance(), problems)
                await workflow.wait_condition(workflow.all_handlers_finished)
        if problems:
            raise refusal(problems)
        # The SDK keeps a signal without a handler for one that may come: with this one it is refused as all are.
        workflow.set_dynamic_signal_handler(_no_such_signal)
        request = input.args[0] if input.args else None
        run = suspend_after_faults(super().execute_workflow(input), request, self._show_fault)
        answering: object = workflow.instance()
        if not isinstance(answering, AnswersCancel):
            return await run
        if (reason := carried_cancel()) is not None:
            self._cancel_answer = await answering.cancel_asked(reason)
        return await run_to_its_end(run, lambda reason: self._answer_cancel(answering, reason))

    async def handle_signal(self, input: HandleSignalInput) -> None:  # noqa: A002
        if _refused_start():
            return
        if workflow.get_signal_handler(input.signal) is None:
            self._drop(input.signal, [Problem("signal", "signal_known", "this workflow takes no signal of that name")])
            return
        problems = _problems_of_call(_wanted_by(input.signal), input.args) or _problems_of_new_values(input.args)
        if problems:
            self._drop(input.signal, problems)
            return
        await super().handle_signal(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:  # noqa: A002
        _require_call(input.update, input.args)
        # Here alone: what a history has was accepted.
        problems = problems_of_values(input.args)
        if holds_card_number(input.id):
            problems.append(Problem("update id", NO_CARD_NUMBER, REFUSED))
        if problems:
            raise refusal(problems)
        super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:  # noqa: A002
        if not _refused_start() and names_provider(workflow.info().workflow_type):
            await self._provider.done()
        _require_call(input.update, input.args)
        return await super().handle_update_handler(input)

    async def handle_query(self, input: HandleQueryInput) -> Any:  # noqa: A002
        if input.query.startswith("__"):
            answer = await super().handle_query(input)
            return self._with_note(_named(answer)) if input.query == _METADATA else answer
        _require_call(input.query, input.args)
        return await super().handle_query(input)

    async def _answer_cancel(self, answering: AnswersCancel, reason: str) -> None:
        """Keep who asked and why, then let the workflow do what a Cancel means to it, and show that."""
        info, reason = workflow.info(), without_card_numbers(reason[: 10 * CANCEL_REASON_MAX])[:CANCEL_REASON_MAX]
        try:
            await workflow.execute_activity_method(
                StopActivities.note_cancel,
                CancelAsked(info.workflow_id, info.run_id, reason),
                summary="keep who asked to cancel it, and why",
                **DATABASE,
            )
        except ActivityError as error:
            workflow.logger.warning("cancel_not_kept", extra={"error": str(error.cause)})
        self._cancel_answer = await answering.cancel_asked(reason)

    def _show_fault(self, fault: str) -> None:
        """Show operators that the workflow stands still, and why."""
        self._fault = fault

    def _drop(self, signal: str, problems: Sequence[Problem]) -> None:
        """Nobody waits for the answer to a signal: it is dropped, counted, and shown to operators."""
        self._dropped += 1
        # Its name is whatever somebody has written.
        self._last_dropped = f"`{without_card_numbers(signal)}`: {problems[0].field}: {problems[0].message}"
        workflow.logger.warning("signal_refused", extra={"signal": signal, "problems": [str(one) for one in problems]})

    def _with_note(self, metadata: WorkflowMetadata) -> WorkflowMetadata:
        if self._dropped:
            count = f"{self._dropped} signal{'s were' if self._dropped > 1 else ' was'}"
            metadata.current_details += (
                f"\n\n**Refused**: {count} not understood and dropped; the last, {self._last_dropped}"
            )
        if self._fault:
            metadata.current_details += f"\n\n**Suspended, for something failed**: {self._fault}"
        if self._cancel_answer:
            metadata.current_details += f"\n\n**Cancel was asked for**: {self._cancel_answer}"
        return metadata


class _Marking(WorkflowOutboundInterceptor):
    """Marks what a workflow of ours starts or goes on as."""

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:  # noqa: A002
        input.headers = {**_marked(input.headers), **headers_to_carry()}
        super().continue_as_new(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> ChildWorkflowHandle[Any, Any]:  # noqa: A002
        input.headers = _marked(input.headers)
        return await super().start_child_workflow(input)


def _marked(headers: Mapping[str, Payload]) -> Mapping[str, Payload]:
    return {**headers, **MARK}


def refuse_start(refused: object, problems: Sequence[Problem]) -> None:
    """Refuse the start of a workflow that is being made, and whatever it is asked in the same call."""
    setattr(refused, _REFUSED_START, problems)


def _refused_start() -> Sequence[Problem]:
    found: Sequence[Problem] = getattr(workflow.instance(), _REFUSED_START, ())
    return found


def _require_call(name: str, arguments: Sequence[Any]) -> None:
    problems = _refused_start() or _problems_of_call(_wanted_by(name), arguments)
    if problems:
        raise refusal(problems)


def _no_such_signal(name: str, arguments: Sequence[RawValue]) -> None:
    """Take what the checks have refused by its name."""


def _named(metadata: WorkflowMetadata) -> WorkflowMetadata:
    """Leave the handler of signals that nobody knows out of those that the UI offers."""
    signals = [one for one in metadata.definition.signal_definitions if one.name]
    del metadata.definition.signal_definitions[:]
    metadata.definition.signal_definitions.extend(signals)
    return metadata


def _wanted_by(handler: str) -> Parameters:
    converter = workflow.payload_converter()
    assert isinstance(converter, InputConverter)
    return converter.arguments.handlers[handler]


def _problems_of_start(wanted: Parameters, arguments: Sequence[Any]) -> Sequence[Problem]:
    info = workflow.info()
    problems = _problems_of_call(wanted, arguments)
    if not problems and not is_from_duly(info.headers):
        problems = _problems_of_new_values(arguments)
    if problems:
        return problems
    return problems_of_start(
        info.workflow_type,
        arguments[0] if arguments else None,
        workflow_id=info.workflow_id,
        now=workflow.now(),
        is_from_duly=is_from_duly(info.headers),
    )


def _problems_of_new_values(arguments: Sequence[Any]) -> Sequence[Problem]:
    """Return the values that are beyond all bounds, unless a worker without this rule had taken them in."""
    problems = problems_of_values(arguments)
    return problems if problems and workflow.patched(_BOUNDED) else ()


def _problems_of_call(wanted: Parameters, arguments: Sequence[Any]) -> Sequence[Problem]:
    """Return what is wrong with the arguments of a call: unread, too few or too many."""
    if wanted.required <= len(arguments) <= len(wanted.names):
        return next((argument.problems for argument in arguments if isinstance(argument, Refused)), ())
    named = f"{len(wanted.names)}: {', '.join(wanted.names)}" if wanted.names else "none"
    return (Problem("arguments", ARGUMENTS, f"must be {named}"),)
