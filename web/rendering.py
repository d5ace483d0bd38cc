"""Templates: every value is escaped, and nothing is undefined."""

from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.types import ASGIApp, Receive, Scope, Send

from commands.formatting import local, moment, shown_in, shown_zone
from migrations.run import VERSION
from web.assets import Assets

# The pages beside every page: where each is, its name, and the letter that follows `g`.
RAIL = (
    ("/", "Home", "h"),
    ("/accounts", "Accounts", "a"),
    ("/transactions", "Transactions", "t"),
    ("/bills", "Bills", "i"),
    ("/payments", "Payments", "p"),
    ("/requests", "Gateway requests", "w"),
    ("/runs", "Runs", "r"),
    ("/collections", "Collections", "c"),
    ("/refunds", "Refunds", "f"),
    ("/refund-runs", "Refund runs", "y"),
    ("/disputes", "Disputes", "d"),
    ("/discrepancies", "Discrepancies", "x"),
    ("/payment-requests", "Requests", "q"),
    ("/bank-files", "Bank files", "b"),
    ("/suspense", "Suspense", "s"),
    ("/vouchers", "Vouchers", "u"),
    ("/merchants", "Merchants", "k"),
    ("/providers", "Providers", "z"),
    ("/approvals", "Approvals", "v"),
    ("/reports", "Reports", "o"),
    ("/segments", "Segments", "n"),
    ("/messages", "Messages", "m"),
    ("/events", "Events", "e"),
    ("/commands", "Commands", "l"),
    ("/many", "Several at once", "j"),
    ("/configuration", "Configuration", "g"),
)
# Of these, what is there for who is limited to merchants.
RAIL_OF_MERCHANTS = frozenset({"/", "/accounts"})
FOLDER = Path(__file__).parent / "templates"


class LocalMoments:
    """Shows the moments of all pages in the time zone of the house."""

    def __init__(self, app: ASGIApp, zone: str) -> None:
        self._app = app
        self._zone = ZoneInfo(zone)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        with shown_in(self._zone):
            await self._app(scope, receive, send)


@cache
def _environment(assets: Assets) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"asset": assets.__getitem__, "version": VERSION, "rail": RAIL, "user": None}
    environment.globals["rail_of_merchants"] = RAIL_OF_MERCHANTS
    environment.globals["zone"] = lambda: shown_zone().key
    environment.filters |= {"moment": moment, "clock": lambda at: local(at, "%H:%M:%S")}
    return environment


class Pages:
    """The templates of one process."""

    def __init__(self, assets: Assets) -> None:
        self._environment = _environment(assets)

    def render(self, template: str, **values: Any) -> str:
        """Return a template filled in."""
        return self._environment.get_template(template).render(**values)
