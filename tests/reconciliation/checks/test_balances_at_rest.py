"""A balance differs when it stays the same: while money moves, no difference is a discrepancy."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

import pytest

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from activities.reconciliation import balances
from activities.reconciliation.balances import TRIES, BalanceActivities
from models.reconciliation.reconciliation import BalanceComparison, ReconciliationPlan

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)
PLAN = ReconciliationPlan("reconciliation/stripe/2026-11-28", "stripe", date(2026, 11, 28), 1, NOW, NOW, NOW, NOW, ())


class SeenBalances(BalanceActivities):
    """What nothing explains of a balance, each time that it is compared; and what is noted of it."""

    def __init__(self, database: Database, gateway: StripeGateway, differences: Iterable[int]) -> None:
        super().__init__(database, gateway)
        self.differences = iter(differences)
        self.noted: list[int] = []

    async def _compare(self, plan: ReconciliationPlan) -> dict[str, BalanceComparison]:
        return {"EUR": BalanceComparison("EUR", next(self.differences), 0, 0)}

    async def _note(self, plan: ReconciliationPlan, found: BalanceComparison) -> None:
        self.noted.append(found.difference_minor)


@pytest.mark.parametrize(
    ("differences", "noted"),
    [((0,), []), ((700, 0), []), ((700, 300, *[500] * TRIES), []), ([700] * TRIES, [700])],
)
async def test_a_difference_counts_once_it_stays_the_same(
    database: Database,
    gateway: StripeGateway,
    monkeypatch: pytest.MonkeyPatch,
    differences: Iterable[int],
    noted: list[int],
) -> None:
    monkeypatch.setattr(balances, "PAUSE_SECONDS", 0)
    seen = SeenBalances(database, gateway, differences)

    await seen.compare_balances(PLAN)

    assert seen.noted == noted
