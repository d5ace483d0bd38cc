"""Gateway providers (G6): the list, and the page of one with its settings (P13), and whether it may be used and why.

The house's people see them all; users of a merchant see those of its own accounts alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row
from starlette.responses import Response

from activities.configuration.providers import ProviderQueries
from activities.database import Database
from activities.listing import Listed
from commands.operations.checks.database import ProviderState
from commands.operations.checks.finding import Verdict
from commands.operations.checks.gateway import examine_provider
from models.listing import ListPage
from models.merchants.application_fee import application_fee
from models.operations.record_states import SETTING
from models.problem import refusal
from models.tables.configuration import EFFECTIVE
from settings import Settings
from web.actions.forms import links_of
from web.context import Visit
from web.views.cells import Cell, Column, Table, link, listed, moment, money, named, state, table_of, text
from web.views.listing import Filter, Given, ListOfNoun
from web.views.objects import ObjectPage, show_object, stripe, stripe_page

_GATEWAYS: Mapping[str, str] = {"stripe": "Stripe", "sepa_debit": "a bank, by files of SEPA direct debits"}


# Of the dashboard of the account of the key.
_PAGES = (("payments", "payments"), ("payment methods", "settings/payment_methods"), ("events", "events"))


async def _providers(database: Database, page: ListPage, given: Given) -> Listed:
    del page
    rows = await ProviderQueries(database).everything()
    wanted = [row for row in rows if given["state"] in {"", row.state} and given["mode"] in {"", row.mode}]
    return Listed(wanted, None, is_totalled=False)


PROVIDERS = ListOfNoun(
    "providers",
    "Gateway providers",
    (
        Column("Provider", lambda row: link("providers", row.id)),
        Column("Gateway", lambda row: text(row.gateway)),
        Column("Mode", lambda row: text(row.mode)),
        Column("State", lambda row: state(row.state)),
        Column("Merchant", lambda row: link("merchants", row.merchant)),
        Column("Account at the gateway", lambda row: text(row.gateway_account)),
        Column("Currencies", lambda row: text(", ".join(sorted(row.currencies)))),
        Column("Methods", lambda row: text(", ".join(sorted(id for id, _, _ in row.methods)))),
        Column("Why not in use", lambda row: text(row.held or row.why_not)),
    ),
    (Filter("state", "State", tuple(SETTING.words)), Filter("mode", "Mode", ("test", "live"))),
    _providers,
    "No provider is configured: `duly definitions apply` makes them of a document.",
    has_days=False,
)


async def show_provider(visit: Visit) -> Response:
    """Show a provider. Nothing is asked of the gateway, and no key is anywhere near. Raises RefusedError."""
    id, queries = visit.request.path_params["id"], ProviderQueries(visit.web.reading)
    row = next(iter(await queries.everything(id)), None)
    if row is None:
        raise refusal("provider", "provider_exists", f"there is no provider {id!r}")
    shown = ObjectPage(
        title=row.id,
        kind=f"provider, {row.mode} mode",
        state=state(row.state),
        actions=links_of(visit, "providers", row.id, row.state),
        sentence=_sentence(visit.web.settings, row),
        facts=(*_facts(visit, row), *(_leads(row) if not visit.user.merchants else ())),
        # Who works at the house, and by which runs it charges, is the house's.
        tables=(_currencies(row), _methods(row), *(await _of_house(queries, id) if not visit.user.merchants else ())),
        links=_links(visit, row),
    )
    return show_object(visit, shown)


async def _of_house(queries: ProviderQueries, id: str) -> Sequence[Table]:
    return _runs(await queries.runs(id)), _changes(await queries.changes(id))


def _sentence(settings: Settings, row: Row[Any]) -> str:
    """Say whether new requests may be made, or why not and what helps, as the doctor does (X9)."""
    if row.held:
        return f"Nothing is sent to it: {row.held}. Run `duly recover show`: it names the next step."
    found = ProviderState(row.id, row.mode, row.state == EFFECTIVE, bool(row.methods), row.is_called)
    finding = examine_provider(settings, found)
    if finding.verdict is not Verdict.OK:
        return f"Nothing new may be asked of it: {finding.found}; {finding.advice}."
    if row.why_not:
        return f"Nothing new may be asked of it: {row.why_not}."
    return "It is in use: new requests may be made."


def _facts(visit: Visit, row: Row[Any]) -> Sequence[tuple[str, Cell]]:
    own = "that of the key" if row.is_called else ""
    return (
        ("Gateway", text(_GATEWAYS.get(row.gateway, row.gateway))),
        ("Mode", text(row.mode)),
        ("Merchant", link("merchants", row.merchant)),
        ("Account", text(row.gateway_account or ("" if row.merchant else own))),
        (
            "Through the platform of",
            text(row.platform_id) if visit.user.merchants else link("providers", row.platform_id),
        ),
        ("Application fee", text(application_fee(row.application_fee) or ("none" if row.merchant else ""))),
        ("Creditor", text(row.creditor)),
        ("Creditor identifier", text(row.creditor_identifier)),
        ("Scheme", text(row.scheme)),
        ("Since", moment(row.created_at)),
    )


def _leads(row: Row[Any]) -> Sequence[tuple[str, Cell]]:
    return (
        ("Payments", named(Cell("p", listed("payments", provider=row.id)), "through it")),
        ("Requests", named(Cell("r", listed("requests", provider=row.id)), "to it")),
    )


def _links(visit: Visit, row: Row[Any]) -> Sequence[tuple[str, Cell]]:
    if visit.user.merchants or not row.is_called:
        return ()
    if row.gateway_account:
        return (stripe(visit, row.gateway_account),)
    return [stripe_page(visit, shown, path) for shown, path in _PAGES]


def _currencies(row: Row[Any]) -> Table:
    columns = (
        Column("Currency", lambda one: text(one[0])),
        Column("Least charge", lambda one: money(one[1], one[0]), is_money=True),
    )
    return table_of("Currencies", columns, sorted(row.currencies.items()))


def _methods(row: Row[Any]) -> Table:
    columns = (
        Column("Method", lambda one: text(one[0])),
        Column("Name", lambda one: text(one[1])),
        Column("In use", lambda one: text("yes" if one[2] else "no")),
    )
    return table_of(
        "Payment methods", columns, sorted(row.methods), empty="It handles none, so nobody is charged by it."
    )


def _runs(rows: Sequence[Row[Any]]) -> Table:
    columns = (
        Column("Run definition", lambda one: Cell(one.id, listed("runs", definition=one.id))),
        Column("Name", lambda one: text(one.name)),
        Column("State", lambda one: state(one.state)),
        Column("Currencies", lambda one: text(", ".join(one.currencies) or "all")),
    )
    return table_of("Runs that charge through it", columns, rows, empty="None.")


def _changes(rows: Sequence[Row[Any]]) -> Table:
    columns = (
        Column("At", lambda one: moment(one[0].changed_at)),
        Column("What", lambda one: text(one[1])),
        Column("Was", lambda one: _value(one[1], one[2]["was"])),
        Column("Is", lambda one: _value(one[1], one[2]["is"])),
        Column("By", lambda one: text(one[0].actor)),
        Column("Why", lambda one: text(one[0].reason)),
        Column("Version", lambda one: text(one[0].version), is_number=True),
    )
    fields = [(row, name, change) for row in rows for name, change in row.changes.items() if any(change.values())]
    return table_of("What was changed, the newest first", columns, fields, empty="Nothing, by a document.")


def _value(field: str, value: Any) -> Cell:
    """Show a field as it was or is; amounts in major units, and a fee in words."""
    kind, _, code = field.partition(".")
    if kind == "currencies":
        return money(value, code)
    return text(application_fee(value or {}) if kind == "application_fee" else value)
