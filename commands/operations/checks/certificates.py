"""Certificates as the doctor looks at them: what a server shows, and until when one is good."""

import asyncio
import ssl
import struct
from pathlib import Path

from models.certificate import Validity, validity_of, validity_of_pem

SECONDS = 5.0
# PostgreSQL's request to go on with TLS, which it answers with S, or with N when it cannot.
_POSTGRESQL_WANTS_TLS = struct.pack("!II", 8, 80877103)


async def shown_by_postgresql(host: str, port: int) -> Validity | None:
    """Return when the certificate is good that a PostgreSQL shows; None when it shows none."""
    try:
        async with asyncio.timeout(SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(_POSTGRESQL_WANTS_TLS)
            if await reader.readexactly(1) != b"S":
                writer.close()
                return None
            await writer.start_tls(_looking_only(), server_hostname=host)
            return _validity_shown(writer)
    except (OSError, ssl.SSLError, asyncio.IncompleteReadError, TimeoutError):
        return None


async def shown_by_temporal(host: str, port: int, name: str, own: tuple[Path, Path] | None) -> Validity | None:
    """Return when the certificate is good that a Temporal frontend shows; None when it shows none."""
    context = _looking_only()
    context.set_alpn_protocols(["h2"])
    if own is not None:
        context.load_cert_chain(*own)
    try:
        async with asyncio.timeout(SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=name or host)
            return _validity_shown(writer)
    except (OSError, ssl.SSLError, TimeoutError):
        return None


def file_validity(path: Path) -> Validity:
    """Return when the first certificate of a PEM file is good."""
    return validity_of_pem(path.read_text(encoding="ascii"))


def _looking_only() -> ssl.SSLContext:
    # Nothing is sent over it: whether the certificate is believed is for the connections that work to say.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _validity_shown(writer: asyncio.StreamWriter) -> Validity | None:
    session: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
    shown = session.getpeercert(binary_form=True) if session else None
    writer.close()
    return validity_of(shown) if shown else None
