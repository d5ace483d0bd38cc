"""The list of merchants, and the page of one: how it is paid, where its account stands, and what has to be done."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from sqlalchemy import Row
from starlette.responses import Response

from activities.database import Database, RuleBrokenError
from activities.listing import Listed
from activities.merchants.connections import MerchantConnectionQueries, load_connection
from activities.merchants.overview import SHOWN_AT_MOST, MerchantOverview
from activities.reductions.merchants import Merchants
from commands.formatting import money as money_text
from commands.merchants.connections import owner_link
from models.console.roles import Permission
from models.listing import ListPage
from models.merchants.account import ConnectionState, Flow
from models.merchants.connection import StoredConnection
from models.operations.record_states import MERCHANT_CONNECTION
from models.problem import refusal
from models.workflow_ids import merchant_connection_id
from web.actions.forms import links_of
from web.context import Visit
from web.merchants.steps import next_step
from web.views.cells import Cell, Column, Table, address, link, moment, money, state, table_of, text, words
from web.views.listing import Filter, Given, ListOfNoun
from web.views.objects import ObjectPage, show_object, show_part, stripe, temporal

_FLOWS = {
    Flow.DIRECT: "direct: on its own account",
    Flow.DESTINATION: "destination: by the platform, which passes it on",
}


async def _merchants(database: Database, page: ListPage, given: Given) -> Listed:
    del page
    connections = await MerchantConnectionQueries(database).by_merchant()
    rows = [
        (row, connections.get(row.id))
        for row in await Merchants(database).everything()
        if given["flow"] in {"", row.flow}
    ]
    wanted = [row for row in rows if given["state"] in {"", _word(row[1])}]
    return Listed(wanted, None, is_totalled=False)  # type: ignore[arg-type]  # pairs of rows


def _word(connection: Row[Any] | StoredConnection | None) -> str:
    return MERCHANT_CONNECTION.word(connection.state if connection else "")


MERCHANTS = ListOfNoun(
    "merchants",
    "Merchants",
    (
        Column("Merchant", lambda row: link("merchants", row[0].id)),
        Column("Name", lambda row: text(row[0].name)),
        Column("Currency", lambda row: text(row[0].currency)),
        Column("Flow", lambda row: text(row[0].flow)),
        Column("Payments", lambda row: text("on" if row[0].takes_payments else "off")),
        Column("Account at the gateway", lambda row: text(row[1].gateway_account if row[1] else "")),
        Column("State", lambda row: state(_word(row[1]))),
        Column("Read", lambda row: moment(row[1].checked_at if row[1] else None)),
    ),
    (Filter("state", "State", tuple(MERCHANT_CONNECTION.words)), Filter("flow", "Flow", tuple(Flow))),
    _merchants,
    "There is no merchant: `duly merchants apply` makes them of a document.",
    has_days=False,
)


async def show_merchant(visit: Visit) -> Response:
    """Show a merchant. Raises RefusedError (merchant_exists)."""
    id, database = visit.request.path_params["id"], visit.web.reading
    row = next((one for one in await Merchants(database).everything() if one.id == id), None)
    if row is None:
        raise refusal("merchant", "merchant_exists", f"there is no merchant {id!r}")
    stored, overview = await _stored(database, id), MerchantOverview(database)
    providers = await overview.providers(id)
    discrepancies = await overview.discrepancies([one.id for one in providers])
    shown = ObjectPage(
        title=f"{id}: {row.name}",
        kind="merchant",
        state=state(_word(stored)),
        actions=links_of(visit, "merchants", id, _word(stored)),
        sentence=next_step(row, stored, providers, has_discrepancies=bool(discrepancies)),
        figures=_figures(await overview.balances([one.id for one in providers])),
        facts=(
            ("How it is paid", text(_FLOWS[Flow(row.flow)])),
            ("Currency", text(row.currency)),
            ("Group", text(row.group_id)),
            ("Billed on", link("accounts", row.account_id) if not visit.user.merchants else text(row.account_id)),
            ("Payments", text("on" if row.takes_payments else "off")),
            *(_of_account(stored) if stored else ()),
            *_for_owner(visit, stored),
            *(("Provider", Cell(_provider(one, stored), address("providers", one.id))) for one in providers),
        ),
        # Discrepancies are the platform's to end.
        tables=[_discrepancies(discrepancies)] if discrepancies and not visit.user.merchants else (),
        parts=(("Payments that are passed on, who pays, and what became of it", f"{address('merchants', id)}/more"),),
        links=_links(visit, stored),
    )
    return show_object(visit, shown)


def _for_owner(visit: Visit, stored: StoredConnection | None) -> Sequence[tuple[str, Cell]]:
    """Show the owner's link, and a way to mail it, to those who may make it: whoever has it acts for the owner."""
    url = owner_link(visit.web.settings, stored) if visit.user.may(Permission.RUN) else ""
    if stored is None or not url:
        return ()
    text_of_mail = urlencode({"subject": "Your account for payments", "body": url}, quote_via=quote)
    mail = Cell(f"to {stored.email}", f"mailto:{quote(stored.email, safe='@')}?{text_of_mail}")
    return ("Owner's link", Cell(url, url)), ("Mail the link", mail)


