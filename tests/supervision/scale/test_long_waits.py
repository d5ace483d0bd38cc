"""Whoever can be signalled continues as new however often that happens, on a server that suggests it early."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client

from sandbox.servers.temporal import running_temporal
from tests.supervision.scale.signalled import SIGNALLED, signal_without_end
from tests.supervision.scenario import Company
from workflows.namespace import register_attributes
from workflows.plugin import DULY_PLUGIN

EVENTS_SUGGESTED = 40
SIGNALS, AT_ONCE = 40, 2
# One that waits for its customer, one that gathers others, and one that waits for somebody else's page.
IN_THE_GATE = frozenset({"Collection"})


@pytest.fixture(scope="module")
async def development_server(server_logs: Path) -> AsyncIterator[Client]:
    """A server of this module's own that suggests to continue as new after a few events."""
    limits = {"limit.historyCount.suggestContinueAsNew": str(EVENTS_SUGGESTED)}
    async with running_temporal(log=server_logs / "long-waits.log", database=None, ui=False, limits=limits) as server:
        client = await Client.connect(server.address, plugins=[DULY_PLUGIN])
        await register_attributes(client)
        yield client


@pytest.mark.slow
@pytest.mark.parametrize(
    "workflow", [pytest.param(one, marks=() if one in IN_THE_GATE else pytest.mark.nightly) for one in SIGNALLED]
)
async def test_signals_without_end_leave_every_history_short_and_the_business_right(
    company: Company, workflow: str
) -> None:
    lengths = await signal_without_end(company, workflow, SIGNALS, at_once=AT_ONCE)

    assert len(lengths) > 1
    assert max(lengths) < 3 * EVENTS_SUGGESTED
