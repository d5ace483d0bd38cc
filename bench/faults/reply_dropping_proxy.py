"""A proxy between a client and PostgreSQL that drops replies: the server has committed, the client gets no answer."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

# The last bytes of an answer: one row was selected, and the server is idle again, so its work is committed.
ROW_SELECTED, IDLE = b"SELECT 1\x00", b"Z\x00\x00\x00\x05I"


class ReplyDroppingProxy:
    """Passes bytes both ways; now and then it closes the connection instead of passing an answer on."""

    def __init__(self, port: int, share: float, seed: int) -> None:
        self._port, self._share = port, share
        self._random = random.Random(seed)
        self._serving: set[asyncio.Task[None]] = set()
        self.dropped = 0
        self.is_dropping = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until either side closes."""
        serving = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._port)
        requests = asyncio.create_task(self._pass_on(reader, to_server))
        try:
            await self._answer(from_server, writer)
        finally:
            requests.cancel()
            writer.close()
            to_server.close()

    async def close(self) -> None:
        """Let go of the clients that are still connected."""
        for serving in (still := tuple(self._serving)):
            serving.cancel()
        await asyncio.gather(*still, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                is_answer = ROW_SELECTED in data and data.endswith(IDLE)
                if self.is_dropping and is_answer and self._random.random() < self._share:
                    self.dropped += 1
                    return
                writer.write(data)


@contextlib.asynccontextmanager
async def reply_dropping_proxy(port: int, *, share: float, seed: int) -> AsyncIterator[tuple[ReplyDroppingProxy, int]]:
    """Listen before a server on `port`; yield the proxy and its own port."""
    proxy = ReplyDroppingProxy(port, share, seed)
    listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    async with listener:
        yield proxy, listener.sockets[0].getsockname()[1]
        await proxy.close()
