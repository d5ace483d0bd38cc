"""What a merchant configured: documents are applied one after another, each in one commit, and what changed is kept."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Row, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.configuration.consistency import Configured, check
from activities.configuration.document import DefinitionsDocument
from activities.configuration.ledger_consistency import ConfiguredLedger, problems_of_ledger
from activities.configuration.queries import LISTS
from activities.configuration.saved_rows import PartChange
from activities.configuration.sql import (
    CONFLICTS,
    KEEP_VERSION,
    KNOWN,
    KNOWN_LEDGER,
    KNOWN_WALLETS,
    ONE_AT_A_TIME,
    SAY_VERSION,
    SAY_WHO,
    STANDING_CATEGORIES,
)
from activities.configuration.wallet_consistency import (
    ConfiguredWallets,
    problems_of_top_ups,
    problems_of_vouchers,
    problems_of_wallets,
)
from activities.configuration.writing import DocumentWriting, Written
from activities.database import Database, RuleBrokenError, matching
from activities.listing import Listed, NewestFirst
from models.listing import ListPage
from models.problem import Problem, RefusedError, refusal
from models.tables.configuration import ConfigurationVersionRow, DefinitionChangeRow, RunDefinitionRow

Configuration = Mapping[str, Sequence[Row[Any]]]
_CHANGE = DefinitionChangeRow
_VERSION = ConfigurationVersionRow

_CHANGES = NewestFirst(
    select(
        _CHANGE.definition_id.label("id"),
        _CHANGE.kind,
        _CHANGE.changes,
        _CHANGE.version,
        _CHANGE.actor,
        _CHANGE.reason,
        _CHANGE.changed_at,
    ),
    moment=_CHANGE.changed_at,
    key=_CHANGE.id,
    state=_CHANGE.kind,
)


@dataclass(frozen=True)
class AppliedDocument:
    """What a document changed: kind, id and change of each part in its order, and the fields of those that changed.

    `version` is 0 when nothing changed.
    """

    changes: Sequence[Written]
    fields: Sequence[Row[Any]]
    version: int


class _OnlyComparedError(Exception):
    """Ends the transaction of a comparison, so that nothing of it is written."""


class Definitions:
    """Applies documents, and lists what is configured."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def apply(self, document: DefinitionsDocument, *, actor: str = "", reason: str = "") -> AppliedDocument:
        """Make the configuration what a document says. Documents that come at once are applied one after another.

        Raises RefusedError, and writes nothing, when the document contradicts itself or what is configured, or takes
        away what is in use.
        """
        async with self._database.transaction() as connection:
            return await _apply(connection, document, actor, reason)

    async def apply_made(
        self, kinds: Sequence[str], make: Callable[[Configuration], DefinitionsDocument], *, actor: str, reason: str
    ) -> AppliedDocument:
        """Apply a document that is made of what is configured of some kinds, which nobody changes meanwhile.

        Raises RefusedError as applying it does, and as `make` does.
        """
        async with self._database.transaction() as connection:
            await _begin(connection, actor, reason)
            found = {kind: (await connection.execute(LISTS[kind])).all() for kind in kinds}
            return await _apply(connection, make(found), actor, reason)

    async def diff(self, document: DefinitionsDocument) -> AppliedDocument:
        """Return what applying a document would change, and write nothing. Raises RefusedError as applying it would."""
        found = []
        try:
            async with self._database.transaction() as connection:
                found.append(await _apply(connection, document, "", ""))
                raise _OnlyComparedError
        except _OnlyComparedError:
            return found[0]

    async def switch(self, definition_id: str, state: str, *, actor: str, reason: str) -> PartChange:
        """Make a run definition effective, or not (X18). Raises RefusedError when there is none."""
        row = RunDefinitionRow
        async with self._database.transaction() as connection:
            await _begin(connection, actor, reason)
            stored = select(row.state).where(row.id == definition_id).with_for_update(key_share=True)
            before = (await connection.execute(stored)).first()
            if before is None:
                raise refusal("definition", "run_definition_exists", f"there is no run definition {definition_id!r}")
            if before.state == state:
                return PartChange.UNCHANGED
            await connection.execute(update(row).where(row.id == definition_id).values(state=state))
            return PartChange.UPDATED

    async def delete(self, definition_id: str, *, actor: str, reason: str) -> None:
        """Delete a run definition that was never run (X20). Raises RefusedError for any other one."""
        try:
            await self._database.call("delete_definition", definition_id=definition_id, actor=actor, reason=reason)
        except RuleBrokenError as error:
            raise refusal("definition", str(error.type), error.message.removeprefix("definition: ")) from error

    async def changes(self, page: ListPage, *, kind: str, definition_id: str, actor: str) -> Listed:
        """Return a page of what was changed, of everything or as filters say, the newest first."""
        given = ((_CHANGE.kind, kind), (_CHANGE.definition_id, definition_id), (_CHANGE.actor, actor))
        filters = [one for column, value in given for one in matching(column, value)]
        return await _CHANGES.page(self._database, page, *filters, with_totals=False)

    async def history(self, definition_id: str, kind: str, limit: int) -> Sequence[Row[Any]]:
        """Return what was changed, of one part or of everything, by whom and why, the newest first."""
        only = [(_CHANGE.definition_id, definition_id), (_CHANGE.kind, kind)]
        return await self._database.read(
            _changes()
            .where(*(column == value for column, value in only if value))
            .order_by(_CHANGE.id.desc())
            .limit(limit)
        )

    async def version(self, version: int) -> Row[Any]:
        """Return a document that changed the configuration, as it was applied. Raises RefusedError for none."""
        columns = (_VERSION.version, _VERSION.actor, _VERSION.reason, _VERSION.applied_at, _VERSION.document)
        row = await self._database.read_first(select(*columns).where(_VERSION.version == version))
        if row is None:
            raise refusal("version", "version_exists", f"no document changed the configuration to version {version}")
        return row

    async def everything(self, *kinds: str) -> dict[str, Sequence[Row[Any]]]:
        """Return everything that is configured, or some kinds of it, by the names of the document."""
        return {kind: await self._database.read(LISTS[kind]) for kind in kinds or LISTS}


