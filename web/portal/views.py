"""What a customer sees: what is open, documents and their files, payments, subscriptions."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException
from starlette.responses import Response

from activities.ledger.account_queries import AccountQueries
from activities.ledger.statement_queries import StatementQueries
from activities.ledger.transaction_queries import TransactionQueries, sequence_number
from activities.portal.queries import PAYMENTS
from activities.printouts.printing import Printing
from activities.subscriptions.subscriptions import Subscriptions
from models.gateway.decline import Decline, DeclineClass, classify
from models.listing import ListPage
from models.printouts.facts import OF_ACCOUNTS, DocumentKind, PrintFormat
from models.printouts.formats import MEDIA_TYPES
from models.problem import RefusedError
from web.portal.context import PortalVisit
from web.portal.limits import FILES

_PAGE = 25
_SUBSCRIPTIONS = 100
# One page of the gateway's is for so many invoices.
AT_ONCE = 50
_NEWEST = 2**62
_KINDS = tuple(kind for kind in DocumentKind if kind not in OF_ACCOUNTS)
_ID = re.compile(r"ft_[0-9]{1,18}")
_FORMATS = (PrintFormat.PDF, PrintFormat.FACTUR_X, PrintFormat.XLSX)


async def show_overview(visit: PortalVisit) -> Response:
    """Show what is open, and let it be paid."""
    id = visit.customer.account_id
    now = await StatementQueries(visit.portal.reading).now(id)
    unsettled = await AccountQueries(visit.portal.reading).unsettled(id)
    claimed = await visit.queries.claimed()
    return visit.page(
        "overview.html",
        now=now,
        unsettled=unsettled,
        under_way=under_way(claimed),
        came_late_minor=await visit.queries.came_after_its_end() if visit.customer.is_ended else 0,
        free=free_of(unsettled, claimed),
        declined=[_declined(visit, row) for row in await visit.queries.declined()],
        cards=await visit.queries.cards(),
        today=_today(visit),
        key=visit.key,
    )


def free_of(unsettled: Sequence[Any], claimed: Sequence[Any]) -> list[Any]:
    """Return the open invoices that nobody asks for yet, the oldest first: what may be paid at once."""
    invoices = {row.invoice_id for row in claimed}
    return [row for row in unsettled if row.transaction_id not in invoices][:AT_ONCE]


def under_way(claimed: Sequence[Any]) -> Mapping[str, bool]:
    """Return of which invoices a payment has no final answer yet, and whether its customer pays on a page."""
    return {row.invoice_id: row.is_on_page for row in claimed if row.is_on_page is not None}


def _declined(visit: PortalVisit, row: Any) -> Mapping[str, str]:
    """Say what was declined, and which advice there is: of what is the bank's secret, that of a card that is over."""
    kind = classify(Decline(row.code, row.decline_code, row.advice_code, row.network_decline_code))
    advice = DeclineClass.HARD if kind is DeclineClass.FRAUD else kind
    reader, card = visit.reader, f"{row.brand or ''} {row.last4 or ''}".strip()
    shown = {
        "day": reader.day(row.sent_at.astimezone(ZoneInfo(visit.customer.time_zone)).date()),
        "amount": reader.money(row.amount_minor, row.currency),
    }
    what = reader.text("declined_on", card=card, **shown) if card else reader.text("declined_elsewhere", **shown)
    return {"what": what, "advice": advice.value}


async def show_documents(visit: PortalVisit) -> Response:
    """Show a page of documents, the newest first."""
    return await _list(visit, _KINDS, "documents")


async def show_payments(visit: PortalVisit) -> Response:
    """Show a page of what was paid and given back, the newest first."""
    return await _list(visit, PAYMENTS, "payments")


async def show_document(visit: PortalVisit) -> Response:
    """Show a document with its lines, and where its files are."""
    found = await _mine(visit)
    lines = await TransactionQueries(visit.portal.reading).lines(found.id)
    return visit.page(
        "document.html",
        document=found,
        lines=lines,
        under_way=under_way(await visit.queries.claimed()),
        today=_today(visit),
        key=visit.key,
    )


async def give_file(visit: PortalVisit) -> Response:
    """Give out a document as it was printed, or print it now."""
    found = await _mine(visit)
    format = next((one for one in _FORMATS if one == visit.request.path_params["format"]), None)
    if format is None:
        raise HTTPException(404)
    visit.require(FILES, "files")
    try:
        async with visit.portal.printing:
            printed = await Printing(visit.portal.writing).document(found.id, format)
    except RefusedError as refused:
        if any(one.rule == "address_known" for one in refused.problems):
            return visit.message("no_address", 409, way="details")
        return visit.message("not_printed", 409)
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(printed.name, safe='')}"}
    return Response(printed.content, media_type=MEDIA_TYPES[format], headers=headers)


async def show_subscriptions(visit: PortalVisit) -> Response:
    """Show what the account buys."""
    page = ListPage(limit=_SUBSCRIPTIONS, is_totalled=False)
    listed = await Subscriptions(visit.portal.reading).page(page, account_id=visit.customer.account_id, state="")
    return visit.page("subscriptions.html", subscriptions=listed.rows)


async def _list(visit: PortalVisit, kinds: Any, name: str) -> Response:
    before = visit.request.query_params.get("before", "")
    if before and not _ID.fullmatch(before):
        raise HTTPException(404)
    number = sequence_number(before) if before else _NEWEST
    rows = await visit.queries.documents(kinds, before=number, limit=_PAGE + 1)
    older = rows[_PAGE - 1].id if len(rows) > _PAGE else ""
    return visit.page(
        "documents.html", name=name, rows=rows[:_PAGE], older=older, is_older=bool(before), today=_today(visit)
    )


async def _mine(visit: PortalVisit) -> Any:
    """Return the document of an address. Raises HTTPException (404): the account has none such."""
    found = await visit.queries.document(document_id(visit))
    if found is None or found.classification not in _KINDS:
        raise HTTPException(404)
    return found


def document_id(visit: PortalVisit) -> str:
    """Return the id of an address. Raises HTTPException (404): it is written like none, and is not looked up."""
    id = str(visit.request.path_params["id"])
    if not _ID.fullmatch(id):
        raise HTTPException(404)
    return id


def _today(visit: PortalVisit) -> date:
    return datetime.now(ZoneInfo(visit.customer.time_zone)).date()
