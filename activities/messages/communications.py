"""Communications (F140): checked and written into the outbox once by their id, previewed as they would be sent."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Row, select

from activities.database import Database, matching
from activities.listing import Listed, NewestFirst
from activities.messages.rendering import MessageRenderer
from activities.messages.template_values import ClaimedMessage
from models.listing import ListPage
from models.messages.communication import About
from models.messages.message import MessageKind
from models.problem import refusal
from models.reports.periods import DaySpan
from models.tables.accounts import AccountRow
from models.tables.messages import CommunicationRow, MessageTemplateRow

TRANSACTIONS_AT_MOST = 1000
OPTED_OUT = "opted_out"
# Criteria are looked at for every account, or every transaction of the days.
SWEEP_SECONDS = 10 * 60.0

_COUNTED = """
    select nullif(left_out, :overruled) as left_out, count(*) as number_of
    from duly.communication_recipients(:segment_id, :transactions, :first, :last) x group by 1
"""
_FIRST = """
    select * from duly.communication_recipients(:segment_id, :transactions, :first, :last) x
    where nullif(left_out, :overruled) is null and :member in ('', account_id, transaction_id)
    order by account_id, transaction_id limit :limit
"""
_C = CommunicationRow
_LIST = NewestFirst(
    select(_C.id, _C.template_id, _C.asked, _C.counts, _C.actor, _C.reason, _C.created_at),
    moment=_C.created_at,
    key=_C.id,
    state=_C.template_id,
)


@dataclass(frozen=True)
class CommunicationOrder:
    """What is to be communicated to whom: by a template, about some transactions or a segment over some days."""

    template_id: str
    segment_id: str = ""
    transactions: tuple[str, ...] = ()
    days: DaySpan | None = None

    def recipients(self) -> dict[str, Any]:
        """Return what the database finds the recipients by."""
        days = self.days
        return {
            "segment_id": self.segment_id,
            "transactions": sorted(set(self.transactions)),
            "first": days.first if days else None,
            "last": days.last if days else None,
        }


@dataclass(frozen=True)
class CommunicationPreview:
    """Who would be written to, who is left out and why, and the first letters, subject first."""

    chosen: int
    written: int
    left_out: Mapping[str, int]
    letters: Sequence[tuple[Row[Any], str]]


class Communications:
    """Writes communications, and reads what they were."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def require_template(self, template_id: str, about: About) -> Row[Any]:
        """Return a template in use. Raises RefusedError for none, or for one that is about something else."""
        row = MessageTemplateRow
        columns = (row.id, row.about, row.texts, row.attaches_documents, row.is_required, row.is_active)
        found = await self._database.read_first(select(*columns).where(row.id == template_id))
        if found is None or not found.is_active:
            raise refusal("template", "template_exists", f"there is no template {template_id!r} in use")
        if found.about != about:
            raise refusal("template", "template_fits", f"{template_id!r} is about {found.about}, not {about}")
        return found

    async def templates(self, about: str) -> Sequence[tuple[str, str]]:
        """Return the templates in use that are about something: id and name."""
        row = MessageTemplateRow
        found = select(row.id, row.name).where(row.is_active, row.about == about).order_by(row.name, row.id)
        return [(one.id, one.name) for one in await self._database.read(found)]

    async def basis(self, template_id: str, segment_id: str, days: DaySpan | None) -> str:
        """Return what names a template, the criteria of a segment and its days as they are now.

        Read it before what is shown: what is changed between the two is then noticed when it is sent.
        """
        asked: dict[str, Any] = {
            "template_id": template_id,
            "segment_id": segment_id,
            "from": days.first if days else None,
            "to": days.last if days else None,
        }
        found = await self._database.call("communication_basis", **asked)
        return found or ""

    async def preview(
        self,
        order: CommunicationOrder,
        template: Row[Any],
        renderer: MessageRenderer,
        *,
        limit: int,
        member: str = "",
        seconds: float = SWEEP_SECONDS,
    ) -> CommunicationPreview:
        """Return what a communication would do, with the first letters as they would be sent now.

        With `member`, an account or a transaction by its id, those to it alone: none where it is left out.
        """
        # What the law or a contract requires goes to whoever has opted out, too.
        asked = {**order.recipients(), "overruled": OPTED_OUT if template.is_required else ""}
        counted = await self._database.rows(_COUNTED, **asked, timeout_seconds=seconds)
        numbers = Counter({row.left_out: row.number_of for row in counted})
        first = await self._database.rows(_FIRST, **asked, member=member, limit=limit, timeout_seconds=seconds)
        letters = [(row, await self._one_message(row, template, renderer)) for row in first]
        left_out = {reason: number for reason, number in sorted(numbers.items(), key=str) if reason is not None}
        return CommunicationPreview(numbers.total(), numbers[None], left_out, letters)

    async def known(self, id: str, template_id: str, words: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return what a communication of the id was answered with, or None. Raises RefusedError: it was another one."""
        row = CommunicationRow
        columns = (row.template_id, row.asked, row.counts)
        found = await self._database.read_first(select(*columns).where(row.id == id))
        if found is None:
            return None
        if (found.template_id, found.asked) != (template_id, words):
            raise refusal("id", "communication_same", f"{id} was another communication; take another id")
        return {**found.counts, "id": id, "is_new": False}

    async def write(
        self,
        id: str,
        order: CommunicationOrder,
        words: Mapping[str, Any],
        *,
        actor: str,
        reason: str,
        at_most: int | None = None,
        as_previewed: str | None = None,
    ) -> Mapping[str, Any]:
        """Write a communication's messages, once by its id; return its counts, and whether it is new.

        Raises RuleBrokenError for an id that was another communication, for more letters than `at_most`, and where
        `as_previewed`, the `basis` of a preview, is not what it would be made of now.
        """
        asked = order.recipients()
        answer: Mapping[str, Any] = await self._database.call(
            "communicate",
            id=id,
            template_id=order.template_id,
            segment_id=order.segment_id,
            transactions=asked["transactions"],
            **{"from": asked["first"], "to": asked["last"]},
            asked=dict(words),
            actor=actor,
            reason=reason,
            at_most=at_most,
            as_previewed=as_previewed,
            timeout_seconds=SWEEP_SECONDS,
        )
        return answer

    async def page(self, page: ListPage, *, segment_id: str) -> Listed:
        """Return a page of communications, the newest first; with a segment those to it."""
        of_segment = matching(CommunicationRow.asked["segment"].astext, segment_id)
        return await _LIST.page(self._database, page, *of_segment, with_totals=False)

    async def stop(self, account_id: str, kind: str, *, actor: str, reason: str) -> bool:
        """Stop mail to an account; False where it was stopped. Raises RuleBrokenError for no account or address."""
        return bool(
            await self._database.call("stop_mail", account_id=account_id, kind=kind, actor=actor, reason=reason)
        )

    async def allow(self, account_id: str, kind: str, *, actor: str, reason: str) -> bool:
        """Let mail go to an account again; False where it was not stopped. Raises RuleBrokenError for no account."""
        return bool(
            await self._database.call("allow_mail", account_id=account_id, kind=kind, actor=actor, reason=reason)
        )

    async def _one_message(self, recipient: Row[Any], template: Row[Any], renderer: MessageRenderer) -> str:
        row = AccountRow
        columns = (row.email, row.owner_name, row.locale, row.time_zone)
        known = await self._database.read_first(select(*columns).where(row.id == recipient.account_id))
        if known is None:
            raise refusal("account", "account_exists", f"there is no account {recipient.account_id!r}")
        place = {"account_id": recipient.account_id, "transaction_id": recipient.transaction_id}
        record = await self._database.call("communication_facts", timeout_seconds=None, **place)
        now = datetime.now(UTC)
        message = ClaimedMessage(
            id="",
            kind=MessageKind.COMMUNICATION,
            account_id=recipient.account_id,
            period="",
            run_id="",
            parameters={},
            claimed_at=now,
            created_at=now,
            installation="",
            email=known.email or "",
            name=known.owner_name,
            locale=known.locale,
            time_zone=known.time_zone,
            card_brand="",
            card_last4="",
            number="",
            link_token="",
            texts=template.texts,
            record=record,
            is_required=template.is_required,
        )
        return renderer.text_of(message, renderer.locale_of(message))


def require_order(
    segment: Row[Any] | None, transactions: Sequence[str], days: tuple[date | None, date | None]
) -> About:
    """Return what an order is about. Raises RefusedError for none, both, too many, or days of named transactions."""
    if (segment is None) == (not transactions):
        raise refusal("about", "one_of_both", "give transactions, or a segment: one of them")
    if len(transactions) > TRANSACTIONS_AT_MOST:
        raise refusal("about", "transactions_at_most", f"at most {TRANSACTIONS_AT_MOST}: make a segment of them")
    if transactions and any(days):
        raise refusal("from", "days_of_segment", "days are of a segment: transactions are named")
    if segment is not None and not segment.is_active:
        raise refusal("segment", "segment_in_use", f"{segment.id!r} is out of use")
    return About(segment.about) if segment is not None else About.TRANSACTIONS
