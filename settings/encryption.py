"""How connections are encrypted, and whose certificates are believed: checked when the settings are read."""

import ssl
from enum import StrEnum
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError
from temporalio.service import TLSConfig


class DatabaseTls(StrEnum):
    """How a connection to PostgreSQL is encrypted and whose certificate is believed: libpq's `sslmode`."""

    DISABLE = "disable"
    ALLOW = "allow"
    PREFER = "prefer"
    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


def require_pem(path: Path) -> None:
    """Raise ValueError unless a file can be read and holds PEM."""
    try:
        text = path.read_text(encoding="ascii")
    except OSError as error:
        raise ValueError(f"must name a PEM file: {error.strerror}") from None
    except UnicodeDecodeError:
        text = ""
    if "-----BEGIN " not in text:
        raise ValueError("must name a PEM file: what is there is none")


def require_pair(certificate: Path | None, key: Path | None) -> None:
    """Raise ValueError unless a certificate of ours has its key beside it."""
    if bool(certificate) != bool(key):
        raise ValueError("DULY_TEMPORAL_TLS_CERT and DULY_TEMPORAL_TLS_KEY go together: set both or neither")
    if certificate:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password="")
        except (ssl.SSLError, ValueError):
            raise ValueError(
                "DULY_TEMPORAL_TLS_KEY must be the key of DULY_TEMPORAL_TLS_CERT, and not encrypted"
            ) from None


def temporal_tls(authority: Path | None, server_name: str, certificate: Path | None, key: Path | None) -> TLSConfig:
    """Read the files of a connection to Temporal; what is not given is the system's, or nothing."""
    read = [path.read_bytes() if path else None for path in (authority, certificate, key)]
    return TLSConfig(read[0], server_name or None, read[1], read[2])


def encrypted_address(address: str, mode: DatabaseTls | None, authority: Path | None) -> str:
    """Add to a database's address how its connections are encrypted. Raises ValueError where it says so itself."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        url = None
    if url is None or "@" in (url.database or ""):
        raise ValueError(
            "must be postgresql+psycopg://user:password@host:port/name; in a password write @ as %40 and / as %2F"
        )
    given = {"sslmode": mode or (DatabaseTls.VERIFY_FULL if authority else None), "sslrootcert": authority}
    wanted = {name: str(value) for name, value in given.items() if value}
    if twice := sorted(wanted.keys() & url.query.keys()):
        raise ValueError(f"says {' and '.join(twice)}, and so does DULY_DATABASE_TLS or its CA: say it once")
    return url.update_query_dict(wanted).render_as_string(hide_password=False) if wanted else address
