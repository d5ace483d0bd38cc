"""The process between Duly and localstripe: faults on the way, and what localstripe lacks.

`python -m bench.second_opinion.adapter --port N --upstream URL`. It keeps no books: money is localstripe's alone.
"""

import asyncio
import re
import socket
import struct
from typing import Annotated
from urllib.parse import parse_qsl

import aiohttp
import typer
from aiohttp import web

from bench.second_opinion.faults import CallFault, CallFaults, FaultPlan
from bench.second_opinion.forwarding import LocalstripeClient
from bench.second_opinion.idempotency import Call, CallAnswer, KeptAnswers, error_answer

FAULTS, COUNTS = "/_adapter/faults", "/_adapter/counts"

_ID = re.compile(r"/[a-z]+_[A-Za-z0-9]{8,}")
# Closing a socket with no time to linger resets its connection.
_RESET = struct.pack("ii", 1, 0)
_SERVER_ERROR = error_answer(500, type="api_error", message="Injected: an error of the server.")


class Adapter:
    """Answers Duly's calls."""

    def __init__(self, localstripe: LocalstripeClient) -> None:
        self._localstripe = localstripe
        self._kept = KeptAnswers()
        self._faults = CallFaults(FaultPlan(share=0))

    def routes(self) -> list[web.RouteDef]:
        """Return the controls, and everything else."""
        return [
            web.put(FAULTS, self.set_faults),
            web.get(COUNTS, self.counts),
            web.route("*", "/{path:.*}", self.answer),
        ]

    async def set_faults(self, request: web.Request) -> web.Response:
        """Begin a plan of faults; counting begins anew."""
        self._faults = CallFaults(FaultPlan.model_validate_json(await request.read()))
        return web.Response()

    async def counts(self, _request: web.Request) -> web.Response:
        """Return what has happened under the plan."""
        return web.Response(body=self._faults.counts().model_dump_json(), content_type="application/json")

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a call, unless it goes wrong on the way."""
        call = await _read(request)
        fault = self._faults.next_fault(_subject(call), is_write=call.is_write)
        if fault is CallFault.CONNECTION_RESET:
            return _reset(request)
        if fault is CallFault.SERVER_ERROR:
            return _response(_SERVER_ERROR)
        answer = await self._once(call, fault)
        if fault is CallFault.ANSWER_LOST:
            return _reset(request)
        return await _cut(request, answer) if fault is CallFault.ANSWER_CUT else _response(answer)

    async def _once(self, call: Call, fault: CallFault | None) -> CallAnswer:
        """Carry a call out, once for each key."""
        if not (call.is_write and call.key):
            return await self._carry_out(call, fault)
        if known := self._kept.begin(call):
            return known
        answer = None
        try:
            answer = await self._carry_out(call, fault)
        finally:
            self._kept.finish(call, answer)
        return answer

    async def _carry_out(self, call: Call, fault: CallFault | None) -> CallAnswer:
        if fault is CallFault.LATE_EFFECT:
            await asyncio.sleep(self._faults.plan.late_seconds)
        answer = await self._localstripe.send(call)
        return _SERVER_ERROR if fault is CallFault.STORED_ERROR and answer.is_executed else answer


async def _read(request: web.Request) -> Call:
    text = request.query_string if request.method == "GET" else await request.text()
    return Call(
        request.method,
        request.path,
        tuple(parse_qsl(text, keep_blank_values=True)),
        authorization=request.headers.get("Authorization", ""),
        key=request.headers.get("Idempotency-Key", ""),
    )


def _subject(call: Call) -> str:
    """Say what a call is about in words that are the same in every run: ids are drawn at random."""
    return f"{call.method} {_ID.sub('/{id}', call.path)} {call.value('metadata[duly_account]')}"


def _response(answer: CallAnswer) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, headers=answer.headers)


def _reset(request: web.Request) -> web.Response:
    transport = request.transport
    if transport is not None:
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()
    # Nobody reads it: the connection is gone.
    return web.Response()


async def _cut(request: web.Request, answer: CallAnswer) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_length = len(answer.body)
    await response.prepare(request)
    await response.write(answer.body[: len(answer.body) // 2])
    _reset(request)
    return response


async def build_app(upstream: str) -> web.Application:
    """Return the adapter before a localstripe at an address."""
    session = aiohttp.ClientSession()
    app = web.Application()
    app.add_routes(Adapter(LocalstripeClient(session, upstream)).routes())

    async def close(_app: web.Application) -> None:
        await session.close()

    app.on_cleanup.append(close)
    return app


def main(port: Annotated[int, typer.Option()], upstream: Annotated[str, typer.Option()]) -> None:
    """Serve until SIGTERM."""
    web.run_app(build_app(upstream), host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    typer.run(main)
