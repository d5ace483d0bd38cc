"""The list of vouchers, and the page of a voucher or of its batch; codes are known to nobody."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row
from starlette.responses import Response

from activities.database import Database
from activities.listing import Listed
from activities.vouchers.vouchers import Vouchers
from models.listing import ListPage
from models.operations.voucher_states import VOUCHER
from models.vouchers.voucher import VoucherState
from web.actions.forms import links_of
from web.context import Visit
from web.views.cells import Cell, Column, Table, day, link, listed, moment, money, named, state, table_of, text
from web.views.listing import Filter, Given, ListOfNoun
from web.views.objects import Facts, ObjectPage, show_object


async def _vouchers(database: Database, page: ListPage, given: Given) -> Listed:
    wanted = VoucherState(given["state"]) if given["state"] else None
    return await Vouchers(database).page(page, batch=given["batch"], account_id=given["account"], state=wanted)


VOUCHERS = ListOfNoun(
    "vouchers",
    "Vouchers",
    (
        Column("Voucher", lambda row: link("vouchers", row.number)),
        Column("Batch", lambda row: link("vouchers", row.batch)),
        Column("Type", lambda row: text(row.type_id)),
        Column("Amount", lambda row: money(row.amount_minor, row.currency), is_money=True),
        Column("State", lambda row: state(VOUCHER.word(row.state))),
        Column("Expires", lambda row: day(row.expires_on)),
        Column("Bought by", lambda row: link("accounts", row.bought_by)),
        Column("Redeemed by", lambda row: link("accounts", row.account_id)),
        Column("Payment", lambda row: link("transactions", row.payment)),
        Column("Issued", lambda row: moment(row.issued_at)),
    ),
    (Filter("state", "State", tuple(VOUCHER.words)), Filter("batch", "Batch"), Filter("account", "Account")),
    _vouchers,
    "No voucher has been issued.",
)


async def show_voucher(visit: Visit) -> Response:
    """Show a voucher or a batch by its number or id. Raises RefusedError (voucher_exists)."""
    id, vouchers = visit.request.path_params["id"], Vouchers(visit.web.reading)
    found = await vouchers.voucher(id)
    if found is not None:
        return show_object(visit, _of_voucher(visit, found))
    batch = await vouchers.batch(id)
    return show_object(visit, _of_batch(visit, batch, await vouchers.counts(batch.id), await vouchers.steps(batch.id)))


def _of_voucher(visit: Visit, found: Row[Any]) -> ObjectPage:
    return ObjectPage(
        title=found.number,
        kind="voucher",
        state=state(VOUCHER.word(found.state)),
        actions=links_of(visit, "vouchers", found.number, found.state),
        sentence=f"{found.number}: {VOUCHER.words[found.state]}.",
        figures=(("Worth", money(found.amount_minor, found.currency)),),
        facts=(
            ("Batch", link("vouchers", found.batch)),
            *_shared(found),
            ("Bought by", link("accounts", found.bought_by)),
            ("Redeemed by", link("accounts", found.account_id)),
            ("Payment", link("transactions", found.payment)),
            ("Over since", day(found.ended_on)),
        ),
    )


def _of_batch(visit: Visit, batch: Row[Any], counts: Mapping[str, int], steps: Sequence[Row[Any]]) -> ObjectPage:
    is_out = bool(counts.get(VoucherState.ISSUED))
    word = VoucherState.ISSUED if is_out else "over"
    return ObjectPage(
        title=batch.number,
        kind="batch of vouchers",
        state=state(word),
        actions=links_of(visit, "vouchers", batch.number, word),
        figures=(
            ("Each is worth", money(batch.amount_minor, batch.currency)),
            *((_head(one), _count(batch, one, number)) for one, number in counts.items()),
        ),
        facts=(
            *_shared(batch),
            ("Vouchers", named(Cell("v", listed("vouchers", batch=batch.number)), f"{batch.vouchers:,}")),
            ("Bought by", link("accounts", batch.account_id)),
        ),
        tables=(_steps(steps),),
    )


def _shared(row: Row[Any]) -> Facts:
    return (
        ("Type", text(row.type_id)),
        ("Issued", moment(row.issued_at)),
        ("Last day", day(row.expires_on) if row.expires_on else text("none")),
    )


def _count(batch: Row[Any], word: str, number: int) -> Cell:
    return Cell(f"{number:,}", listed("vouchers", batch=batch.number, state=word))


def _head(word: str) -> str:
    # When it was issued stands beside it.
    return "Still out" if word == VoucherState.ISSUED else word.capitalize()


def _steps(steps: Sequence[Row[Any]]) -> Table:
    columns = (
        Column("Posted", lambda row: day(row.posted_on)),
        Column("What", lambda row: text(row.kind)),
        Column("Amount", lambda row: money(row.amount_minor, row.currency), is_money=True),
        Column("Account", lambda row: link("accounts", row.account_id)),
        Column("Document", lambda row: link("transactions", row.document)),
        Column("Who", lambda row: text(row.actor)),
        Column("Why", lambda row: text(row.reason)),
    )
    return table_of("What has moved them", columns, steps)
