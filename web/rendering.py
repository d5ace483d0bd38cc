"""Templates: every value is escaped, and nothing is undefined."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from commands.formatting import moment
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
)
# Of these, what is there for who is limited to merchants.
RAIL_OF_MERCHANTS = frozenset({"/", "/accounts"})
FOLDER = Path(__file__).parent / "templates"


class Pages:
    """The templates of one process."""

    def __init__(self, assets: Assets) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {"asset": assets.__getitem__, "version": VERSION, "rail": RAIL, "user": None}
        self._environment.globals["rail_of_merchants"] = RAIL_OF_MERCHANTS
        self._environment.filters |= {"moment": moment}

    def render(self, template: str, **values: Any) -> str:
        """Return a template filled in."""
        return self._environment.get_template(template).render(**values)
