"""What the commands that write transactions share: the key, the ledger, and the answer afterwards."""

import getpass
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, select

from activities.database import Database, DatabaseUnavailableError
from activities.ledger.client import AnyDay, Ledger, Receipt
from activities.ledger.transaction_queries import TransactionQueries
from commands.collection_signals import signal_collections
from commands.formatting import money
from commands.ledger.transactions import document_of, state_of
from commands.output import Output, table
from commands.session import database_of, read_settings
from models.tables.accounts import AccountBalanceRow
from settings import Settings


@dataclass(frozen=True)
class WriteOptions:
    """Who asks, and under which key: repeating a key changes nothing and gives the same answer.

    `any_day` says why it is posted on a day that is closed or has not come yet; empty: it is not.
    """

    actor: str = ""
    key: str = ""
    any_day: str = ""

    def named(self) -> "WriteOptions":
        """Fill in the login name and a key of this command's own."""
        return replace(self, actor=self.actor or getpass.getuser(), key=self.key or f"cli:{uuid.uuid4()}")


@dataclass(frozen=True)
class TransactionWriter:
    """What a writing command works with."""

    output: Output
    settings: Settings
    database: Database
    options: WriteOptions

    @property
    def ledger(self) -> Ledger:
        """The ledger's functions."""
        any_day = AnyDay(self.options.actor, self.options.any_day) if self.options.any_day else None
        return Ledger(self.database, any_day)

    @property
    def records(self) -> TransactionQueries:
        """The transactions as they are read."""
        return TransactionQueries(self.database)

    async def answer(self, receipt: Receipt, *accounts: str, **more: Any) -> None:
        """Say what was written, after signalling the collections of the accounts whose balance it changed."""
        found = await self.records.require(receipt.transaction_id)
        touched = accounts if found.state != "draft" else ()
        signals = await signal_collections(self.output, self.database, self.settings, touched)
        balance = await balance_of(self.database, found.account_id)
        self.output.answer(
            {"transaction": document_of(found), "balance_minor": balance, "key": self.options.key, **more, **signals},
            table("", "Transaction", found.id, rows=_facts(found, balance, signals["collections_signalled"])),
        )


@asynccontextmanager
async def transaction_writer(output: Output, options: WriteOptions) -> AsyncIterator[TransactionWriter]:
    """Open the database for one writing command. No answer from it names the key under which to ask again."""
    settings, options = read_settings(), options.named()
    async with database_of(settings) as database:
        try:
            yield TransactionWriter(output, settings, database, options)
        except DatabaseUnavailableError as error:
            advice = f"whether it was written is not known; ask again with --key {options.key} to have it once"
            raise DatabaseUnavailableError(f"{error}; {advice}") from error


async def balance_of(database: Database, account_id: str) -> int:
    """Return what an account owes now, in minor units."""
    balance = select(AccountBalanceRow.balance_minor).where(AccountBalanceRow.account_id == account_id)
    (found,) = await database.read(balance)
    return int(found.balance_minor)


def _facts(found: Row[Any], balance_minor: int, signalled: object) -> list[tuple[str, object]]:
    unsettled = "" if found.unsettled_minor is None else money(found.unsettled_minor, found.currency)
    facts = [
        ("Number", found.number or f"none yet, reference {found.reference_number}"),
        ("Classification", f"{found.classification}, type {found.type_id}"),
        ("State", state_of(found)),
        ("Account", found.account_id),
        ("Total", money(found.total_minor, found.currency)),
        ("Unsettled", unsettled),
        ("Due on", found.due_on),
        ("Balance of the account", money(balance_minor, found.currency)),
        ("Collections signalled", ", ".join(signalled) if isinstance(signalled, Sequence) else ""),
    ]
    return [(name, value) for name, value in facts if value]
