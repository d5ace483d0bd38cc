"""Whether what lies at the gateway is what the ledger says, while money goes on moving."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio import activity

from activities.database import Database
from activities.reconciliation.books import GatewayBooks, GatewayWithBooks
from models.gateway.amounts import units_of_books
from models.reconciliation.reconciliation import BalanceComparison, GatewayList, ListWindow, ReconciliationPlan

# What is matched before a balance is compared: what is open then has moved in the last minutes.
MATCHED_AT_ONCE = 10_000

# Money moves while a balance is read: so often it is read again before a difference counts.
TRIES = 5
PAUSE_SECONDS = 2.0

# The newest of a list is whatever was created since, by a clock that may be ahead.
_AHEAD = timedelta(days=400)


class BalanceActivities:
    """Compares the balances of one provider."""

    def __init__(self, database: Database, gateway: GatewayWithBooks) -> None:
        self._database = database
        self._books = GatewayBooks(database, gateway)

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.compare_balances]

    @activity.defn
    async def compare_balances(self, plan: ReconciliationPlan) -> list[BalanceComparison]:
        """Compare what lies at the gateway with the ledger's clearing; a difference counts when it stays the same.

        Money moves meanwhile: what was listed and is not booked yet explains a difference, and so does what is booked a
        moment later. A currency that never comes to rest is returned as it was last seen, without a discrepancy.
        """
        seen = [await self._compare(plan)]
        while len(seen) < TRIES and any(one.difference_minor for one in seen[-1].values()):
            await asyncio.sleep(PAUSE_SECONDS)
            seen.append(await self._compare(plan))
        for currency, one in seen[-1].items():
            differences = {before[currency].difference_minor for before in seen if currency in before}
            if one.difference_minor and len(differences) == 1:
                await self._note(plan, one)
        return [seen[-1][currency] for currency in sorted(seen[-1])]

    async def _compare(self, plan: ReconciliationPlan) -> dict[str, BalanceComparison]:
        """Compare once, after what has moved since the windows were read has been listed and matched."""
        await self._read_newest(plan)
        provider = plan.provider
        await self._database.call(
            "match_movements", provider_id=provider, after="", limit=MATCHED_AT_ONCE, timeout_seconds=60.0
        )
        ledger = {
            row.currency: (row.ledger_minor, row.unbooked_minor)
            for row in await self._database.rows(
                "select * from duly.clearing_balances(:provider)", provider=provider, timeout_seconds=60.0
            )
        }
        gateway = await self._books.balances()
        return in_one_unit(
            {
                currency: BalanceComparison(currency, gateway.get(currency, 0), *ledger.get(currency, (0, 0)))
                for currency in ledger.keys() | gateway.keys()
            }
        )

    async def _read_newest(self, plan: ReconciliationPlan) -> None:
        """List what is newest, page by page, until a page has nothing new."""
        window = ListWindow(GatewayList.MOVEMENTS, plan.read_from, plan.read_until + _AHEAD)
        after = ""
        while True:
            page = await self._books.movement_page(window, after)
            new = await self._books.store(plan.provider, page.movements)
            activity.heartbeat(page.cursor)
            after = page.cursor
            if not new or not after:
                return

    async def _note(self, plan: ReconciliationPlan, found: BalanceComparison) -> None:
        await self._database.call(
            "note_discrepancy",
            provider_id=plan.provider,
            kind="balance",
            object=found.currency,
            state="open",
            amount_minor=abs(found.difference_minor),
            currency=found.currency,
            evidence={"difference_minor": found.difference_minor},
            reconciliation_id=plan.reconciliation_id,
        )


def in_one_unit(found: dict[str, BalanceComparison]) -> dict[str, BalanceComparison]:
    """Add up a currency of which something is finer than the ledger has it: all of it in the gateway's units."""
    fine = {currency: found[currency.upper()] for currency in found if currency.islower() and currency.upper() in found}
    joined = {currency: one for currency, one in found.items() if currency.lower() not in fine}
    for currency, whole in fine.items():
        part, units = found[currency], units_of_books(whole.currency)
        joined[currency] = BalanceComparison(
            currency,
            part.gateway_minor + units * whole.gateway_minor,
            part.ledger_minor + units * whole.ledger_minor,
            part.unbooked_minor + units * whole.unbooked_minor,
        )
    return joined
