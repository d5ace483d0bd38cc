"""The activities of a reconciliation at one provider, together."""

from typing import Any

from activities.database import Database
from activities.reconciliation.balances import BalanceActivities
from activities.reconciliation.books import GatewayWithBooks
from activities.reconciliation.confirming import CandidateActivities
from activities.reconciliation.reading import GatewayBookActivities


def book_families(database: Database, gateway: GatewayWithBooks) -> tuple[Any, ...]:
    """Return everything that reads a gateway's books, for its worker."""
    return (
        GatewayBookActivities(database, gateway),
        CandidateActivities(database, gateway),
        BalanceActivities(database, gateway),
    )
