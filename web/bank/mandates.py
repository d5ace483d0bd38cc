"""How an account pays, on its page: its ways to pay, its mandates, and what its bank was asked for by them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from activities.bank.debits.mandates import Mandates
from models.listing import ListPage
from models.operations.bank_states import DEBIT, MANDATE
from models.payments.preference import preference_number
from web.context import Visit
from web.views.cells import Cell, Column, Table, day, link, money, state, table_of, text

_SHOWN = 12


async def ways_to_pay(visit: Visit, account: str, preferences: Sequence[Row[Any]]) -> tuple[Table, ...]:
    """Return the tables of how an account pays; no mandates and debits of one that never had a mandate."""
    columns = (
        Column("Preference", lambda row: text(preference_number(row.number))),
        Column("Method", lambda row: text(row.method)),
        Column("Preferred", lambda row: text("yes" if row.is_preferred else "")),
    )
    ways = table_of("Ways to pay", columns, preferences)
    known, newest = Mandates(visit.web.reading), ListPage(limit=_SHOWN, is_totalled=False)
    mandates = (await known.page(newest, account_id=account, state="")).rows
    if not mandates:
        return (ways,)
    return ways, _mandates(mandates), _debits((await known.debits(newest, account_id=account, state="")).rows)


def _mandates(rows: Sequence[Row[Any]]) -> Table:
    columns = (
        Column("Mandate", lambda row: Cell(row.id, is_id=True)),
        Column("State", lambda row: state(MANDATE.word(row.state))),
        Column("Because", lambda row: text(row.state_reason)),
        Column("Payer", lambda row: text(row.payer_name)),
        Column("IBAN ends in", lambda row: text(row.iban_end)),
        Column("Signed", lambda row: day(row.signed_on)),
        Column("Last debit", lambda row: day(row.last_used_on)),
        Column("Provider", lambda row: text(row.provider_id)),
    )
    return table_of("Mandates", columns, rows)


def _debits(rows: Sequence[Row[Any]]) -> Table:
    columns = (
        Column("Debit", lambda row: Cell(row.id, is_id=True)),
        Column("State", lambda row: state(DEBIT.word(row.state))),
        Column("Collected on", lambda row: day(row.collect_on)),
        Column("Amount", lambda row: money(row.amount_minor, row.currency), is_money=True),
        Column("Reason", lambda row: text(row.code)),
        Column("Mandate", lambda row: text(row.mandate_id)),
        Column("File", lambda row: link("debit-files", row.batch_id) if row.batch_id else text("")),
    )
    return table_of("Bank debits", columns, rows, empty="Nothing was debited yet.")
