"""Reads a card's row. Cards are many, and most are read once and sleep for months: that is to cost little."""

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities.cards.rows import CardRowActivities
from models.cards.card import Card
from workflows.options import DATABASE, IN_THE_WORKER


async def load_card(card_id: str) -> Card:
    """Return the card as it is stored. A database that is away is waited for."""
    summary = f"read {card_id}"
    if workflow.patched("reads-cards-in-the-worker"):
        try:
            return await workflow.execute_local_activity_method(
                CardRowActivities.load_card,
                card_id,
                summary=summary,
                start_to_close_timeout=IN_THE_WORKER["start_to_close_timeout"],
                retry_policy=IN_THE_WORKER["retry_policy"],
            )
        except FailureError as error:  # of a local activity it is the failure itself
            if is_cancelled_exception(error):
                raise
    return await workflow.execute_activity_method(CardRowActivities.load_card, card_id, summary=summary, **DATABASE)
