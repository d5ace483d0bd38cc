"""`worker.py --role=gateway` on the instant gateway: `python -m bench.instant_worker`."""

import asyncio
import logging
import os
import signal

from activities.database import Database, create_engine
from bench.instant import InstantGateway
from sandbox.servers.temporal import client_of
from settings import Settings, configure_logging, load_settings
from worker import gateway_worker


async def work(settings: Settings) -> None:
    """Work until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    database = Database(create_engine(settings.database_url, pool=settings.database_pool))
    gateway = InstantGateway(
        settings.stripe_api_key.get_secret_value(),
        api_base=settings.stripe_api_base,
        timeout_seconds=settings.gateway_timeout_seconds,
    )
    async with gateway_worker(await client_of(settings), database, gateway, settings):
        await stop.wait()
    await gateway.close()
    await database.dispose()


if __name__ == "__main__":
    found = load_settings()
    configure_logging(found)
    asyncio.run(work(found))
    # As worker.py does: a loaded interpreter can abort while it tears down the SDK's threads.
    logging.shutdown()
    os._exit(0)
