"""Environments for the tests of the stack."""

import tempfile
from pathlib import Path

import pytest

from sandbox.servers.mail import Mailbox
from settings import Settings, environment_name
from tests.support.builders import API_KEY

SETTINGS = tuple(environment_name(field) for field in Settings.model_fields)


@pytest.fixture(autouse=True)
def _nothing_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # A start that fails leaves its logs behind, on purpose; here they go with the rest of the test's files.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def everything_given(
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
    owner_database_url: str,
    temporal_address: str,
    stripe_address: str,
    mailbox: Mailbox,
) -> dict[str, str]:
    """The environment of somebody who has all the servers already."""
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
    return given
