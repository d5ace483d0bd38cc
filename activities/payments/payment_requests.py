"""Payment requests in the database: made with their claim in one commit, mailed, ended, read."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row, select
from temporalio import activity

from activities.business_events import announce
from activities.database import Database, RuleBrokenError, matching
from activities.listing import Listed, NewestFirst, of_word
from activities.payments.hold_activities import HoldActivities
from activities.request_tokens import RequestLinks
from models.listing import ListPage
from models.money import Money
from models.operations.event_names import EventName
from models.operations.payment_states import PAYMENT_REQUEST
from models.operations.request_events import PaymentRequestMoved
from models.payments.attachment import RequestFile
from models.payments.card_payment import NotedCardPayment
from models.payments.payment_request import (
    NotedPageOrder,
    PaymentLink,
    PaymentRequestEnd,
    PaymentRequestInput,
    PaymentRequestMail,
    PaymentRequestState,
    StoredPaymentRequest,
    link_of,
)
from models.tables.collecting import PaymentRequestRow, RequestAttachmentRow

_STORED = TypeAdapter(StoredPaymentRequest)
_ENDS = {
    PaymentRequestState.PAID: EventName.LINK_PAID,
    PaymentRequestState.EXPIRED: EventName.LINK_EXPIRED,
    PaymentRequestState.WITHDRAWN: EventName.LINK_WITHDRAWN,
}
_Q = PaymentRequestRow
_REQUESTS = select(
    _Q.id,
    _Q.account_id,
    _Q.period,
    _Q.provider_id.label("provider"),
    _Q.title,
    _Q.description,
    _Q.state,
    _Q.end_reason.label("reason"),
    _Q.amount_minor,
    _Q.least_minor,
    _Q.most_minor,
    _Q.payers,
    _Q.opened_by,
    _Q.currency,
    _Q.invoices,
    _Q.sender,
    _Q.sender_email,
    _Q.is_mailed,
    _Q.decisions,
    _Q.created_at,
    _Q.expires_at,
    _Q.closed_at,
)
_LIST = NewestFirst(
    _REQUESTS, moment=_Q.created_at, key=_Q.id, state=_Q.state, amount=_Q.amount_minor, currency=_Q.currency
)


class PaymentRequestActivities:
    """Activities of a payment request in the database. Each is one commit, and safe to repeat."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker, that of what a rule holds with them."""
        return [
            self.open_payment_request,
            self.load_payment_request,
            self.hand_out_link,
            self.note_page_order,
            self.note_card_payment,
            self.mail_payment_request,
            self.end_payment_request,
            *HoldActivities(self._database).all(),
        ]

    @activity.defn
    async def open_payment_request(self, request: PaymentRequestInput) -> StoredPaymentRequest:
        """Make a request with the claim on what it names, or read it again.

        Raises RuleBrokenError: other terms under the same id, or what cannot be asked for; then nothing was written.
        """
        if request.terms is None:
            return await self.load_payment_request(request.request_id)
        stored = await open_payment_request(self._database, request)
        return self._announced(EventName.LINK_OPENED, stored)

    @activity.defn
    async def load_payment_request(self, request_id: str) -> StoredPaymentRequest:
        """Read a request as it is now. Raises RuleBrokenError when there is none."""
        stored = await self._database.call("payment_request_by_id", id=request_id)
        if stored is None:
            raise RuleBrokenError("payment_request_exists", f"request_id: there is no payment request {request_id!r}")
        return _STORED.validate_python(stored)

    @activity.defn
    async def hand_out_link(self, request: PaymentRequestInput) -> PaymentLink:
        """Return a link of a request to whoever starts it; a repeat returns another one, which is as good.

        Raises RuleBrokenError: the request was made with other terms.
        """
        stored = _STORED.validate_python(await open_payment_request(self._database, request))
        return link_of(stored, await RequestLinks(self._database).made(stored.request_id))

    @activity.defn
    async def note_page_order(self, noted: NotedPageOrder) -> StoredPaymentRequest:
        """Keep who opens a page, and the amount that they have chosen. Raises RuleBrokenError beyond the limits."""
        order = noted.order
        stored = await self._database.call(
            "note_page_order", id=noted.request_id, amount=order.amount_minor, payer=order.payer
        )
        return _STORED.validate_python(stored)

    @activity.defn
    async def note_card_payment(self, noted: NotedCardPayment) -> str:
        """Keep who pays a request by a card on file, and return that card.

        Raises RuleBrokenError: the request is over, or no card of the account may be charged.
        """
        command = noted.command
        card: str = await self._database.call(
            "note_card_payment",
            id=noted.request_id,
            card_id=command.card_id,
            actor=command.actor,
            because=command.reason,
        )
        return card

    @activity.defn
    async def mail_payment_request(self, mail: PaymentRequestMail) -> None:
        """Write the message with the link, once for each transition. Raises RuleBrokenError: there is no address."""
        await self._database.call(
            "send_payment_request",
            id=mail.request_id,
            reason=mail.reason,
            transition=mail.transition,
            actor=mail.actor,
            because=mail.because,
        )

    @activity.defn
    async def end_payment_request(self, end: PaymentRequestEnd) -> StoredPaymentRequest:
        """End a request and let go of its claim; when its money has come, it is paid whatever was wanted.

        Raises RuleBrokenError while an attempt may still succeed.
        """
        stored = await self._database.call(
            "end_payment_request",
            id=end.request_id,
            state=end.state,
            reason=end.reason,
            actor=end.actor,
            because=end.because,
        )
        return self._announced(_ENDS[PaymentRequestState(stored["state"])], stored)

    def _announced(self, name: EventName, stored: Any) -> StoredPaymentRequest:
        request = _STORED.validate_python(stored)
        money = Money(request.amount_minor, request.currency)
        announce(PaymentRequestMoved(name, request.request_id, request.account_id, money))
        return request


