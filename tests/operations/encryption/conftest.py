"""Servers that are spoken to with TLS, before the session's own."""

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import make_url

from tests.operations.encryption.authority import (
    CertificateAuthority,
    Issued,
    new_authority,
    postgresql_with_tls,
    temporal_with_tls,
)
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

NOW, DAY = datetime.now(UTC), timedelta(days=1)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    """The authority that this installation believes."""
    if shutil.which("openssl") is None:
        pytest.skip("certificates are made with openssl, which this machine does not have")
    return new_authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def stranger(authority: CertificateAuthority) -> CertificateAuthority:
    """An authority that nobody believes."""
    return new_authority(authority.folder, "stranger")


@pytest.fixture(scope="session")
def here(authority: CertificateAuthority) -> Issued:
    """The certificate of a server at this machine's address."""
    return authority.issue("here", "IP:127.0.0.1", "DNS:localhost")


@pytest.fixture(scope="session")
def expired(authority: CertificateAuthority) -> Issued:
    """The certificate of a server here that was good last year."""
    return authority.issue_between("expired", NOW - 400 * DAY, NOW - 35 * DAY, "IP:127.0.0.1")


@pytest.fixture(scope="session")
def early(authority: CertificateAuthority) -> Issued:
    """The certificate of a server here that will be good next month."""
    return authority.issue_between("early", NOW + 30 * DAY, NOW + 90 * DAY, "IP:127.0.0.1")


@pytest.fixture(scope="session")
def elsewhere(authority: CertificateAuthority) -> Issued:
    """The certificate of a server of another name."""
    return authority.issue("elsewhere", "DNS:db.example")


@pytest.fixture(scope="session")
def worker_certificate(authority: CertificateAuthority) -> Issued:
    """A certificate for us."""
    return authority.issue("worker", "DNS:worker.example")


def at_port(url: str, port: int) -> str:
    """Return a database's address with another port."""
    return make_url(url).set(port=port).render_as_string(hide_password=False)


@pytest.fixture
async def with_database_tls(cli: CommandLine, merchant: Merchant, here: Issued) -> AsyncIterator[CommandLine]:
    """The command line of an installation whose database shows a certificate."""
    addresses = {name: cli.environment[name] for name in ("DULY_DATABASE_URL", "DULY_MIGRATION_DATABASE_URL")}
    port = make_url(addresses["DULY_DATABASE_URL"]).port
    assert port is not None
    async with postgresql_with_tls(port, here) as encrypted:
        moved = {name: at_port(url, encrypted) for name, url in addresses.items()}
        yield CommandLine({**cli.environment, **moved})


@pytest.fixture
async def with_temporal_tls(cli: CommandLine, merchant: Merchant, here: Issued) -> AsyncIterator[CommandLine]:
    """The command line of an installation whose Temporal shows a certificate."""
    async with temporal_with_tls(port_of(cli), here) as encrypted:
        yield CommandLine({**cli.environment, "DULY_TEMPORAL_ADDRESS": f"127.0.0.1:{encrypted}"})


def port_of(cli: CommandLine) -> int:
    """Return the port of Temporal's frontend."""
    return int(cli.environment["DULY_TEMPORAL_ADDRESS"].rpartition(":")[2])
