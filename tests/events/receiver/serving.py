"""A receiver on a real socket, and clients that do not behave."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette

from activities.events.bounded_http import Connections


@dataclass(frozen=True)
class Address:
    """Where a receiver listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    async def connect(self) -> "Client":
        """Open a connection and send nothing."""
        return Client(*await asyncio.open_connection(self.host, self.port))


@dataclass(frozen=True)
class Client:
    """One connection, byte by byte."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def status(self) -> int:
        """Read the status of the next answer, head and body; 0 when the connection ended without one."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await self.reader.readuntil(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
            await self.reader.readexactly(length)
            return int(head.split(b" ", 2)[1])
        return 0

    async def until_closed(self) -> bytes:
        """Read until the other side has closed; return what it still said."""
        with suppress(ConnectionError):
            return await self.reader.read()
        return b""

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


@asynccontextmanager
async def serving(app: Starlette, connections: Connections) -> AsyncIterator[Address]:
    """Serve an application with the limits of a receiver, on a free port, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_config=None, access_log=False, **connections.server_options())
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listening]))
        async with asyncio.timeout(60):
            while not server.started:  # noqa: ASYNC110 - uvicorn sets no event
                await asyncio.sleep(0.01)
        try:
            yield Address(*listening.getsockname()[:2])
        finally:
            server.should_exit = True
            await task
