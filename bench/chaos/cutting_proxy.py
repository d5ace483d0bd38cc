"""A TCP proxy on a port of its own, whose connections can all be cut at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

READ_BYTES = 65_536


class CuttingProxy:
    """Passes bytes both ways between its clients and a port, which may change when the server there is started anew."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.port = 0
        self.cuts = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Reset every connection, whatever is on its way."""
        self.cuts += len(self._open) // 2
        for writer in tuple(self._open):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until either side closes."""
        serving = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)
        with contextlib.suppress(OSError):
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self.upstream)
            self._open |= {writer, to_server}
            try:
                await asyncio.gather(_pass_on(reader, to_server), _pass_on(from_server, writer))
            finally:
                self._open -= {writer, to_server}
                to_server.transport.abort()
        writer.transport.abort()

    async def close(self) -> None:
        """Let go of the clients that are still connected."""
        while self._serving:
            # One that is just connecting is cut the next time.
            self.cut()
            await asyncio.wait(self._serving, timeout=0.05)


@contextlib.asynccontextmanager
async def cutting_proxy(upstream: int) -> AsyncIterator[CuttingProxy]:
    """Listen before a server on a port of 127.0.0.1."""
    proxy = CuttingProxy(upstream)
    listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = listener.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listener.close()
        await proxy.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on until one side ends, which ends the other one too."""
    try:
        while data := await reader.read(READ_BYTES):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except (OSError, RuntimeError):
        writer.transport.abort()
