"""The codec server opens payloads for whoever has a token, and for nobody else."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from socket import socket

import httpx
import pytest
import uvicorn
from google.protobuf.json_format import MessageToDict
from temporalio.api.common.v1 import Payload, Payloads

from activities.payload_codec import EncryptionCodec
from commands.operations.codec_work import COOKIE, LOGIN_SECONDS, CodecServer, build_codec_app
from sandbox.servers.processes import choose_port
from settings.payload_keys import codec_tokens, payload_keys
from tests.support.command_line import CommandLine

KEY, UI = base64.b64encode(b"k" * 32).decode(), "https://ui.example"
TOKEN = "m" * 32
CODEC = EncryptionCodec(payload_keys(f"2026-11:{KEY}"))
TOKENS = codec_tokens(f"maria:{TOKEN},paul:{'p' * 32}")


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0

    def now(self) -> float:
        return self.seconds


class Server(uvicorn.Server):
    """A server that says when it can be asked."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@asynccontextmanager
async def serving(clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    """Serve on a free port of this machine."""
    app = build_codec_app(CodecServer(CODEC, TOKENS, now=clock.now), f"{UI}/namespaces")
    port = choose_port("codec", 0)
    server = Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None))
    task = asyncio.create_task(server.serve())
    await server.ready.wait()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        yield client
    server.should_exit = True
    await task


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def http(clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(clock) as client:
        yield client


async def sealed() -> dict[str, object]:
    payloads = await CODEC.encode([Payload(metadata={"encoding": b"json/plain"}, data=b'"as agreed"')])
    return MessageToDict(Payloads(payloads=payloads))


def opened(answer: httpx.Response) -> list[bytes]:
    return [base64.b64decode(one["data"]) for one in answer.json()["payloads"]]


async def test_whoever_has_a_token_reads_and_writes(http: httpx.AsyncClient) -> None:
    bearer = {"authorization": f"Bearer {TOKEN}", "x-namespace": "default"}

    decoded = await http.post("/decode", json=await sealed(), headers=bearer)
    again = await http.post("/encode", json=decoded.json(), headers=bearer)

    assert opened(decoded) == [b'"as agreed"']
    assert b"as agreed" not in opened(again)[0]
    assert opened(await http.post("/decode", json=again.json(), headers=bearer)) == [b'"as agreed"']


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": "Bearer ünïcödé".encode()},
        {"cookie": f"{COOKIE}=maria:1900000000:{'0' * 64}"},
        {"cookie": f"{COOKIE}=maria:99999999999999999999:0"},
        {"cookie": f"{COOKIE}=nobody:1900000000:0"},
        {"cookie": f"{COOKIE}="},
    ],
)
async def test_without_one_nothing_is_opened(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    for path in ("/decode", "/encode"):
        answer = await http.post(path, json=await sealed(), headers=headers)

        assert (answer.status_code, answer.text) == (401, "log in at /login")


async def test_a_browser_logs_in_once_and_is_let_in_for_twelve_hours(http: httpx.AsyncClient, clock: Clock) -> None:
    refused = await http.post("/login", data={"token": "guessed"})
    entered = await http.post("/login", data={"token": TOKEN})
    let_in = await http.post("/decode", json=await sealed())
    clock.seconds += LOGIN_SECONDS + 1
    too_late = await http.post("/decode", json=await sealed())
    through_proxy = await http.post("/login", data={"token": TOKEN}, headers={"x-forwarded-proto": "https"})

    assert (refused.status_code, entered.status_code, let_in.status_code, too_late.status_code) == (401, 303, 200, 401)
    assert TOKEN not in entered.headers["set-cookie"]
    assert "httponly" in entered.headers["set-cookie"].lower()
    given = through_proxy.headers["set-cookie"].lower()
    assert "samesite=none" in given
    assert "secure" in given


async def test_scripts_of_the_ui_alone_may_ask(http: httpx.AsyncClient) -> None:
    def asked_by(origin: str) -> dict[str, str]:
        return {
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type,x-namespace",
        }

    ours = await http.options("/decode", headers=asked_by(UI))
    theirs = await http.options("/decode", headers=asked_by("https://evil.example"))

    assert ours.headers["access-control-allow-origin"] == UI
    assert ours.headers["access-control-allow-credentials"] == "true"
    assert "access-control-allow-origin" not in theirs.headers


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"", 400), (b"[" * 100_000, 400), (b'{"payloads": 1}', 400), (b"\xff", 400), (b" " * 5_000_000, 413)],
)
async def test_nonsense_is_answered_in_one_line(http: httpx.AsyncClient, body: bytes, code: int) -> None:
    answer = await http.post("/decode", content=body, headers={"authorization": f"Bearer {TOKEN}"})

    assert answer.status_code == code
    assert "\n" not in answer.text


async def test_a_key_that_is_gone_is_named(http: httpx.AsyncClient) -> None:
    (other,) = await EncryptionCodec({"2020": b"x" * 32}).encode([Payload(data=b"1")])
    document = MessageToDict(Payloads(payloads=[other]))

    answer = await http.post("/decode", json=document, headers={"authorization": f"Bearer {TOKEN}"})

    assert (answer.status_code, "2020" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"DULY_PAYLOAD_KEYS": ""}, "DULY_PAYLOAD_KEYS"),
        ({"DULY_PAYLOAD_KEYS": "a"}, "DULY_PAYLOAD_KEYS"),
        ({"DULY_PAYLOAD_KEYS": "a:c2hvcnQ="}, "DULY_PAYLOAD_KEYS"),
        ({"DULY_PAYLOAD_KEYS": f"a:{KEY},a:{KEY}"}, "DULY_PAYLOAD_KEYS"),
        ({"DULY_CODEC_TOKENS": ""}, "DULY_CODEC_TOKENS"),
        ({"DULY_CODEC_TOKENS": "maria:short"}, "DULY_CODEC_TOKENS"),
    ],
)
async def test_it_does_not_start_without_keys_and_tokens_that_are_worth_something(
    cli: CommandLine, changed: dict[str, str], field: str
) -> None:
    good = {"DULY_PAYLOAD_KEYS": f"a:{KEY}", "DULY_CODEC_TOKENS": f"maria:{TOKEN}"}

    result = await cli("codec", "serve", "--json", **{**good, **changed})

    assert result.exit_code != 0
    assert field in result.stderr
    assert not any(value and value in result.stderr for value in (KEY, TOKEN, "c2hvcnQ=", "short,"))
    assert "Traceback" not in result.stderr


def test_keys_may_stand_on_lines_of_a_file() -> None:
    assert list(payload_keys(f"new:{KEY}\nold:{KEY}\n")) == ["new", "old"]
    assert json.dumps(list(codec_tokens(""))) == "[]"
