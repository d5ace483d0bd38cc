"""Lists of what is in files for the bank: the refunds of a month, and the debits of a batch."""

from collections.abc import Mapping, Sequence
from typing import Any

from activities.bank.release.file_members import BankFileMembers
from activities.database import Database
from activities.listing import Listed
from models.console.approval import LimitedKind
from models.listing import ListPage
from models.operations.bank_states import DEBIT
from models.operations.ledger_states import TRANSACTION
from web.views.cells import Column, Table, day, link, listed, money, state, table_of, text
from web.views.listing import Filter, Given, ListOfNoun

_SHOWN = 50


async def _refunds(database: Database, page: ListPage, given: Given) -> Listed:
    return await BankFileMembers(database).page(LimitedKind.REFUND_FILE, given["month"], page)


async def _debits(database: Database, page: ListPage, given: Given) -> Listed:
    return await BankFileMembers(database).page(LimitedKind.DEBIT_FILE, given["batch"], page)


def _stands(row: Any) -> str:
    """Return where a refund stands: what a restored database was shown of a file is with the bank."""
    return "at_bank" if row.is_at_bank and row.state == "draft" else TRANSACTION.word(row.state)


_WHO = (
    Column("Account", lambda row: link("accounts", row.account_id)),
    Column("Owner", lambda row: text(row.owner_name)),
    Column("Amount", lambda row: money(row.amount_minor, row.currency), is_money=True),
)
REFUNDS_OF_FILE = ListOfNoun(
    "file-refunds",
    "Refunds of a month by bank transfer",
    (
        Column("Refund", lambda row: link("transactions", row.id, row.number or row.reference_number)),
        *_WHO,
        Column("State", lambda row: state(_stands(row))),
    ),
    (Filter("month", "Month"),),
    _refunds,
    "Nobody is refunded by it.",
    has_days=False,
    required="month",
)
DEBITS_OF_FILE = ListOfNoun(
    "file-debits",
    "Debits of a batch",
    (
        Column("Debit", lambda row: link("payments", row.request_id, row.id)),
        *_WHO,
        Column("State", lambda row: state(DEBIT.word(row.state))),
        Column("Why", lambda row: text(row.code)),
        Column("Collected on", lambda row: day(row.collect_on)),
        Column("Mandate", lambda row: text(f"{row.mandate_id} ({row.sequence_type})")),
    ),
    (Filter("batch", "Batch"),),
    _debits,
    "No debit is in it.",
    has_days=False,
    required="batch",
)
_OF_KIND: Mapping[LimitedKind, ListOfNoun] = {
    LimitedKind.REFUND_FILE: REFUNDS_OF_FILE,
    LimitedKind.DEBIT_FILE: DEBITS_OF_FILE,
}
MEMBER_LISTS: Sequence[ListOfNoun] = tuple(_OF_KIND.values())


async def members_of(database: Database, kind: LimitedKind, subject: str) -> Table:
    """Return the first of what is in a file, with the address of all of it."""
    of = _OF_KIND[kind]
    found = await of.read(database, ListPage(limit=_SHOWN, is_totalled=False), {of.required: subject})
    more = listed(of.noun, **{of.required: subject}) if found.following else ""
    return table_of("In the file", of.columns, found.rows, empty=of.empty, more=more)
