"""A stack whose processes show metrics."""

import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.servers.mail import Mailbox
from sandbox.stack import Stack, running_stack
from tests.fixtures.stripe import WEBHOOK_SECRET
from tests.support.builders import API_KEY, Merchant


@pytest.fixture
async def observed_stack(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    merchant: Merchant,
    database_url: str,
    owner_database_url: str,
    temporal_address: str,
    stripe_address: str,
    mailbox: Mailbox,
) -> AsyncIterator[Stack]:
    """The session's servers and a merchant's database; each process that is started serves at a port of its own."""
    given = {
        "DULY_DATABASE_URL": database_url,
        "DULY_MIGRATION_DATABASE_URL": owner_database_url,
        "DULY_TEMPORAL_ADDRESS": temporal_address,
        "STRIPE_API_BASE": stripe_address,
        "STRIPE_API_KEY": API_KEY,
        "DULY_SMTP_URL": mailbox.url,
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    observed = {"DULY_METRICS_ADDRESS": "127.0.0.1:0", "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET}
    async with running_stack() as running:
        yield replace(running, environment={**running.environment, **observed})
