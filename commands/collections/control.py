"""Commands to a collection: each goes to its workflow, which does it or says why not."""

from dataclasses import asdict
from typing import Any, TypeVar

from commands.links import workflow_link
from commands.output import Output, table
from commands.session import read_settings, temporal_for_orders
from commands.updates import ask
from models.gateway.gateway_request import CollectResult
from models.workflow_ids import collection_id

Answer = TypeVar("Answer")


async def send_update(
    output: Output, account_id: str, period: str, update: str, command: Any, answer: type[Answer]
) -> None:
    """Ask a collection for something, and show what it answered. Raises RefusedError with its own reason."""
    settings = read_settings()
    workflow_id = collection_id(account_id, period)
    answered = await ask(await temporal_for_orders(settings), workflow_id, update, command, answer, noun="collection")
    link = workflow_link(settings, workflow_id)
    document = asdict(answered) if isinstance(answered, CollectResult) else answered
    facts = [("Answer", answered.outcome if isinstance(answered, CollectResult) else answered), ("Temporal UI", link)]
    output.answer(
        {"collection": workflow_id, "answer": document, "link": link},
        table("", "Collection", workflow_id, rows=[fact for fact in facts if fact[1]]),
    )
