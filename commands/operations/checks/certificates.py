"""Certificates as the doctor looks at them: what a server shows, and until when one is good."""

import asyncio
import ssl
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

SECONDS = 5.0
# PostgreSQL's request to go on with TLS, which it answers with S, or with N when it cannot.
_POSTGRESQL_WANTS_TLS = struct.pack("!II", 8, 80877103)

_UTC_TIME, _VERSION = 0x17, 0xA0


class Validity(NamedTuple):
    """From when until when a certificate is good."""

    begins: datetime
    ends: datetime


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


def good_until(certificate: bytes) -> datetime:
    """Return until when a certificate is good. Raises ValueError for anything else."""
    return validity_of(certificate).ends


def validity_of(certificate: bytes) -> Validity:
    """Return when a certificate (DER, RFC 5280) is good. Raises ValueError for anything else."""
    ((_, outer),) = _parts(certificate)
    (_, to_be_signed), *_ = _parts(outer)
    parts = [content for tag, content in _parts(to_be_signed) if tag != _VERSION]
    # Serial number, signature, issuer, validity; the validity is a beginning and an end.
    begins, ends = (_moment(tag, text) for tag, text in _parts(parts[3]))
    return Validity(begins, ends)


def file_good_until(path: Path) -> datetime:
    """Return until when the first certificate of a PEM file is good."""
    text = path.read_text(encoding="ascii")
    begin, end = text.index("-----BEGIN CERTIFICATE-----"), text.index("-----END CERTIFICATE-----")
    return good_until(ssl.PEM_cert_to_DER_cert(f"{text[begin:end]}-----END CERTIFICATE-----\n"))


def _looking_only() -> ssl.SSLContext:
    # Nothing is sent over it: whether the certificate is believed is for the connections that work to say.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _moment(tag: int, text: bytes) -> datetime:
    form = "%y%m%d%H%M%SZ" if tag == _UTC_TIME else "%Y%m%d%H%M%SZ"
    return datetime.strptime(text.decode("ascii"), form).replace(tzinfo=UTC)


def _validity_shown(writer: asyncio.StreamWriter) -> Validity | None:
    session: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
    shown = session.getpeercert(binary_form=True) if session else None
    writer.close()
    return validity_of(shown) if shown else None


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of each value of a DER encoding."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length > 0x7F:
            octets = length & 0x7F
            length, at = int.from_bytes(data[at : at + octets]), at + octets
        yield tag, data[at : at + length]
        at += length
