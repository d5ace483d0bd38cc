"""Pages that are open although nothing new may be taken through their provider: whoever looks after one closes it."""

import asyncio
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.database import Database
from models.workflow_ids import collection_id, payment_request_id

log = structlog.get_logger(__name__)

# So many are signalled at once, and so many at a time: the supervisor comes back for more.
SIGNALLED_MAX = 5000
CONCURRENT = 16
# One that Temporal does not take must not hold up the others.
RPC_TIMEOUT = timedelta(seconds=10)


async def signal_stopped_pages(database: Database, client: Client) -> int:
    """Let every owner of such a page read it, which closes it; return how many were signalled.

    Safe to repeat. What Temporal does not take is left to the next call.
    """
    rows = await database.rows("select * from duly.stopped_pages(:limit)", limit=SIGNALLED_MAX)
    slots = asyncio.Semaphore(CONCURRENT)

    async def signal(workflow_id: str) -> bool:
        async with slots:
            try:
                await client.get_workflow_handle(workflow_id).signal("gateway_event", rpc_timeout=RPC_TIMEOUT)
            except RPCError as error:
                # What was stopped is resumed from its row, and reads its page then.
                if error.status is not RPCStatusCode.NOT_FOUND:
                    log.warning("stopped_page_not_signalled", workflow_id=workflow_id, error=str(error))
                return False
        return True

    owners = [
        payment_request_id(row.payment_request_id)
        if row.payment_request_id
        else collection_id(row.account_id, row.period)
        for row in rows
    ]
    return sum(await asyncio.gather(*map(signal, owners)))
