"""A company with products and accounts, whose books a test keeps through the command line."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.configuration.definitions import AppliedDocument
from tests.support.builders import configure
from tests.support.command_line import CommandLine, CommandResult

POSTED_ON = "2026-05-20"
GOODS = """
[[tax_rates]]
id = "vat"
name = "VAT"
percent = 19

[[products]]
id = "card"
name = "Gift card"
tax_rate = "vat"

[[products]]
id = "plan"
name = "Plan"
"""


@dataclass
class Company:
    """Company ZX: sells cards and plans, VAT 19 %."""

    cli: CommandLine
    engine: AsyncEngine

    async def set_up(self) -> None:
        """Configure a tax and products."""
        await self.configure(GOODS)

    async def configure(self, document: str) -> AppliedDocument:
        """Apply a document of the configuration, as the company would."""
        return await configure(self.engine, document)

    async def run(self, statement: str, **arguments: Any) -> Sequence[Any]:
        """Run one statement as the runtime role and return its rows, if any."""
        async with self.engine.begin() as connection:
            result = await connection.execute(text(statement), arguments)
            return result.all() if result.returns_rows else []

    async def value(self, statement: str, **arguments: Any) -> Any:
        """Return the first value of a query."""
        return (await self.run(statement, **arguments))[0][0]

    async def account(self, account_id: str, currency: str = "EUR", **fields: Any) -> str:
        """Open an account."""
        names = "".join(f", p_{name} => :{name}" for name in fields)
        await self.run(
            f"select duly.open_account(:id, :currency, 'Ann'{names})", id=account_id, currency=currency, **fields
        )
        return account_id

    async def create(self, *words: str) -> dict[str, Any]:
        """Create a transaction that must go in; return it as the command shows it."""
        made = await self.cli.json("transactions", "create", *words)
        transaction: dict[str, Any] = made["transaction"]
        return transaction

    async def invoice(self, account_id: str, price: str = "100.00", *words: str) -> dict[str, Any]:
        """Post an untaxed invoice."""
        line = f"product=plan,price={price}"
        return await self.create("invoice", account_id, "--line", line, "--posted-on", POSTED_ON, *words)

    async def payment(self, account_id: str, amount: str, *words: str) -> dict[str, Any]:
        """Post a payment in cash."""
        return await self.create("payment", account_id, "--amount", amount, "--method", "cash", *words)

    async def balance(self, account_id: str) -> int:
        """Return what an account owes, in minor units, as the command line says it."""
        return int((await self.cli.json("accounts", "show", account_id))["balance_minor"])

    async def shown(self, transaction: str) -> dict[str, Any]:
        """Return a transaction with all that belongs to it."""
        shown: dict[str, Any] = await self.cli.json("transactions", "show", transaction)
        return shown

    async def refused(self, *words: str) -> list[tuple[str, str]]:
        """Run a command that must be refused; return field and rule of each problem."""
        before = await self.footprint()
        printed: CommandResult = await self.cli(*words, "--json")
        assert printed.exit_code == 1, printed.stdout or printed.stderr
        # What is printed beside a refusal is a whole document, or nothing.
        assert not printed.stdout or json.loads(printed.stdout), printed.stdout
        assert await self.footprint() == before
        return printed.rules

    async def footprint(self) -> tuple[Any, ...]:
        """Return what changes when anything is written."""
        tables = (
            "financial_transactions",
            "transfers",
            "allocations",
            "deallocations",
            "transaction_notes",
            "accounts",
        )
        counted = ", ".join(f"(select count(*) from duly.{table})" for table in tables)
        return tuple((await self.run(f"select {counted}"))[0])

    async def violations(self) -> Sequence[Any]:
        """Return what is wrong with the books; nothing, whatever happened."""
        return await self.run("select rule, offender from duly.invariant_violations")
