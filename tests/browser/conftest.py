"""A Temporal server with its UI, Duly's workers on it, and an operator's browser."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import async_playwright
from temporalio.client import Client

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from sandbox.servers.temporal import TemporalServer, running_temporal
from settings import Settings
from tests.browser.operators import WIDTH, Operator
from worker import gateway_worker, mail_worker, workflow_worker
from workflows.namespace import register_attributes
from workflows.plugin import DULY_PLUGIN

# The browser speaks to this machine only, and asks nobody for updates.
CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
async def temporal_with_ui(server_logs: Path) -> AsyncIterator[TemporalServer]:
    """A development server of its own, with its UI."""
    async with running_temporal(log=server_logs / "temporal-ui.log", database=None) as server:
        yield server


@pytest.fixture
async def ui_client(
    temporal_with_ui: TemporalServer, database: Database, gateway: StripeGateway, settings: Settings
) -> AsyncIterator[Client]:
    """A client of that server, with Duly's workers at work."""
    client = await Client.connect(temporal_with_ui.address, plugins=[DULY_PLUGIN])
    await register_attributes(client)
    async with (
        workflow_worker(client, database),
        gateway_worker(client, database, gateway, settings),
        mail_worker(client, database, settings),
    ):
        yield client


@pytest.fixture
async def operator(temporal_with_ui: TemporalServer) -> AsyncIterator[Operator]:
    """Somebody in front of the UI, in a browser that remembers nothing.

    DULY_SCREENSHOTS names a folder for the pictures of the documents; without it none is kept.
    """
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine")
    pictures = os.environ.get("DULY_SCREENSHOTS", "")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=CHROMIUM)
        context = await browser.new_context(
            viewport={"width": WIDTH, "height": 1000}, timezone_id="UTC", locale="en-GB"
        )
        page = await context.new_page()
        page.set_default_timeout(60_000)
        yield Operator(page, temporal_with_ui.ui_url, Path(pictures) if pictures else None)
        await browser.close()