def _changes() -> Any:
    return select(
        _CHANGE.kind,
        _CHANGE.definition_id.label("id"),
        _CHANGE.changes,
        _CHANGE.actor,
        _CHANGE.reason,
        _CHANGE.changed_at,
        _CHANGE.version,
    )


async def _begin(connection: AsyncConnection, actor: str, reason: str) -> None:
    """Wait for who configures at the moment, and let the history of this commit's changes have who and why."""
    await connection.execute(text(ONE_AT_A_TIME))
    await connection.execute(text(SAY_WHO), {"actor": actor, "reason": reason})


async def _apply(
    connection: AsyncConnection, document: DefinitionsDocument, actor: str, reason: str
) -> AppliedDocument:
    await _begin(connection, actor, reason)
    newest = (await connection.execute(select(func.coalesce(func.max(_VERSION.version), 0)))).scalar_one()
    version = newest + 1
    await connection.execute(text(SAY_VERSION), {"version": str(version)})
    await _require_consistent(connection, document)
    left = {row[:-2]: row.users for row in await connection.execute(text(CONFLICTS))}
    changes = [written async for written in DocumentWriting(connection, document).write()]
    if problems := list(_made(document, left, (await connection.execute(text(CONFLICTS))).all())):
        raise RefusedError(problems)
    changed = _changes().where(_CHANGE.version == version).order_by(_CHANGE.id)
    fields = (await connection.execute(changed)).all()
    if not fields:
        return AppliedDocument(changes, (), 0)
    kept = Jsonb(document.model_dump(mode="json", exclude_unset=True))
    named = {"version": version, "document": kept, "actor": actor, "reason": reason}
    await connection.execute(text(KEEP_VERSION), named)
    return AppliedDocument(changes, fields, version)


async def _require_consistent(connection: AsyncConnection, document: DefinitionsDocument) -> None:
    known = Configured(**(await connection.execute(text(KNOWN))).one()._asdict())
    accounts = {"accounts": [account.id for account in document.internal_accounts]}
    ledger = ConfiguredLedger(**(await connection.execute(text(KNOWN_LEDGER), accounts)).one()._asdict())
    wallets = ConfiguredWallets(**(await connection.execute(text(KNOWN_WALLETS))).one()._asdict())
    if problems := [
        *check(document, known),
        *problems_of_ledger(document, ledger),
        *problems_of_wallets(document, wallets),
        *problems_of_vouchers(document, wallets),
        *problems_of_top_ups(document, wallets),
        *await _problems_of_categories(connection, document),
    ]:
        raise RefusedError(problems)


async def _problems_of_categories(connection: AsyncConnection, document: DefinitionsDocument) -> Sequence[Problem]:
    """Why no VAT was charged stands on what is posted, and in the returns of its month: it stays what it was.

    A rate that has said nothing so far may say it: its invoices wait for that (models/printouts/electronic.py).
    """
    rates = Jsonb([{"id": rate.id, "category": rate.category} for rate in document.tax_rates])
    found = (await connection.execute(text(STANDING_CATEGORIES), {"rates": rates})).all()
    places = {rate.id: position for position, rate in enumerate(document.tax_rates)}
    return [
        Problem(
            f"tax_rates.{places[row.id]}.category",
            "tax_category_stands",
            f"what is posted at {row.id!r} says {row.category}, not {row.given or 'nothing'}: make another rate",
        )
        for row in found
    ]


def _made(document: DefinitionsDocument, left: Mapping[Any, int], conflicts: Sequence[Row[Any]]) -> Iterator[Problem]:
    """Yield the conflicts that a document makes: what was in conflict before stands in nobody's way."""
    for row in conflicts:
        if row.users <= left.get(row[:-2], 0):
            continue
        ids = [part.id for part in getattr(document, row.kind)] if row.kind != "card_rules" else []
        place = f"{row.kind}.{ids.index(row.id) if row.id in ids else row.id}.{row.field}"
        example = f", such as {row.example!r}" if row.example else ""
        yield Problem(place, row.rule, f"{row.id!r} is used by {row.used_by}{example}")
