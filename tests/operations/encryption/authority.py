"""Certificates made for one test, and servers that show them in front of servers that have none.

The embedded PostgreSQL is built without TLS, and Temporal's development server has no option for it: a proxy in this
process ends the encryption, as a load balancer does. What connects to it is the real driver and the real SDK.
"""

import asyncio
import contextlib
import logging
import ssl
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_REQUEST_BYTES = 8
_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


@dataclass(frozen=True)
class Issued:
    """A certificate with its key, as PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class CertificateAuthority:
    """An authority of this test's own, below a folder."""

    folder: Path
    name: str = "authority"

    @property
    def certificate(self) -> Path:
        """What whoever believes this authority is given."""
        return self.folder / f"{self.name}.pem"

    def issue(self, name: str, *alternative_names: str, days: int = 90) -> Issued:
        """Issue a certificate for some names, such as DNS:db.example or IP:127.0.0.1."""
        issued = Issued(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={','.join(alternative_names)}\n")
        openssl("req", *_CURVE, "-nodes", "-keyout", issued.key, "-out", request, "-subj", f"/CN={name}")
        signed_by = ("-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial")
        openssl(
            *("x509", "-req", "-in", request, *signed_by, "-out", issued.certificate),
            *("-days", str(days), "-extfile", extensions),
        )
        return issued

    def issue_between(self, name: str, begins: datetime, ends: datetime, *alternative_names: str) -> Issued:
        """Issue a certificate that is good from a moment to another, in the past or the future."""
        issued = self.issue(name, *alternative_names)
        config = self.folder / f"{name}.cnf"
        config.write_text(
            f"[ca]\ndefault_ca=it\n[it]\ndatabase={self.folder}/{name}.index\nnew_certs_dir={self.folder}\n"
            f"serial={self.folder}/{name}.serial\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n"
        )
        (self.folder / f"{name}.index").touch()
        (self.folder / f"{name}.serial").write_text("01")
        days = ("-startdate", f"{begins:%Y%m%d%H%M%SZ}", "-enddate", f"{ends:%Y%m%d%H%M%SZ}")
        signed_by = ("-cert", self.certificate, "-keyfile", self._key)
        files = ("-in", self.folder / f"{name}.csr", "-out", issued.certificate)
        extensions = ("-extfile", self.folder / f"{name}.ext")
        openssl("ca", "-batch", "-notext", "-config", config, *signed_by, *files, *days, *extensions)
        return issued

    @property
    def _key(self) -> Path:
        return self.folder / f"{self.name}.key"


def new_authority(folder: Path, name: str = "authority") -> CertificateAuthority:
    """Make an authority that has signed itself."""
    folder.mkdir(exist_ok=True)
    authority = CertificateAuthority(folder, name)
    files = ("-keyout", folder / f"{name}.key", "-out", authority.certificate)
    openssl("req", "-x509", *_CURVE, "-nodes", *files, "-days", "90", "-subj", f"/CN={name}")
    return authority


def openssl(*words: str | Path) -> str:
    """Run openssl and return what it prints."""
    done = subprocess.run(("openssl", *words), check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.stdout


@contextlib.asynccontextmanager
async def postgresql_with_tls(
    port: int, shown: Issued, clients: CertificateAuthority | None = None
) -> AsyncIterator[int]:
    """Serve a PostgreSQL with TLS, begun in the middle of a connection as its protocol has it; yields the port."""
    context = _context(shown, clients)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError):
            await reader.readexactly(_REQUEST_BYTES)
            writer.write(b"S")
            await writer.start_tls(context)
            await _pass_on(reader, writer, port)
        writer.close()

    # asyncio warns that a stream which was made without TLS stays open for writing when its client has gone: in this
    # process that warning would stand among what a command prints.
    warnings, level = logging.getLogger("asyncio"), logging.getLogger("asyncio").level
    warnings.setLevel(logging.ERROR)
    try:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            yield server.sockets[0].getsockname()[1]
    finally:
        warnings.setLevel(level)


@contextlib.asynccontextmanager
async def temporal_with_tls(
    port: int, shown: Issued, clients: CertificateAuthority | None = None
) -> AsyncIterator[int]:
    """Serve a Temporal frontend with TLS, for clients with a certificate of theirs alone when one is named."""
    context = _context(shown, clients)
    context.set_alpn_protocols(["h2"])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            await _pass_on(reader, writer, port)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


def _context(shown: Issued, clients: CertificateAuthority | None) -> ssl.SSLContext:
    """Show a certificate to everybody, or to clients alone that have one of their authority's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.certificate, shown.key)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients.certificate)
    return context


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, ssl.SSLError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
