"""Writing what a merchant configured: all of a document in one commit, and nothing that is so already."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from psycopg.types.json import Jsonb
from pydantic import TypeAdapter
from sqlalchemy import Row, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.configuration.consistency import Configured, check
from activities.configuration.document import DefinitionsDocument, Policy, Provider, TransactionType
from activities.configuration.queries import LATEST_POLICIES, LISTS
from activities.configuration.run_document import RunDefinition
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
    ASSIGN_PROVIDER,
    KEEP_LISTS,
    KNOWN,
    NUMBER_TYPE,
    SAY_WHO,
)
from activities.database import Database, RuleBrokenError
from models.collections.dunning import DunningPolicy
from models.imports.entry import Change
from models.ledger.number_series import GAP_FREE_BY_DEFAULT
from models.problem import RefusedError, refusal
from models.tables.configuration import DefinitionChangeRow, DunningPolicyRow, RunDefinitionRow

_POLICY = TypeAdapter(DunningPolicy)

Changes = list[tuple[str, str, Change]]


class Definitions:
    """Applies documents, and lists what is configured."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def apply(self, document: DefinitionsDocument, *, actor: str = "", reason: str = "") -> Changes:
        """Make the configuration what a document says: kind, id and change of each part, in the document's order.

        Raises RefusedError, and writes nothing, when the document contradicts itself or what is configured.
        """
        async with self._database.transaction() as connection:
            await _say_who(connection, actor, reason)
            known = Configured(**(await connection.execute(text(KNOWN))).one()._asdict())
            if problems := list(check(document, known)):
                raise RefusedError(problems)
            return [change async for change in _Writing(connection).write(document)]

    async def switch(self, definition_id: str, state: str, *, actor: str, reason: str) -> Change:
        """Make a run definition effective, or not (X18). Raises RefusedError when there is none."""
        row = RunDefinitionRow
        async with self._database.transaction() as connection:
            await _say_who(connection, actor, reason)
            before = (
                await connection.execute(select(row.state).where(row.id == definition_id).with_for_update())
            ).first()
            if before is None:
                raise refusal("definition", "run_definition_exists", f"there is no run definition {definition_id!r}")
            if before.state == state:
                return Change.UNCHANGED
            await connection.execute(update(row).where(row.id == definition_id).values(state=state))
            return Change.UPDATED

    async def delete(self, definition_id: str, *, actor: str, reason: str) -> None:
        """Delete a run definition that was never run (X20). Raises RefusedError for any other one."""
        try:
            await self._database.call("delete_definition", definition_id=definition_id, actor=actor, reason=reason)
        except RuleBrokenError as error:
            raise refusal("definition", str(error.type), error.message.removeprefix("definition: ")) from error

    async def history(self, definition_id: str, limit: int) -> Sequence[Row[Any]]:
        """Return what was changed of a run definition, by whom and why, the newest first."""
        row = DefinitionChangeRow
        changes = select(row.changes, row.actor, row.reason, row.changed_at).where(row.definition_id == definition_id)
        return await self._database.read(changes.order_by(row.id.desc()).limit(limit))

    async def everything(self) -> dict[str, Sequence[Row[Any]]]:
        """Return everything that is configured, by the names of the document."""
        return {kind: await self._database.read(query) for kind, query in LISTS.items()}


async def _say_who(connection: AsyncConnection, actor: str, reason: str) -> None:
    """Let the history of this commit's changes have who and why."""
    await connection.execute(text(SAY_WHO), {"actor": actor, "reason": reason})


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
        lists = {
            "provider": provider.id,
            "currencies": list(provider.currencies),
            "methods": list(provider.payment_methods),
        }
        is_taken_away = (await self._connection.execute(text(KEEP_LISTS), lists)).scalar_one()
        changes = [await self._upsert(ADD_PROVIDER, provider.model_dump(include={"id", "gateway", "mode", "state"}))]
        for code in provider.currencies:
            values = {"provider": provider.id, "currency": code, "minimum": provider.minimum_minor(code)}
            changes.append(await self._upsert(ADD_CURRENCY, values))
        changes += [
            await self._upsert(ADD_PROVIDER_METHOD, {"provider": provider.id, "method": method})
            for method in provider.payment_methods
        ]
        if provider.merchant is not None:
            assigned = {"provider": provider.id, "merchant": provider.merchant}
            is_new = (await self._connection.execute(text(ASSIGN_PROVIDER), assigned)).scalar_one()
            changes.append(Change.UPDATED if is_new else Change.UNCHANGED)
        if changes[0] is Change.CREATED or (set(changes) == {Change.UNCHANGED} and not is_taken_away):
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
        values = {
            **definition.model_dump(),
            "currencies": list(definition.currencies),
            "schedule": Jsonb(definition.schedule.stored()) if definition.schedule else None,
            "criteria": Jsonb(definition.criteria.stored()),
            "keeps_schedule": definition.keeps_schedule,
            "keeps_state": definition.keeps_state,
        }
        return await self._upsert(ADD_DEFINITION, values)

    async def _upsert(self, statement: str, values: Mapping[str, Any]) -> Change:
        """Run an upsert that returns a row only when it wrote, saying whether the row is new."""
        row = (await self._connection.execute(text(statement), values)).first()
        if row is None:
            return Change.UNCHANGED
        return Change.CREATED if row.is_new else Change.UPDATED
