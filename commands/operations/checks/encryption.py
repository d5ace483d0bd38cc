"""Examining how the database and Temporal are spoken to: encrypted or not, with whom, and for how much longer."""

from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from psycopg import AsyncConnection
from sqlalchemy import make_url

from activities.database import Database
from commands.operations.checks.certificates import file_validity, shown_by_postgresql, shown_by_temporal
from commands.operations.checks.finding import Finding, ok, warning
from models.certificate import Validity
from settings import LOOPBACK, Settings

# Whoever renews certificates by hand needs some weeks.
DAYS_LEFT_LEAST = 30

POSTGRESQL_PORT = 5432

VERIFYING = {"verify-ca", "verify-full"}


class ExpiringCertificate(NamedTuple):
    """Whose certificate it is, and until when it is good."""

    whose: str
    until: datetime


async def examine_database_encryption(database: Database) -> Finding:
    """Return how the database is spoken to, as the driver says that it is done."""
    async with database.connection() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert isinstance(driver, AsyncConnection)  # noqa: S101  # the only driver that an address may name
        info, is_encrypted = driver.info, driver.pgconn.ssl_in_use
        given, host, port = info.get_parameters(), info.hostaddr or info.host, info.port
    if not is_encrypted:
        return _unencrypted("database encryption", host, "set DULY_DATABASE_TLS_CA, if the server has a certificate")
    mode = given.get("sslmode", "prefer")
    certificates = _known(server=await shown_by_postgresql(host, port), own=_file(given.get("sslcert")))
    if mode not in VERIFYING:
        advice = "set DULY_DATABASE_TLS_CA to the authority's PEM file: as it is, anybody may answer in its place"
        return warning("database encryption", f"encrypted, and nobody looks whose certificate it is ({mode})", advice)
    return _encrypted("database encryption", f"encrypted, certificate verified ({mode})", certificates)


async def examine_temporal_encryption(settings: Settings) -> Finding:
    """Return how Temporal is spoken to, once a connection has come about: with TLS, its certificate was verified."""
    address, _, port = settings.temporal_address.rpartition(":")
    host = address.strip("[]")
    tls = settings.temporal_connection["tls"]
    if tls is None:
        return _unencrypted("Temporal encryption", host, "set DULY_TEMPORAL_TLS, if the server has a certificate")
    certificate, key = settings.temporal_tls_cert, settings.temporal_tls_key
    own = (certificate, key) if certificate and key else None
    server = await shown_by_temporal(host, int(port), settings.temporal_tls_server_name, own)
    by = "DULY_TEMPORAL_TLS_CA" if tls.server_root_ca_cert else "the system's authorities"
    found = f"encrypted, certificate verified by {by}{', ours shown' if own else ''}"
    return _encrypted("Temporal encryption", found, _known(server=server, own=_file(certificate)))


async def what_ails_a_certificate(settings: Settings) -> str:
    """Return what to do about a certificate that is not valid now, the database's or our own for it; "" for none."""
    address, now = make_url(settings.database_url), datetime.now(UTC)
    own = address.query.get("sslcert")
    ours = file_validity(Path(own)).problem_at(now) if isinstance(own, str) else ""
    if ours:
        return f"renew our certificate, or set a clock right: {own} {ours}"
    shown = await shown_by_postgresql(address.host or "", address.port or POSTGRESQL_PORT)
    theirs = shown.problem_at(now) if shown else ""
    if theirs.startswith("was"):
        return f"renew the server's certificate: it {theirs}"
    return f"set the clock right that is wrong: the server's certificate {theirs}" if theirs else ""


def _unencrypted(check: str, host: str, advice: str) -> Finding:
    if _is_here(host):
        return ok(check, "none: the server is on this machine")
    return warning(check, f"none: whoever is on the way to {host} reads along", advice)


def _encrypted(check: str, found: str, certificates: Sequence[ExpiringCertificate]) -> Finding:
    now = datetime.now(UTC)
    ends = "".join(f", {one.whose} good until {one.until:%Y-%m-%d}" for one in certificates)
    ending = [one.whose for one in certificates if (one.until - now).days < DAYS_LEFT_LEAST]
    if ending:
        advice = f"renew {' and '.join(ending)} certificate: nothing connects any more when it has expired"
        return warning(check, found + ends, advice)
    return ok(check, found + ends)


def _known(*, server: Validity | None, own: datetime | None) -> list[ExpiringCertificate]:
    found = (("the server's", server.ends if server else None), ("our", own))
    return [ExpiringCertificate(whose, until) for whose, until in found if until is not None]


def _file(path: str | Path | None) -> datetime | None:
    return file_validity(Path(path)).ends if path else None


def _is_here(host: str) -> bool:
    """Tell whether a host is this machine: by name, by address, or by the folder of a socket."""
    if host in LOOPBACK or host.startswith("/") or not host:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
