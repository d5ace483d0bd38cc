"""`python -m sandbox.past.worker`: a worker of the past, made of the same three workers as `worker.py`.

It compares its database with nobody's memory: what a restore is noticed by begins with the present.
"""

import asyncio
import signal

from activities.database import Database, create_engine
from activities.gateway.stripe_gateway import StripeGateway
from settings import Settings, configure_logging, load_settings
from worker import gateway_worker, mail_worker, workflow_worker
from workflows.client import connect


async def work(settings: Settings) -> None:
    """Work until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = await connect(**settings.temporal_connection)
    gateway = StripeGateway(
        settings.stripe_api_key.get_secret_value(),
        api_base=settings.stripe_api_base,
        timeout_seconds=settings.gateway_timeout_seconds,
    )
    engine = create_engine(
        settings.database_url,
        pool=settings.database_pool,
        timeout_seconds=settings.database_timeout_seconds,
        gateway_mode=settings.gateway_mode,
    )
    database = Database(engine, timeout_seconds=settings.database_timeout_seconds)
    workers = (
        workflow_worker(client, database),
        mail_worker(client, database, settings),
        gateway_worker(client, database, gateway, settings),
    )
    try:
        async with workers[0], workers[1], workers[2]:
            _ = await stop.wait()
    finally:
        await gateway.close()
        await database.dispose()


if __name__ == "__main__":
    _settings = load_settings()
    configure_logging(_settings)
    asyncio.run(work(_settings))
