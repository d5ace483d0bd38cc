"""The outbox as the command line reads it, and sending again what a person has decided about."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, or_, select

from activities.database import Database, matching
from activities.listing import Listed, NewestFirst
from models.listing import ListPage
from models.messages.message import Audience, MessageKind
from models.tables.messages import MessageRow, MessageRulesRow

_MESSAGES = select(
    MessageRow.id,
    MessageRow.audience,
    MessageRow.kind,
    MessageRow.account_id,
    MessageRow.period,
    MessageRow.run_id,
    MessageRow.state,
    MessageRow.reason,
    MessageRow.decisions,
    MessageRow.created_at,
    MessageRow.queued_at,
    MessageRow.claimed_at,
    MessageRow.sent_at,
    MessageRow.parameters,
)
_ABOUT = 20
_LIST = NewestFirst(_MESSAGES, moment=MessageRow.created_at, key=MessageRow.id, state=MessageRow.state)


class MessageQueries:
    """Reads messages; none of them holds anything personal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, message_id: str) -> Row[Any] | None:
        """Return one message, or None."""
        return await self._database.read_first(_MESSAGES.where(MessageRow.id == message_id))

    async def chosen(self, ids: Sequence[str]) -> Sequence[Row[Any]]:
        """Return the messages that somebody has chosen, the newest first."""
        return await _LIST.chosen(self._database, ids)

    async def page(self, page: ListPage, *, state: str, account_id: str, communication: str = "") -> Listed:
        """Return a page of messages, the newest first; empty filters let all through."""
        filters = [*matching(MessageRow.state, state), *matching(MessageRow.account_id, account_id)]
        if communication:
            # The letters of a communication stand side by side in the key: all between "…/" and the next character.
            begins = f"{MessageKind.COMMUNICATION}/{communication}"
            filters += [MessageRow.id > f"{begins}/", MessageRow.id < f"{begins}0"]
        return await _LIST.page(self._database, page, *filters)

    async def about(self, account_id: str, transaction_id: str) -> Sequence[Row[Any]]:
        """Return the newest messages to a customer about one of their transactions."""
        # By the account first: an index has its messages.
        names = ("transaction_id", "payment_id")
        is_about = or_(*(MessageRow.parameters[name].astext == transaction_id for name in names))
        found = _MESSAGES.where(MessageRow.audience == Audience.CUSTOMER, MessageRow.account_id == account_id, is_about)
        return await self._database.read(found.order_by(MessageRow.created_at.desc(), MessageRow.id).limit(_ABOUT))

    async def resend(self, message_id: str, *, actor: str, reason: str) -> None:
        """Queue a message again. Raises RuleBrokenError: it is not there, was sent, or is being sent just now."""
        await self._database.call("resend_message", id=message_id, actor=actor, reason=reason)


async def mails_what_is_posted(database: Database) -> bool:
    """Return whether something is mailed when it is posted or made."""
    rules = await database.read_first(
        select(MessageRulesRow.sends_invoices, MessageRulesRow.sends_bills, MessageRulesRow.confirms_payments)
    )
    return rules is not None and any(rules)
