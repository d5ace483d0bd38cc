"""Duly's workflows, and a client that knows nothing of Duly's classes."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from tests.contract.foreign import Foreign, Marked, running_workflows


@pytest.fixture(scope="session")
async def foreign(development_server: Client, temporal_address: str) -> AsyncIterator[Foreign]:
    client = await Client.connect(temporal_address)
    marked = await Client.connect(temporal_address, interceptors=[Marked()])
    async with running_workflows(development_server, client, marked) as running:
        yield running