async def open_payment_request(
    database: Database, request: PaymentRequestInput, files: Sequence[RequestFile] = ()
) -> Any:
    """Write a request with its claim and its files, or return it as it was written before. Raises RuleBrokenError."""
    if (terms := request.terms) is None:
        raise RuleBrokenError("payment_request_exists", f"terms: {request.request_id!r} has none to be made with")
    return await database.call(
        "create_payment_request",
        id=request.request_id,
        account_id=terms.account_id,
        provider_id=request.provider,
        title=terms.title,
        description=terms.description,
        asked=terms.amount_minor or None,
        currency=terms.currency,
        invoices=list(terms.invoices),
        valid_days=terms.valid_days,
        sender=terms.sender,
        sender_email=terms.sender_email,
        reason=terms.reason,
        is_mailed=terms.is_mailed,
        least=terms.least_minor or None,
        most=terms.most_minor or None,
        payers=list(terms.payers),
        owner_name=terms.owner_name,
        owner_email=terms.owner_email,
        valid_seconds=terms.valid_seconds or None,
        **_arrays_of(files),
    )


def _arrays_of(files: Sequence[RequestFile]) -> dict[str, Any]:
    """Return files as the database takes them; nothing where there are none, which most requests have."""
    if not files:
        return {}
    return {
        "file_names": [file.name for file in files],
        "file_types": [file.media_type for file in files],
        "file_contents": [file.content for file in files],
    }


async def attach(database: Database, request_id: str, file: RequestFile, actor: str) -> int:
    """Attach a file to a request; a repeat finds it. Returns its place. Raises RuleBrokenError: over, or too many."""
    place: int = await database.call(
        "attach_to_request",
        id=request_id,
        name=file.name,
        media_type=file.media_type,
        content=file.content,
        actor=actor,
    )
    return place


class PaymentRequestQueries:
    """Payment requests as the command line shows them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, request_id: str) -> Row[Any] | None:
        """Return one request, or None."""
        return await self._database.read_first(_REQUESTS.where(_Q.id == request_id))

    async def files(self, request_id: str) -> list[str]:
        """Return the names of the files that are attached to a request, in their order."""
        row = RequestAttachmentRow
        found = await self._database.read(select(row.name).where(row.request_id == request_id).order_by(row.place))
        return [each.name for each in found]

    async def chosen(self, ids: Sequence[str]) -> Sequence[Row[Any]]:
        """Return the requests that somebody has chosen, the newest first."""
        return await _LIST.chosen(self._database, ids)

    async def page(self, page: ListPage, *, state: str, account_id: str) -> Listed:
        """Return a page of requests, the newest first; empty filters let all through."""
        filters = (*of_word(_Q.state, PAYMENT_REQUEST, state), *matching(_Q.account_id, account_id))
        return await _LIST.page(self._database, page, *filters)
