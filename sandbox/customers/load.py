"""Loads generated customers as a merchant would: saved at the gateway, written to CSV, and imported from there."""

import csv
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from babel.localedata import locale_identifiers

from activities.database import Database
from activities.imports.account_import import AccountImport, read_reference
from activities.imports.spool import ImportSpool
from models.imports.columns import ACCOUNTS, CARDS, SUBSCRIPTIONS
from models.problem import RefusedError
from sandbox.customers.gateway_customers import SavedAccount
from sandbox.customers.generation import GeneratedAccount
from sandbox.customers.merchant import PAYMENT_METHOD, PROVIDER
from settings import time_zones

if TYPE_CHECKING:
    import _csv

BATCH = 250

_HEADERS = {
    ACCOUNTS: (
        "account_id", "owner_name", "currency", "email", "locale", "time_zone", "credit_period_days", "region",
        "segment",
    ),
    SUBSCRIPTIONS: (
        "subscription_id", "account_id", "product_id", "price", "currency", "billing_day", "starts_on", "quantity",
        "ends_on",
    ),
    CARDS: (
        "account_id", "customer", "token", "brand", "last4", "exp_month", "exp_year", "recurring", "fallback_order",
    ),
}  # fmt: skip


class CustomerSaver(Protocol):
    """Saves customers at a gateway."""

    async def save(self, accounts: Sequence[GeneratedAccount]) -> list[SavedAccount]:
        """Save some customers with their cards, in the order given."""
        ...


@dataclass(frozen=True)
class CustomerFiles:
    """The three files of an import, open for writing."""

    accounts: "_csv.Writer"
    subscriptions: "_csv.Writer"
    cards: "_csv.Writer"

    def add(self, saved: SavedAccount) -> None:
        """Write a customer down."""
        account = saved.account
        self.accounts.writerow(
            (
                account.id,
                account.owner_name,
                account.currency,
                account.email,
                account.locale,
                account.time_zone,
                account.credit_period_days,
                account.region,
                account.segment,
            )
        )
        self.subscriptions.writerows(_subscriptions(account))
        self.cards.writerows(_cards(saved))


async def load(accounts: Iterable[GeneratedAccount], gateway: CustomerSaver, database: Database, folder: Path) -> None:
    """Save customers at the gateway, write them to files in a folder, and import the files.

    Raises RefusedError, with the good customers imported, when a row was refused.
    """
    folder.mkdir(exist_ok=True)
    terminated: list[str] = []
    with _written(folder) as files:
        async for saved in _saved(accounts, gateway):
            for each in saved:
                files.add(each)
            terminated += [each.account.id for each in saved if each.account.is_terminated]
    await import_files(database, folder)
    await database.rows(
        "select duly.set_account_state(id, 'terminated') from duly.accounts where id = any (:ids)", ids=terminated
    )


async def import_files(database: Database, folder: Path) -> None:
    """Import the files of a folder, as `duly accounts import` does."""
    reference = await read_reference(
        database,
        time_zones=time_zones(),
        locales=frozenset(locale_identifiers()),
        provider=PROVIDER,
    )
    with closing(ImportSpool()) as spool:
        for source in _HEADERS:
            spool.read(source, _path(folder, source), reference)
        spool.refuse_strays()
        importing = AccountImport(database, reference, provider=PROVIDER, method=PAYMENT_METHOD)
        await importing.write(spool, lambda _accounts: None)
        if problems := list(spool.problems()):
            raise RefusedError(problems)


async def _saved(accounts: Iterable[GeneratedAccount], gateway: CustomerSaver) -> AsyncIterator[list[SavedAccount]]:
    remaining = iter(accounts)
    while batch := list(islice(remaining, BATCH)):
        yield await gateway.save(batch)


@contextmanager
def _written(folder: Path) -> Iterator[CustomerFiles]:
    with ExitStack() as opened:
        writers = {}
        for source, header in _HEADERS.items():
            file = opened.enter_context(_path(folder, source).open("w", encoding="utf-8", newline=""))
            writers[source] = csv.writer(file)
            writers[source].writerow(header)
        yield CustomerFiles(**writers)


def _path(folder: Path, source: str) -> Path:
    return folder / f"{source}.csv"


def _subscriptions(account: GeneratedAccount) -> Iterator[Sequence[object]]:
    for bought in account.subscriptions:
        price = bought.plan.price
        yield (
            bought.id,
            account.id,
            bought.plan.product_id,
            price.to_decimal(),
            price.currency,
            bought.billing_day,
            bought.starts_on,
            bought.quantity,
            bought.ends_on,
        )


def _cards(saved: SavedAccount) -> Iterator[Sequence[object]]:
    for order, card in enumerate(saved.cards, start=1):
        yield (
            saved.account.id,
            saved.customer_reference,
            card.token,
            card.brand,
            card.last4,
            card.exp_month,
            card.exp_year,
            "yes",
            order,
        )
