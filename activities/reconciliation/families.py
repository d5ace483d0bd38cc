"""The activities of reconciliations and of the ledger's audit, together."""

from typing import Any

from activities.database import Database
from activities.ledger.audit import LedgerAuditActivities
from activities.reconciliation.balances import BalanceActivities
from activities.reconciliation.books import GatewayWithBooks
from activities.reconciliation.confirming import CandidateActivities
from activities.reconciliation.matching import ReconciliationActivities
from activities.reconciliation.reading import GatewayBookActivities


def book_families(database: Database, gateway: GatewayWithBooks) -> tuple[Any, ...]:
    """Return everything that reads a gateway's books, for its worker."""
    return (
        GatewayBookActivities(database, gateway),
        CandidateActivities(database, gateway),
        BalanceActivities(database, gateway),
    )


def ledger_families(database: Database) -> tuple[Any, ...]:
    """Return what compares and checks the ledger, for the worker of every provider."""
    return ReconciliationActivities(database), LedgerAuditActivities(database)
