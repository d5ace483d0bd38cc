"""Writing imported accounts: batches of them in one commit, and each account whole or not at all (S48)."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from psycopg.types.json import Jsonb
from pydantic import TypeAdapter
from sqlalchemy import and_, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.database import Database, RuleBrokenError, one_of
from activities.imports.account_sql import (
    ADD_ACCOUNTS,
    ADD_CARDS,
    ADD_SUBSCRIPTIONS,
    CHANGE_ACCOUNTS,
    CREATE_SUBSCRIPTIONS,
    SET_METHODS,
    STORED_ACCOUNTS,
    STORED_CARDS,
    STORED_CUSTOMERS,
    STORED_SUBSCRIPTIONS,
    UNNOTICED,
)
from activities.imports.spool import ImportSpool
from activities.subscriptions.subscriptions import change_documents
from models.imports.columns import ACCOUNTS
from models.imports.entry import (
    Change,
    ImportEntry,
    Stored,
    change_of,
    change_of_entry,
    merged,
    problems_against,
    problems_within,
)
from models.imports.rows import ImportedAccount, ImportedCard, ImportReference
from models.imports.subscriptions import CreatedSubscription, ImportedSubscription
from models.problem import Problem, refusal
from models.tables.accounts import AccountRow
from models.tables.collecting import CollectionRow
from models.tables.configuration import (
    CardRow,
    GatewayCustomerRow,
    ProviderCurrencyRow,
    ProviderMethodRow,
    ProviderRow,
)
from models.tables.reference import DueDateRuleRow, PaymentMethodRow, ProductRow
from models.tables.subscriptions import SubscriptionRow

# Enough to make a round trip cheap, few enough that a refusal costs little to pin down.
BATCH = 500

_PLAIN = TypeAdapter(list[dict[str, Any]])


class AccountImport:
    """Puts what a spool holds into the database, under one provider and payment method for all cards."""

    def __init__(
        self, database: Database, reference: ImportReference, *, provider: str, method: str, actor: str = "import"
    ) -> None:
        self._database = database
        self._actor = actor
        self._reference = reference
        self._provider = provider
        self._method = method
        # Accounts that came to have another card, or pay otherwise: whoever collects from them wants to know.
        self.paying_otherwise: list[str] = []

    async def write(self, spool: ImportSpool, on_progress: Callable[[int], None]) -> Counter[Change]:
        """Write every good account of a spool; what the database refuses is noted there. Returns accounts by change."""
        changes: Counter[Change] = Counter()
        for batch in spool.batches(BATCH):
            changes += await self._write_batch(batch, spool)
            on_progress(len(batch))
        return changes

    async def _write_batch(self, batch: Sequence[ImportEntry], spool: ImportSpool) -> Counter[Change]:
        stored = await self._stored(batch)
        batch = [merged(entry, stored) for entry in batch]
        good = [entry for entry in batch if not self._refuse(entry, stored, spool)]
        try:
            await self._commit(good, stored)
        except RuleBrokenError as error:
            if len(good) > 1:
                return await self._write_singly(good, spool)
            _refuse_by_rule(good[0], error, spool)
            good = []
        await self._note_unnoticed(good)
        return Counter(change_of_entry(entry, stored) for entry in good)

    async def _write_singly(self, entries: Iterable[ImportEntry], spool: ImportSpool) -> Counter[Change]:
        # One account was refused and the commit with it; alone, the others go in and this one is named.
        changes: Counter[Change] = Counter()
        for entry in entries:
            changes += await self._write_batch([entry], spool)
        return changes

    def _refuse(self, entry: ImportEntry, stored: Stored, spool: ImportSpool) -> bool:
        problems = [*problems_within(entry, self._reference), *problems_against(entry, stored)]
        spool.refuse(entry.account.account_id, problems)
        return bool(problems)

    async def _commit(self, entries: Sequence[ImportEntry], stored: Stored) -> None:
        steps = list(self._steps(entries, stored))
        if not steps:
            return
        async with self._database.transaction() as connection:
            for statement, rows in steps:
                await _run(connection, statement, rows, provider=self._provider, method=self._method, actor=self._actor)
        self.paying_otherwise += [
            row["account_id"] for statement, rows in steps if statement in {ADD_CARDS, SET_METHODS} for row in rows
        ]

    async def _note_unnoticed(self, entries: Sequence[ImportEntry]) -> None:
        # An import that was interrupted has written, and told nobody: who repeats it finds these accounts unchanged.
        named = [entry.account.account_id for entry in entries if entry.cards or entry.account.payment_method]
        rows = await self._database.read(UNNOTICED.where(one_of(CollectionRow.account_id, named))) if named else []
        self.paying_otherwise += [row.account_id for row in rows]

    def _steps(self, entries: Sequence[ImportEntry], stored: Stored) -> Iterable[tuple[str, list[dict[str, Any]]]]:
        accounts = [entry.account for entry in entries]
        subscriptions = [row for entry in entries for _, row in entry.subscriptions]
        cards = [row for entry in entries for _, row in entry.cards]
        known = stored.accounts
        changed = _changed(subscriptions, stored.subscriptions, "subscription_id")
        created = [row for row in changed if row.is_billed_by_day and row.subscription_id not in stored.subscriptions]
        steps = (
            (ADD_ACCOUNTS, [row for row in accounts if row.account_id not in known]),
            (CHANGE_ACCOUNTS, [row for row in accounts if row != known.get(row.account_id, row)]),
            (ADD_SUBSCRIPTIONS, [row for row in changed if row not in created]),
            (CREATE_SUBSCRIPTIONS, [_created(row) for row in created]),
            # Before the cards, whose method is the account's where it has none.
            (SET_METHODS, [row for row in accounts if row.payment_method != _method_of(known.get(row.account_id))]),
            (ADD_CARDS, _changed(cards, stored.cards, "token")),
        )
        return ((statement, [_columns(row) for row in rows]) for statement, rows in steps if rows)

    async def _stored(self, batch: Sequence[ImportEntry]) -> Stored:
        ids = [entry.account.account_id for entry in batch]
        references = [entry.customer for entry in batch if entry.customer]
        row = GatewayCustomerRow
        is_named = or_(one_of(row.account_id, ids), one_of(row.customer_reference, references))
        accounts = await self._database.read(STORED_ACCOUNTS.where(one_of(AccountRow.id, ids)))
        customers = await self._database.read(STORED_CUSTOMERS.where(row.provider_id == self._provider, is_named))
        return Stored(
            accounts={row.id: ImportedAccount(*tuple(row)[2:]) for row in accounts},
            kinds={row.id: row.kind for row in accounts},
            states={row.id: row.state for row in accounts},
            subscriptions=await self._stored_subscriptions(batch),
            cards=await self._stored_cards(batch),
            customers={row.account_id: row.customer_reference for row in customers},
            owners={row.customer_reference: row.account_id for row in customers},
        )

    async def _stored_subscriptions(self, batch: Sequence[ImportEntry]) -> dict[str, ImportedSubscription]:
        ids = [row.subscription_id for entry in batch for _, row in entry.subscriptions]
        rows = await self._database.read(STORED_SUBSCRIPTIONS.where(one_of(SubscriptionRow.id, ids))) if ids else []
        return {row.subscription_id: ImportedSubscription(*tuple(row)) for row in rows}

    async def _stored_cards(self, batch: Sequence[ImportEntry]) -> dict[str, ImportedCard]:
        tokens = [row.token for entry in batch for _, row in entry.cards]
        rows = await self._database.read(STORED_CARDS.where(one_of(CardRow.token, tokens))) if tokens else []
        return {row.token: ImportedCard(*tuple(row)) for row in rows}


async def read_reference(
    database: Database,
    *,
    time_zones: frozenset[str],
    locales: frozenset[str],
    provider: str,
    clears_empty: bool = False,
) -> ImportReference:
    """Read what rows may refer to; `clears_empty` says that an empty cell clears what is there."""
    products = await database.read(select(ProductRow.id).where(ProductRow.is_active))
    rules = await database.read(select(DueDateRuleRow.id).where(DueDateRuleRow.is_active))
    methods = await database.read(select(PaymentMethodRow.id).where(PaymentMethodRow.is_active))
    row = ProviderCurrencyRow
    currencies = await database.read(select(row.currency).where(row.provider_id == provider))
    return ImportReference(
        products=frozenset(row.id for row in products),
        due_date_rules=frozenset(row.id for row in rules),
        time_zones=time_zones,
        locales=locales,
        provider_currencies=frozenset(row.currency for row in currencies),
        payment_methods=frozenset(row.id for row in methods),
        clears_empty=clears_empty,
    )


async def require_provider(database: Database, *, provider: str, method: str) -> None:
    """Refuse cards for a provider that is not configured or does not handle the method they belong to (G10, X1)."""
    row = ProviderMethodRow
    handles = and_(row.provider_id == ProviderRow.id, row.payment_method_id == method)
    of_provider = select(row.provider_id).select_from(ProviderRow).outerjoin(row, handles)
    found = await database.read_first(of_provider.where(ProviderRow.id == provider))
    if found is None:
        raise refusal("provider", "provider_exists", f"there is no provider {provider!r}; see definitions apply")
    if found.provider_id is None:
        raise refusal("payment_method", "method_of_provider", f"provider {provider!r} does not handle {method!r}")


def _method_of(account: ImportedAccount | None) -> str | None:
    return account.payment_method if account else None


def _columns(row: Any) -> dict[str, Any]:
    return {name: value for name, value in asdict(row).items() if name != "kept"}


def _created(row: ImportedSubscription) -> CreatedSubscription:
    (change,) = change_documents([row.creation()])
    return CreatedSubscription(row.subscription_id, row.account_id, row.currency, change)


def _changed(rows: Iterable[Any], stored: Any, key: str) -> list[Any]:
    return [row for row in rows if change_of(row, stored.get(getattr(row, key))) is not Change.UNCHANGED]


async def _run(connection: AsyncConnection, statement: str, rows: list[dict[str, Any]], **arguments: str) -> None:
    document = Jsonb(_PLAIN.dump_python(rows, mode="json"))
    await connection.execute(text(statement), {"rows": document, **arguments})


def _refuse_by_rule(entry: ImportEntry, error: RuleBrokenError, spool: ImportSpool) -> None:
    rule = error.type or "database_rule"
    spool.refuse(entry.account.account_id, [Problem("account_id", rule, error.message, ACCOUNTS, entry.line)])
