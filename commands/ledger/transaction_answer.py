"""What a command says after it has written a transaction."""

import getpass
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from activities.database import Database, DatabaseUnavailableError
from activities.ledger.client import Ledger, Receipt
from activities.ledger.transaction_queries import TransactionQueries
from commands.collection_signals import signal_collections
from commands.formatting import document, money
from commands.output import Output, table
from commands.session import database_of, read_settings
from settings import Settings


@dataclass(frozen=True)
class Asked:
    """Who asks, and under which key: repeating a key changes nothing and gives the same answer."""

    actor: str = ""
    key: str = ""

    def named(self) -> "Asked":
        """Fill in the login name and a key of this command's own."""
        return Asked(self.actor or getpass.getuser(), self.key or f"cli:{uuid.uuid4()}")


@dataclass(frozen=True)
class Desk:
    """What a writing command works with."""

    output: Output
    settings: Settings
    database: Database
    asked: Asked

    @property
    def ledger(self) -> Ledger:
        """The ledger's functions."""
        return Ledger(self.database)

    @property
    def records(self) -> TransactionQueries:
        """The transactions as they are read."""
        return TransactionQueries(self.database)

    async def answer(self, receipt: Receipt, *accounts: str, **more: Any) -> None:
        """Say what was written, after telling the collections of the accounts whose balance it changed."""
        found = await self.records.require(receipt.transaction_id)
        touched = accounts if found.state != "draft" else ()
        hints = await signal_collections(self.output, self.database, self.settings, touched)
        balance = await balance_of(self.database, found.account_id)
        self.output.answer(
            {"transaction": document(found), "balance_minor": balance, "key": self.asked.key, **more, **hints},
            table("", "Transaction", found.id, rows=_facts(found, balance, hints["collections_told"])),
        )


@asynccontextmanager
async def desk_of(output: Output, asked: Asked) -> AsyncIterator[Desk]:
    """Open the database for one writing command. No answer from it names the key under which to ask again."""
    settings, asked = read_settings(), asked.named()
    async with database_of(settings) as database:
        try:
            yield Desk(output, settings, database, asked)
        except DatabaseUnavailableError as error:
            hint = f"whether it was written is not known; ask again with --key {asked.key} to have it once"
            raise DatabaseUnavailableError(f"{error}; {hint}") from error


async def balance_of(database: Database, account_id: str) -> int:
    """Return what an account owes now, in minor units."""
    rows = await database.rows("select balance_minor from duly.account_balances where account_id = :id", id=account_id)
    return int(rows[0][0])


def _facts(found: Row[Any], balance_minor: int, told: object) -> list[tuple[str, object]]:
    unsettled = "" if found.unsettled_minor is None else money(found.unsettled_minor, found.currency)
    facts = [
        ("Number", found.number or f"none yet, reference {found.reference_number}"),
        ("Classification", f"{found.classification}, type {found.type_id}"),
        ("State", found.state),
        ("Account", found.account_id),
        ("Total", money(found.total_minor, found.currency)),
        ("Unsettled", unsettled),
        ("Due on", found.due_on),
        ("Balance of the account", money(balance_minor, found.currency)),
        ("Collections told", ", ".join(told) if isinstance(told, Sequence) else ""),
    ]
    return [(name, value) for name, value in facts if value]
