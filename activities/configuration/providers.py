"""Which providers there are: what a start that names one is held against, and what pages show of each (G6, P13)."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import JSONB
from temporalio import activity

from activities.configuration.queries import LISTS
from activities.database import Database
from models.tables.configuration import (
    BANK_DEBITS,
    CreditorRow,
    DefinitionChangeRow,
    ProviderMethodRow,
    ProviderRow,
    RunDefinitionRow,
)
from models.tables.operations import SendingRow
from models.tables.reference import PaymentMethodRow

CHANGES_AT_MOST = 20
_C, _M, _P = DefinitionChangeRow, PaymentMethodRow, ProviderRow
_METHODS = (
    select(
        func.coalesce(
            func.jsonb_agg(func.jsonb_build_array(_M.id, _M.name, _M.is_active, type_=JSONB), type_=JSONB),
            func.jsonb_build_array(),
        )
    )
    .join(ProviderMethodRow, ProviderMethodRow.payment_method_id == _M.id)
    .where(ProviderMethodRow.provider_id == _P.id)
    .scalar_subquery()
)


class ProviderActivities:
    """Reads the configured providers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.configured_providers]

    @activity.defn
    async def configured_providers(self) -> list[str]:
        """Return the id of every provider, effective or not."""
        rows = await self._database.read(select(ProviderRow.id).order_by(ProviderRow.id))
        return [row.id for row in rows]


class ProviderQueries:
    """Reads providers as pages show them, each in one statement."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def everything(self, *only: str) -> Sequence[Row[Any]]:
        """Return providers, all or those with these ids: fields of the document, its account, and what stops it.

        `methods` are id, name and whether it is in use of each; `why_not` is empty when new requests may be made (X9),
        `held` when nothing is held back after a restore.
        """
        columns = (
            *(_P.gateway_account, _P.platform_id, _P.created_at),
            (_P.gateway != BANK_DEBITS).label("is_called"),
            _METHODS.label("methods"),
            func.duly.why_not_effective(_P.id).label("why_not"),
            func.coalesce(SendingRow.reason, "").label("held"),
            *(CreditorRow.name.label("creditor"), CreditorRow.creditor_identifier, CreditorRow.scheme),
        )
        query = (
            LISTS["providers"]
            .add_columns(*columns)
            .outerjoin(SendingRow, (SendingRow.provider_id == _P.id) & (SendingRow.state != "open"))
            .outerjoin(CreditorRow, CreditorRow.id == _P.id)
        )
        return await self._database.read(query.where(_P.id.in_(only)) if only else query)

    async def runs(self, id: str) -> Sequence[Row[Any]]:
        """Return the run definitions that charge through a provider."""
        row = RunDefinitionRow
        query = select(row.id, row.name, row.state, row.currencies).where(row.provider_id == id)
        return await self._database.read(query.order_by(row.id))

    async def changes(self, id: str) -> Sequence[Row[Any]]:
        """Return what was changed of a provider, by whom and why, the newest first."""
        return await self._database.read(
            select(_C.kind, _C.definition_id.label("id"), _C.changes, _C.actor, _C.reason, _C.changed_at, _C.version)
            .where(_C.kind == "providers", _C.definition_id == id)
            .order_by(_C.id.desc())
            .limit(CHANGES_AT_MOST)
        )
