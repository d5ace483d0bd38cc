"""Signals collections and payment requests that what their account owes, or its cards, have changed."""

import asyncio
from collections.abc import Sequence

from sqlalchemy import and_, select
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.database import Database, one_of
from commands.output import Failure, Output
from commands.session import temporal_of
from models.tables.collecting import CollectionRow, PaymentRequestRow
from models.workflow_ids import collection_id, payment_request_id
from settings import Settings

# An import may change what thousands owe.
IN_FLIGHT = 20


async def signal_collections(
    output: Output,
    database: Database,
    settings: Settings,
    account_ids: Sequence[str],
    *,
    signal: str = "receivable_changed",
) -> dict[str, object]:
    """Signal the open collections of accounts; return what the answer says of it.

    What has changed is written by now. If Temporal does not answer, that is a warning and no failure: a collection
    looks at what is owed, and at the cards, before each charge in any case, only later.
    """
    waiting = await _open(database, account_ids, also_links=signal == "receivable_changed")
    if not waiting:
        return {"collections_signalled": []}
    try:
        client = await temporal_of(settings)
        gate = asyncio.Semaphore(IN_FLIGHT)
        delivered = await asyncio.gather(*(_signal(client, id, signal, gate) for id in waiting))
    except (Failure, RPCError) as error:
        warning = (
            f"done, but Temporal could not be signalled ({error}): {', '.join(waiting)} will notice at their next timer"
        )
        output.note(f"warning: {warning}")
        return {"collections_signalled": [], "warning": warning}
    return {"collections_signalled": [id for id, is_delivered in zip(waiting, delivered, strict=True) if is_delivered]}


async def _open(database: Database, account_ids: Sequence[str], *, also_links: bool) -> list[str]:
    is_by_link = and_(
        PaymentRequestRow.account_id == CollectionRow.account_id, PaymentRequestRow.period == CollectionRow.period
    )
    found = (
        select(CollectionRow.account_id, CollectionRow.period, PaymentRequestRow.id.label("by_link"))
        .outerjoin(PaymentRequestRow, is_by_link)
        .where(one_of(CollectionRow.account_id, account_ids), CollectionRow.closed_at.is_(None))
    )
    rows = await database.read(found.order_by(CollectionRow.account_id, CollectionRow.period))
    return [
        payment_request_id(row.by_link) if row.by_link else collection_id(row.account_id, row.period)
        for row in rows
        if also_links or not row.by_link
    ]


async def _signal(client: Client, id: str, signal: str, gate: asyncio.Semaphore) -> bool:
    async with gate:
        try:
            await client.get_workflow_handle(id).signal(signal)
        except RPCError as error:
            # It has just ended, or its history is gone: there is nothing left to signal.
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
    return True
