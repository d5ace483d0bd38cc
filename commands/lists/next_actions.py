"""What comes next, and when: as the workflows of a page of rows say it, by one question to visibility."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError

from commands.formatting import moment
from commands.output import Failure
from commands.session import temporal_of
from models.operations.states import States
from settings import Settings
from workflows.visibility import NEEDS_REVIEW, NEXT_ACTION_AT, REVIEW_REASON, STAGE

# A list is worth more than what comes next: without Temporal it is shown all the same.
ANSWER_SECONDS = 5.0
NEXT = "Next"


@dataclass(frozen=True)
class NextAction:
    """When a workflow goes on by itself, whether it waits for a person, and where it stands as the UI shows it."""

    at: datetime | None
    needs_review: bool
    review_reason: str
    stage: str

    def __str__(self) -> str:
        if self.needs_review:
            return f"needs a person: {self.review_reason}"
        return moment(self.at)


async def next_actions(settings: Settings, workflow_ids: Iterable[str]) -> Mapping[str, NextAction] | None:
    """Return what comes next for those workflows that run; None when Temporal does not say."""
    # A query cannot name an id with a quote.
    named = [f"'{one}'" for one in workflow_ids if "'" not in one]
    if not named:
        return {}
    query = f"ExecutionStatus = 'Running' AND WorkflowId IN ({', '.join(named)})"
    found: dict[str, NextAction] = {}
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            client = await temporal_of(settings)
            async for one in client.list_workflows(query):
                known = one.typed_search_attributes
                found[one.id] = NextAction(
                    known.get(NEXT_ACTION_AT),
                    bool(known.get(NEEDS_REVIEW)),
                    known.get(REVIEW_REASON) or "",
                    known.get(STAGE) or "",
                )
    except (Failure, RPCError, TimeoutError):
        return None
    return found


async def running_at(settings: Settings, types: Iterable[str], *stages: str) -> list[str]:
    """Return the ids of the workflows of these types that stand at one of these stages. Raises Failure and RPCError."""
    return await running_of(await temporal_of(settings), types, *stages)


async def running_of(client: Client, types: Iterable[str], *stages: str) -> list[str]:
    """Return what `running_at` returns, by a client. Raises RPCError."""
    kinds, places = (", ".join(f"'{one}'" for one in names) for names in (types, stages))
    query = f"ExecutionStatus = 'Running' AND WorkflowType IN ({kinds}) AND Stage IN ({places})"
    return sorted([one.id async for one in client.list_workflows(query)])


async def next_action(settings: Settings, workflow_id: str) -> NextAction | None:
    """Return what comes next for one workflow; None when it is over, or Temporal does not say."""
    return (await next_actions(settings, [workflow_id]) or {}).get(workflow_id)


def next_document(action: NextAction | None) -> Mapping[str, Any]:
    """Return what comes next as lists and `show` have it in JSON."""
    if action is None:
        return {"next_action_at": None, "needs_review": False, "review_reason": ""}
    return {
        "next_action_at": action.at,
        "needs_review": action.needs_review,
        "review_reason": action.review_reason,
    }


def next_fact(action: NextAction | None) -> list[tuple[str, object]]:
    """Return the line of what comes next, if anything does."""
    return [(NEXT, f"{action}")] if action and f"{action}" else []


async def word_now(settings: Settings, states: States, stored: str | None, workflow_id: str) -> str:
    """Return the word of a stored state as a list has it: its workflow is asked where that may say more."""
    is_finer = any(states.word(stored) in words for words in states.finer.values())
    action = await next_action(settings, workflow_id) if is_finer else None
    return states.word(stored, action.stage if action else "")
