"""Bills as their customer sees them: a page of each with what is unsettled, its file, and paying it at once (X57)."""

import re
from typing import Any
from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import Response

from activities.books.bills import Bills
from activities.listing import Listed
from activities.printouts.bills.printing import BillPrinting
from models.listing import ListPage
from models.printouts.facts import PrintFormat
from models.printouts.formats import MEDIA_TYPES
from models.problem import RefusedError
from web.portal.acting import key_of, unknown
from web.portal.context import PortalVisit
from web.portal.limits import FILES
from web.portal.paying import pay_invoices
from web.portal.views import AT_ONCE

_PAGE = 24
_ID = re.compile(r"bill_[0-9]{1,18}")
_FORMATS = (PrintFormat.PDF, PrintFormat.XLSX)


async def show_bills(visit: PortalVisit) -> Response:
    """Show a page of bills, the newest first."""
    after = visit.request.query_params.get("after", "")
    listed = await _page(visit, (await _mine(visit, after)).id if after else "")
    return visit.page("bills/list.html", bills=listed.rows, older=listed.following or "", is_older=bool(after))


async def show_bill(visit: PortalVisit) -> Response:
    """Show a bill with its documents, and let what is unsettled of them be paid."""
    bill = await _mine(visit, visit.request.path_params["id"])
    documents = await Bills(visit.portal.reading).documents(bill.id)
    free = await _free_of(visit, documents)
    return visit.page("bills/bill.html", bill=bill, documents=documents, free=free, key=visit.key)


async def give_bill(visit: PortalVisit) -> Response:
    """Give out a bill as a file, with what is unsettled of it today."""
    bill = await _mine(visit, visit.request.path_params["id"])
    format = next((one for one in _FORMATS if one == visit.request.path_params["format"]), None)
    if format is None:
        raise HTTPException(404)
    visit.require(FILES, "files")
    try:
        async with visit.portal.printing:
            printed = await BillPrinting(visit.portal.reading).bill(bill.id, format)
    except RefusedError:
        return visit.message("not_printed", 409)
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(printed.name, safe='')}"}
    return Response(printed.content, media_type=MEDIA_TYPES[format], headers=headers)


async def pay_bill(visit: PortalVisit, form: FormData) -> Response:
    """Open one page on which all that is unsettled of a bill, and that nobody asks for yet, is paid."""
    bill = await _mine(visit, visit.request.path_params["id"])
    key = key_of(form, visit.customer.account_id)
    documents = await Bills(visit.portal.reading).documents(bill.id)
    # Sent twice, they are asked for by the first: then its page is opened again.
    ours = [row.invoice_id for row in await visit.queries.claimed() if row.request_id == f"portal-{key}"]
    wanted = ours or [row.id for row in await _free_of(visit, documents) or _unsettled(documents)][:AT_ONCE]
    if not wanted:
        return visit.message("not_payable", 409)
    title = f"{visit.reader.text('bill')} {bill.number}"
    return await pay_invoices(visit, key, wanted, title) or await unknown(visit, show_bill, form)


async def _page(visit: PortalVisit, after: str) -> Listed:
    page = ListPage(after=after, limit=_PAGE, is_totalled=False)
    bills, account = Bills(visit.portal.reading), visit.customer.account_id
    return await bills.page(page, account_id=account, period="", state="", is_exceptional=False, is_unsettled=False)


async def _mine(visit: PortalVisit, id: str) -> Any:
    """Return a bill by its id. Raises HTTPException (404): the account has none such."""
    if not _ID.fullmatch(id):
        raise HTTPException(404)
    try:
        found = await Bills(visit.portal.reading).require(id)
    except RefusedError as error:
        raise HTTPException(404) from error
    if found.account_id != visit.customer.account_id:
        raise HTTPException(404)
    return found


async def _free_of(visit: PortalVisit, documents: Any) -> list[Any]:
    claimed = {row.invoice_id for row in await visit.queries.claimed()}
    return [row for row in _unsettled(documents) if row.id not in claimed][:AT_ONCE]


def _unsettled(documents: Any) -> list[Any]:
    return [row for row in documents if row.classification == "invoice" and row.unsettled_minor]
