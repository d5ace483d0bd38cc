"""How failures are written into histories: a refusal by a rule reads as one sentence, a bug with its traceback."""

from temporalio.api.failure.v1 import Failure
from temporalio.converter import DefaultFailureConverter, PayloadConverter

from models.operator_command import CommandError

# What the UI shows of a failure until the codec server has decoded it.
_ENCODED = "Encoded failure"


class ReadableFailures(DefaultFailureConverter):
    """Leaves the traceback away where a rule refused: it says nothing that the rule's message does not."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """Write a failure down with its causes. What an activity was refused for is also said by whoever called it."""
        super().to_failure(exception, payload_converter, failure)
        if is_refusal(failure):
            failure.stack_trace = ""
            if not failure.HasField("application_failure_info"):
                failure.message = failure.cause.message


class EncodedFailures(ReadableFailures):
    """Moves messages and tracebacks to where a codec encrypts them, of a failure and of each of its causes."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """Write a failure down with its causes, none of whose words can be read without the codec."""
        super().to_failure(exception, payload_converter, failure)
        if failure.message == _ENCODED and failure.HasField("cause"):
            # What a refusal has said is what its cause has.
            failure.encoded_attributes.CopyFrom(failure.cause.encoded_attributes)
        found = failure
        _encode(found, payload_converter)
        # Causes that were read from a history from before the codec stand in it as they were.
        while found.HasField("cause"):
            found = found.cause
            _encode(found, payload_converter)


def _encode(failure: Failure, payload_converter: PayloadConverter) -> None:
    if failure.message == _ENCODED and not failure.stack_trace:
        return
    words = {"message": failure.message, "stack_trace": failure.stack_trace}
    failure.encoded_attributes.CopyFrom(payload_converter.to_payloads([words])[0])
    failure.message, failure.stack_trace = _ENCODED, ""


def is_refusal(failure: Failure) -> bool:
    """Whether a rule refused, which a repeat would meet again; itself, or through an activity or a child workflow."""
    if failure.HasField("application_failure_info"):
        return failure.application_failure_info.non_retryable or (
            failure.application_failure_info.type == CommandError.__name__
        )
    passes_on = failure.HasField("activity_failure_info") or failure.HasField("child_workflow_execution_failure_info")
    return passes_on and failure.HasField("cause") and is_refusal(failure.cause)
