"""What is sent to workflows says nothing that workers of the last release do not know, as long as it need not.

They refuse a start with an unknown field (decision 0075), also where it holds what they assume.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter, pydantic_data_converter
from temporalio.converter import CompositePayloadConverter, DefaultPayloadConverter, JSONPlainPayloadConverter

from models.collections.collection import CollectionRequest, CollectionSnapshot, CollectionTerms
from models.runs.process_run import Certificate, OutcomeTotal, RunRequest, ScheduledRunRequest, ShardRequest
from models.runs.refund_run import RefundRunRequest, RefundRunSnapshot, RefundRunStart
from workflows.inputs.failures import ReadableFailures

# Fields that 0.1.0 does not have. They go from here with the last release that can be upgraded from it.
NEWER_FIELDS: Mapping[type, frozenset[str]] = MappingProxyType(
    {
        CollectionRequest: frozenset({"amount_minor", "currency"}),
        RefundRunRequest: frozenset({"resumed", "over_nobody"}),
        RunRequest: frozenset({"over_nobody", "supplement", "skipped"}),
        ScheduledRunRequest: frozenset({"unit", "every", "counted_from"}),
        ShardRequest: frozenset({"carried", "window_size", "executions"}),
    }
)
# The same of what our own parts say to each other: in histories of 0.1.0 it stands without.
NEWER_PARTS: Mapping[type, frozenset[str]] = MappingProxyType(
    {
        CollectionSnapshot: frozenset(),
        CollectionTerms: frozenset({"technical_declines", "tried_cards", "given_up"}),
        Certificate: frozenset({"supplement", "taken_again", "criteria", "left_out", "from_wallet"}),
        OutcomeTotal: frozenset({"net_minor", "tax_minor", "total_minor"}),
        RefundRunSnapshot: frozenset({"is_paused", "decisions"}),
        RefundRunStart: frozenset({"over_nobody"}),
    }
)


def without_defaults(value: Any) -> Any:
    """Return a message without its newer fields that hold their defaults; everything else as it is."""
    newer = NEWER_FIELDS.get(type(value)) or NEWER_PARTS.get(type(value))
    if newer is None:
        return value
    given = {field.name: (getattr(value, field.name), field.default) for field in fields(value)}
    return {name: _parts(held) for name, (held, default) in given.items() if name not in newer or held != default}


def _parts(held: Any) -> Any:
    if isinstance(held, tuple):
        return [without_defaults(one) for one in held]
    return without_defaults(held) if type(held) in NEWER_PARTS else held


class _LeavingOut(PydanticJSONPlainPayloadConverter):
    def to_payload(self, value: Any) -> Payload | None:
        """Encode as ever what is left."""
        return super().to_payload(without_defaults(value))


class MessageConverter(CompositePayloadConverter):
    """Writes and reads messages as pydantic does, less the newer fields that say nothing."""

    def __init__(self) -> None:
        json = _LeavingOut()
        every = DefaultPayloadConverter.default_encoding_payload_converters
        super().__init__(*(json if isinstance(one, JSONPlainPayloadConverter) else one for one in every))


DATA_CONVERTER = replace(
    pydantic_data_converter, payload_converter_class=MessageConverter, failure_converter_class=ReadableFailures
)
