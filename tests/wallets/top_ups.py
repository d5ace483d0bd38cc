"""Accounts whose wallets are low, and the runs that top them up."""

from dataclasses import dataclass
from typing import Any

from activities.database import Database
from tests.support.builders import Merchant
from tests.wallets.conftest import WALLETS

TOP_UPS = (
    WALLETS.replace('tax_rate = "standard"', "")
    + """
[[products]]
id = "by_itself"
name = "Wallet top-up by itself"
ledger_account = "wallet_top_ups"

[[wallet_top_ups]]
currency = "EUR"
below = "10.00"
amount = "20.00"
most_in_month = 2
type = "top_up"
product = "by_itself"

[[dunning_policies]]
id = "top_ups"
declined_after = ["P1D"]
on_giving_up = "nothing"

[[run_definitions]]
id = "top_ups"
kind = "payment"
name = "Top-ups of wallets"
provider = "stripe"
dunning_policy = "top_ups"
criteria = { wallet_top_ups = true }
"""
)
BEGUN = "2099-01-01"


@dataclass
class ToppedUp:
    """A merchant whose runs top up wallets: below 10.00 by 20.00, twice a month at most."""

    merchant: Merchant
    database: Database

    async def set_up(self) -> None:
        await self.merchant.configure(TOP_UPS)

    async def low(self, name: str, *, holds_minor: int = 500, **options: Any) -> str:
        """Open an account whose wallet is below the threshold, and which has switched its top-up on."""
        account = await self.merchant.account(name, **options)
        if holds_minor:
            await self.value(
                "select duly.wallet_credit(:key, :id, :held, 'EUR', 'present')",
                key=f"given:{account}",
                id=account,
                held=holds_minor,
            )
        await self.choose(account, is_on=True)
        return account

    async def choose(self, account: str, *, is_on: bool | None) -> None:
        await self.value(
            "select duly.choose_top_up(:id, cast(:is_on as boolean), 'maria', 'asked')", id=account, is_on=is_on
        )

    async def freeze(self, period: str = "2026-11-27", definition: str = "top_ups") -> dict[str, Any]:
        """Fix the members of a run."""
        plan: dict[str, Any] = await self.database.call(
            "freeze_payment_run",
            run_id=f"run/{definition}/{period}",
            definition_id=definition,
            period=period,
            ends_on=BEGUN,
            over_nobody=False,
        )
        return plan

    async def invoice_of(self, account: str) -> str:
        """The invoice of the newest top-up."""
        newest = "select invoice_id from duly.wallet_top_ups where account_id = :id order by requested_at desc limit 1"
        return str(await self.value(newest, id=account))

    async def pay(self, account: str, amount_minor: int, *, key: str = "paid") -> str:
        """Let the money of an account's top-up come in cash, and return the payment."""
        return str(
            await self.value(
                "select transaction_id from duly.create_payment(:key, :id, :amount, 'EUR', 'cash',"
                " p_addressed_invoice_ids => array[cast(:invoice as text)])",
                key=f"{key}:{account}",
                id=account,
                amount=amount_minor,
                invoice=await self.invoice_of(account),
            )
        )

    async def states(self) -> list[tuple[Any, ...]]:
        """What runs have asked for: account, amount, state, and what was taken out of the wallet again."""
        return await self.rows(
            "select account_id, amount_minor, state, taken_back_minor from duly.wallet_top_ups"
            " order by account_id, requested_at"
        )

    async def wallet(self, account: str) -> int:
        return int(await self.value("select duly.wallet_balance(:id)", id=account))

    async def is_on(self, account: str) -> Any:
        return await self.value("select is_on from duly.wallet_top_up_choices where account_id = :id", id=account)

    async def left_out(self, run_id: str = "run/top_ups/2026-11-27") -> dict[str, int]:
        """How many accounts a run has passed over, by reason."""
        kept = await self.value("select left_out from duly.process_runs where id = :id", id=run_id)
        return {one["reason"]: one["accounts"] for one in kept}

    async def value(self, statement: str, **arguments: Any) -> Any:
        return await self.merchant.value(statement, **arguments)

    async def rows(self, statement: str, **arguments: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.merchant.run(statement, **arguments)]

    async def violations(self) -> list[tuple[Any, ...]]:
        return await self.rows("select rule, offender from duly.invariant_violations")