def _links(visit: Visit, stored: StoredConnection | None) -> Sequence[tuple[str, Cell]]:
    if stored is None or visit.user.merchants:
        return ()
    return stripe(visit, stored.gateway_account), temporal(visit, merchant_connection_id(stored.merchant_id))


async def merchant_more(visit: Visit) -> Response:
    """Show the payments that were taken for a merchant, the accounts that pay for it, and its history."""
    id, database = visit.request.path_params["id"], visit.web.reading
    overview = MerchantOverview(database)
    providers = await overview.providers(id)
    transfers, payers = await overview.transfers([one.id for one in providers]), await overview.payers(id)
    history = await MerchantConnectionQueries(database).history(id)
    of_flow = (_transfers(transfers), _payers(payers)) if transfers or payers else ()
    return show_part(visit, (*of_flow, _history(history)))


async def _stored(database: Database, merchant: str) -> StoredConnection | None:
    try:
        return await load_connection(database, merchant)
    except RuleBrokenError:
        return None


def _figures(balances: Sequence[Row[Any]]) -> Sequence[tuple[str, Cell]]:
    heads = {
        "gateway_clearing": "At the gateway, by its book",
        "platform_fees": "Taken by the platform",
        "merchant_payables": "Not passed on",
    }
    # What the platform owes is its liability: in credit.
    signs = {"merchant_payables": -1}
    return [(heads[one.account], money(one.minor * signs.get(one.account, 1), one.currency)) for one in balances]


def _of_account(stored: StoredConnection) -> Sequence[tuple[str, Cell]]:
    is_open = stored.state is not ConnectionState.DISCONNECTED
    return (
        ("Why", text(stored.reason)),
        ("Account at the gateway", text(stored.gateway_account)),
        ("Through", text(stored.provider)),
        ("Owner", text(stored.email)),
        ("Country", text(stored.country)),
        ("Paid out", text(("yes" if stored.is_paid_out else "no") if is_open else "")),
        ("Missing", text("\n".join(stored.missing))),
        ("Due", moment(stored.due_at)),
        ("Problems", text("\n".join(stored.problems))),
    )


def _provider(provider: Row[Any], stored: StoredConnection | None) -> str:
    is_old = stored is not None and provider.gateway_account not in {None, stored.gateway_account}
    rule = provider.application_fee
    fee = f", the platform takes {rule['percent']} % and what is fixed" if rule.get("percent") else ""
    return f"{provider.id}{', of the account before' if is_old else ''}{fee}"


def _transfers(rows: Sequence[Row[Any]]) -> Table:
    columns = (
        Column("Payment", lambda row: link("payments", row.request_id)),
        Column("Account", lambda row: link("accounts", row.account_id)),
        Column("State", lambda row: state(row.state)),
        Column("Why", lambda row: words(row.code)),
        Column("Paid", lambda row: money(row.captured_minor, row.currency), is_money=True),
        Column("Given back", lambda row: money(row.refunded_minor or None, row.currency), is_money=True),
        Column("Lost in disputes", lambda row: money(row.lost_minor or None, row.currency), is_money=True),
        Column("Taken", lambda row: moment(row.created_at)),
        Column("Next try", lambda row: moment(row.next_try_at) if row.state != "settled" else text("")),
    )
    title = "Payments that are passed on" + (f", the first {SHOWN_AT_MOST}" if len(rows) == SHOWN_AT_MOST else "")
    return table_of(title, columns, rows, empty="Nothing was taken for it.")


def _payers(rows: Sequence[Row[Any]]) -> Table:
    columns = (
        Column("Account", lambda row: link("accounts", row.account_id)),
        Column("Since", lambda row: moment(row.assigned_at)),
        Column("By", lambda row: text(row.assigned_by)),
        Column("Why", lambda row: text(row.assigned_because)),
    )
    title = "Accounts that pay for it" + (f", the newest {SHOWN_AT_MOST}" if len(rows) == SHOWN_AT_MOST else "")
    return table_of(title, columns, rows, empty="None: `duly merchants assign` names them.")


def _discrepancies(rows: Sequence[Row[Any]]) -> Table:
    columns = (
        Column("Discrepancy", lambda row: link("discrepancies", row.id)),
        Column("Kind", lambda row: words(row.kind)),
        Column("Why", lambda row: words(str(row.evidence.get("code", "")))),
        Column("Of", lambda row: text(row.object)),
        Column("Amount", lambda row: text(money_text(row.amount_minor, row.currency)), is_money=True),
        Column("Found", lambda row: moment(row.first_seen_at)),
    )
    return table_of("Open discrepancies", columns, rows)


def _history(rows: Sequence[Row[Any]]) -> Table:
    columns = (
        Column("At", lambda row: moment(row.at)),
        Column("What", lambda row: words(row.change)),
        Column("State", lambda row: state(row.state)),
        Column("Account at the gateway", lambda row: text(row.gateway_account)),
        Column("Reason", lambda row: text(row.reason)),
        Column("By", lambda row: text(row.actor)),
        Column("Why", lambda row: text(row.because)),
    )
    return table_of("What became of it", columns, rows, empty="It was never connected.")
