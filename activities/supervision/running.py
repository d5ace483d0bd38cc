"""Which of some workflows run, as visibility knows it: asked for a page at a time, and counted before they are listed.

A page of which all run, or none, costs one count, a tenth of a list; servers answer few such questions a second.
Visibility is late by a moment and may count an execution beside the one that goes on from it: what that hides is found
by the next comparison.
"""

from collections.abc import Iterable
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

QUESTION_TIMEOUT = timedelta(seconds=30)
# A server without visibility, or one that does not take the question: everything is asked for by itself.
_CANNOT_SAY = frozenset({RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.INVALID_ARGUMENT})


async def running_among(client: Client, ids: Iterable[str]) -> frozenset[str]:
    """Return those ids whose workflow is listed as running. What is missing may run all the same."""
    # A query cannot name an id with a quote.
    named = frozenset(id for id in ids if "'" not in id)
    if not named:
        return frozenset()
    listed = ", ".join(f"'{id}'" for id in sorted(named))
    query = f"ExecutionStatus = 'Running' AND WorkflowId IN ({listed})"
    try:
        running = (await client.count_workflows(query, rpc_timeout=QUESTION_TIMEOUT)).count
        if running == len(named):
            return named
        if running == 0:
            return frozenset()
        # With room for one more the first page is known to be the last.
        found = client.list_workflows(query, page_size=len(named) + 1, rpc_timeout=QUESTION_TIMEOUT)
        return frozenset([one.id async for one in found])
    except RPCError as error:
        if error.status in _CANNOT_SAY:
            return frozenset()
        raise
