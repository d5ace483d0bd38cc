"""What a client starts under a name that no workflow has: it fails at once instead of holding the id."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from temporalio import workflow
from temporalio.common import RawValue

from models.problem import Problem
from models.workflow_inputs import quoted
from workflows.inputs.checks import refuse_start
from workflows.inputs.starts import STARTS

TYPE_EXISTS = "workflow_type_exists"


@workflow.defn(dynamic=True)
class UnknownWorkflow:
    """Refuses every start, and whoever updates in the same call."""

    def __init__(self) -> None:
        refuse_start(self, [problem_of_type(workflow.info().workflow_type, STARTS)])

    @workflow.run
    async def run(self, arguments: Sequence[RawValue]) -> None:
        """End: what stands between clients and workflows has refused the start."""

    @workflow.update(dynamic=True)
    async def any_update(self, name: str, arguments: Sequence[RawValue]) -> None:
        """End, as `run` does."""


def problem_of_type(name: str, known: Iterable[str]) -> Problem:
    """Say that there is no such workflow, and which one may be meant."""
    known = sorted(known)
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
    return Problem("workflow_type", TYPE_EXISTS, f"{quoted(name)} is no workflow; {hint}")
