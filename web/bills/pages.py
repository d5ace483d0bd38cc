"""Bills: their list, the page of one with its documents and steps, and its file as its customer gets it."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from sqlalchemy import Row
from starlette.exceptions import HTTPException
from starlette.responses import Response

from activities.books.bills import Bills
from activities.database import Database
from activities.listing import Listed
from activities.printouts.bills.printing import BillPrinting
from models.listing import ListPage
from models.operations.ledger_states import BILL
from models.printouts.facts import PrintFormat
from models.printouts.formats import MEDIA_TYPES
from web.context import Visit
from web.views.cells import Column, Table, address, day, link, listed, moment, money, state, table_of, text
from web.views.listing import Filter, Given, ListOfNoun
from web.views.money_lists import ACCOUNT_COLUMN
from web.views.objects import ActionLink, ObjectPage, show_object

_SHOWN = 12
_FORMATS = (PrintFormat.PDF, PrintFormat.XLSX)


async def _bills(database: Database, page: ListPage, given: Given) -> Listed:
    return await Bills(database).page(
        page,
        account_id=given["account"],
        period=given["period"],
        state=given["state"],
        is_exceptional=given["exceptional"] == "yes",
        is_unsettled=given["unsettled"] == "yes",
    )


_COLUMNS = (
    Column("Bill", lambda row: link("bills", row.id, row.number)),
    Column("Period", lambda row: text(row.period)),
    Column("Outstanding when made", lambda row: money(row.outstanding_minor, row.currency), is_money=True),
    Column("Unsettled", lambda row: money(row.unsettled_minor, row.currency), is_money=True),
    Column("State", lambda row: state(BILL.word(row.state))),
    Column("Exceptional", lambda row: text("yes" if row.is_exceptional else "")),
    Column("Made", lambda row: moment(row.made_at)),
)
BILLS = ListOfNoun(
    "bills",
    "Bills",
    (_COLUMNS[0], ACCOUNT_COLUMN, *_COLUMNS[1:]),
    (
        Filter("account", "Account"),
        Filter("period", "Period"),
        Filter("state", "State", tuple(BILL.words)),
        Filter("unsettled", "Unsettled", ("yes",)),
        Filter("exceptional", "Exceptional", ("yes",)),
    ),
    _bills,
    "No bill has been made: billing runs make them, or `duly bills make`.",
)


async def bills_of(visit: Visit, account_id: str) -> Table:
    """Return the newest bills of an account."""
    rows = await Bills(visit.web.reading).history(account_id, "", _SHOWN, is_exceptional=False)
    return table_of("Bills", _COLUMNS, rows, empty="No bill was made.", more=listed("bills", account=account_id))


async def show_bill(visit: Visit) -> Response:
    """Show a bill: what was brought forward, its documents, where it stands, and its file."""
    bills = Bills(visit.web.reading)
    bill = await bills.require(visit.request.path_params["id"])
    documents = await bills.documents(bill.id)
    steps = await bills.steps(bill.id)
    limit = bill.exceeded_minor
    shown = ObjectPage(
        title=bill.number,
        kind=f"bill of {bill.period}",
        state=state(BILL.word(bill.state)),
        figures=(
            ("Outstanding when made", money(bill.outstanding_minor, bill.currency)),
            ("Unsettled", money(bill.unsettled_minor, bill.currency)),
        ),
        facts=(
            ("Account", link("accounts", bill.account_id)),
            ("Brought forward", money(bill.brought_forward_minor, bill.currency)),
            ("Debited since the bill before", money(bill.debited_minor, bill.currency)),
            ("Credited since the bill before", money(bill.credited_minor, bill.currency)),
            ("Invoices", money(bill.invoiced_minor, bill.currency)),
            ("Credit notes", money(bill.credit_notes_minor, bill.currency)),
            ("Above the limit of", text("") if limit is None else money(limit, bill.currency)),
            ("Run", link("runs", bill.run_id)),
            ("Made", moment(bill.made_at)),
        ),
        # What a caller asks for: above the facts, and not below all tables.
        actions=[
            ActionLink(f"As {format.upper()}", f"{address('bills', bill.id)}/file/{format}") for format in _FORMATS
        ],
        tables=(_documents(documents, bill.currency), _steps(steps)),
    )
    return show_object(visit, shown)


async def give_bill(visit: Visit) -> Response:
    """Give out a bill as its customer gets it, with what is unsettled today."""
    format = next((one for one in _FORMATS if one == visit.request.path_params["format"]), None)
    if format is None:
        raise HTTPException(404)
    async with visit.web.reports.of(visit.user.id):
        printed = await BillPrinting(visit.web.reading).bill(visit.request.path_params["id"], format)
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(printed.name, safe='')}"}
    return Response(printed.content, media_type=MEDIA_TYPES[format], headers=headers)


def _documents(rows: Sequence[Row[Any]], currency: str) -> Table:
    columns = (
        Column("Number", lambda row: link("transactions", row.id, row.number)),
        Column("Kind", lambda row: text(row.classification.replace("_", " "))),
        Column("Posted", lambda row: day(row.posted_on)),
        Column("Due", lambda row: day(row.due_on)),
        Column("Total", lambda row: money(row.total_minor, currency), is_money=True),
        Column("Unsettled", lambda row: money(row.unsettled_minor, currency), is_money=True),
    )
    return table_of("Invoices and credit notes", columns, rows, empty="Nothing was billed; a balance was brought on.")


def _steps(rows: Sequence[Row[Any]]) -> Table:
    columns = (
        Column("State", lambda row: state(BILL.word(row.state))),
        Column("Who", lambda row: text(row.actor)),
        Column("Why", lambda row: text(row.reason)),
        Column("When", lambda row: moment(row.at)),
    )
    return table_of("Presented, confirmed, rejected", columns, rows, empty="It was not presented.")
