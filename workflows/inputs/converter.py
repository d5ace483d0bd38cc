"""The payload converter of one workflow: what clients send it is read strictly, all the rest as ever."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, NamedTuple, Self

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    PayloadConverter,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from models.problem import Problem
from workflows.inputs.decoding import ARGUMENTS, CALL_BYTES_MAX, Refused, read, refusal


class InputKind(Enum):
    """What a message to a workflow is."""

    START = auto()
    SIGNAL = auto()
    REQUEST = auto()  # an update or a query: whoever asks waits for the answer


class Parameters(NamedTuple):
    """The names of what a handler takes; so many of them, the first ones, have to be given."""

    names: tuple[str, ...]
    required: int


@dataclass(frozen=True)
class Arguments:
    """What one workflow takes: by which kinds of input which types, and each handler's parameters.

    Two kinds of input may have the same types. Only those that are `is_own` are of the workflow itself.
    """

    workflow_id: str
    kinds: Mapping[tuple[type, ...], frozenset[InputKind]] = field(default_factory=dict)
    handlers: Mapping[str, Parameters] = field(default_factory=dict)
    is_own: bool = False


class InputConverter(PayloadConverter, WithSerializationContext):
    """Reads a workflow's starts, signals, updates and queries strictly; its activities and children as the one within.

    A start or a signal that cannot be read is handed on as `Refused`, so that its handler can say so;
    an update or a query is refused at once, by ApplicationError.
    """

    def __init__(self, within: PayloadConverter, arguments: Arguments) -> None:
        super().__init__()
        self._within = within
        self.arguments = arguments

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """Encode as ever."""
        return self._within.to_payloads(values)

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Read arguments strictly where the types are those of an input."""
        if not type_hints or len(type_hints) != len(payloads):
            # No types at all would hide arguments that nobody takes: whoever is called with them is asked first.
            return self._miscounted(payloads, type_hints)
        kinds = self.arguments.kinds.get(tuple(type_hints))
        if not kinds:
            return self._within.from_payloads(payloads, type_hints)
        found = read(payloads, type_hints, bytes_max=None if InputKind.START in kinds else CALL_BYTES_MAX)
        if not isinstance(found, Refused):
            return found
        if kinds == {InputKind.REQUEST}:
            raise refusal(found.problems)
        return [found for _ in payloads]

    def _miscounted(self, payloads: Sequence[Payload], type_hints: list[type] | None) -> list[Any]:
        """Read arguments of which there are too few or too many: how many, not what they are, is said to the client."""
        try:
            return self._within.from_payloads(payloads, type_hints or None)
        except Exception:
            if not self.arguments.is_own:
                raise
            unread = Refused((Problem("arguments", ARGUMENTS, "are no JSON values, and not as many as are taken"),))
            return [unread for _ in payloads]

    def with_context(self, context: SerializationContext) -> Self:
        """Stay strict for the workflow itself; for its activities and children do as what is within."""
        within = self._within
        if isinstance(within, WithSerializationContext):
            within = within.with_context(context)
        own = isinstance(context, WorkflowSerializationContext) and context.workflow_id == self.arguments.workflow_id
        return type(self)(within, self.arguments if own else Arguments(self.arguments.workflow_id))
