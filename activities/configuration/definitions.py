"""Writing what a merchant configured: all of a document in one commit, and nothing that is so already."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from psycopg.types.json import Jsonb
from pydantic import TypeAdapter
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.configuration.consistency import Configured, check
from activities.configuration.document import DefinitionsDocument, Policy, Provider, RunDefinition, TransactionType
from activities.configuration.queries import LATEST_POLICIES, LISTS
from activities.configuration.sql import (
    ADD_CURRENCY,
    ADD_DEFINITION,
    ADD_METHOD,
    ADD_POLICY,
    ADD_PRODUCT,
    ADD_PROVIDER,
    ADD_PROVIDER_METHOD,
    ADD_SERIES,
    ADD_TAX_RATE,
    ALLOW_METHOD,
    KNOWN,
    NUMBER_TYPE,
)
from activities.database import Database
from models.collections.dunning import DunningPolicy
from models.imports.entry import Change
from models.ledger.number_series import GAP_FREE_BY_DEFAULT
from models.problem import RefusedError
from models.tables.configuration import DunningPolicyRow

_POLICY = TypeAdapter(DunningPolicy)

Changes = list[tuple[str, str, Change]]


class Definitions:
    """Applies documents, and lists what is configured."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def apply(self, document: DefinitionsDocument) -> Changes:
        """Make the configuration what a document says: kind, id and change of each part, in the document's order.

        Raises RefusedError, and writes nothing, when the document contradicts itself or what is configured.
        """
        async with self._database.transaction() as connection:
            known = Configured(**(await connection.execute(text(KNOWN))).one()._asdict())
            if problems := list(check(document, known)):
                raise RefusedError(problems)
            return [change async for change in _Writing(connection).write(document)]

    async def everything(self) -> dict[str, Sequence[Row[Any]]]:
        """Return everything that is configured, by the names of the document."""
        return {kind: await self._database.read(query) for kind, query in LISTS.items()}


class _Writing:
    """One document on its way into one commit."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def write(self, document: DefinitionsDocument) -> Any:
        for rate in document.tax_rates:
            yield "tax_rate", rate.id, await self._upsert(ADD_TAX_RATE, rate.model_dump())
        for product in document.products:
            values = {**product.model_dump(), "ledger_account": product.account}
            yield "product", product.id, await self._upsert(ADD_PRODUCT, values)
        for method in document.payment_methods:
            yield "payment_method", method.id, await self._upsert(ADD_METHOD, method.model_dump())
            # Money is paid and given back by it: the types of both allow it from now on.
            await self._connection.execute(text(ALLOW_METHOD), {"id": method.id})
        for type in document.transaction_types:
            yield "transaction_type", type.id, await self._transaction_type(type)
        for provider in document.providers:
            yield "provider", provider.id, await self._provider(provider)
        for policy in document.dunning_policies:
            yield "dunning_policy", policy.id, await self._policy(policy)
        for definition in document.run_definitions:
            yield "run_definition", definition.id, await self._definition(definition)

    async def _transaction_type(self, type: TransactionType) -> Change:
        values = {**type.model_dump(), "gap_free_by_default": sorted(GAP_FREE_BY_DEFAULT)}
        await self._connection.execute(text(ADD_SERIES), values)
        return await self._upsert(NUMBER_TYPE, type.model_dump(exclude={"gap_free"}))

    async def _provider(self, provider: Provider) -> Change:
        changes = [await self._upsert(ADD_PROVIDER, provider.model_dump(include={"id", "gateway", "mode", "state"}))]
        for code in provider.currencies:
            values = {"provider": provider.id, "currency": code, "minimum": provider.minimum_minor(code)}
            changes.append(await self._upsert(ADD_CURRENCY, values))
        changes += [
            await self._upsert(ADD_PROVIDER_METHOD, {"provider": provider.id, "method": method})
            for method in provider.payment_methods
        ]
        if changes[0] is Change.CREATED or set(changes) == {Change.UNCHANGED}:
            return changes[0]
        return Change.UPDATED

    async def _policy(self, part: Policy) -> Change:
        policy, place = part.policy, {"id": part.policy.id, "segment": part.segment}
        row = DunningPolicyRow
        stored = LATEST_POLICIES.where(row.id == policy.id, row.segment == part.segment)
        rows = (await self._connection.execute(stored)).all()
        latest = _POLICY.validate_python({**rows[0].document, "id": policy.id, "version": 1}) if rows else None
        if latest == replace(policy, version=1):
            return Change.UNCHANGED
        document = _POLICY.dump_python(policy, mode="json", exclude={"id", "version"})
        version = rows[0].version + 1 if rows else 1
        values = {**place, "version": version, "document": Jsonb(document)}
        await self._connection.execute(text(ADD_POLICY), values)
        return Change.UPDATED if rows else Change.CREATED

    async def _definition(self, definition: RunDefinition) -> Change:
        schedule = definition.schedule.model_dump() if definition.schedule else None
        values = {
            **definition.model_dump(),
            "currencies": list(definition.currencies),
            "schedule": Jsonb(schedule) if schedule else None,
        }
        return await self._upsert(ADD_DEFINITION, values)

    async def _upsert(self, statement: str, values: Mapping[str, Any]) -> Change:
        """Run an upsert that returns a row only when it wrote, saying whether the row is new."""
        row = (await self._connection.execute(text(statement), values)).first()
        if row is None:
            return Change.UNCHANGED
        return Change.CREATED if row.is_new else Change.UPDATED
