#!/usr/bin/env python
"""Stands for the image `temporalio/server`: reaches its two databases as that does, then is the development server.

Its own state is in a file beside PostgreSQL's volume, for the development server keeps none in PostgreSQL; and it
listens on 127.0.0.1 only, so what comes to this container's address is passed on.
"""

import asyncio
import os
import signal
import socket
from pathlib import Path

import psycopg
import yaml

PORT = 7233
STATE = "/state/temporal.db"
GIVEN = os.environ


def require_schema(database: str) -> None:
    """End unless a database can be reached and has its schema."""
    with psycopg.connect(
        host=GIVEN["POSTGRES_SEEDS"],
        port=GIVEN["DB_PORT"],
        user=GIVEN["POSTGRES_USER"],
        password=GIVEN["POSTGRES_PWD"],
        dbname=database,
    ) as connection:
        [version] = connection.execute("select version from schema_version").fetchone() or ("",)
        if version == "0.0":
            raise SystemExit(f"{database} has no tables yet")


def dynamic_config(path: str) -> list[str]:
    """Return the options for what a file of dynamic configuration says."""
    with Path(path).open(encoding="utf-8") as file:
        values = {key: str(each[0]["value"]).lower() for key, each in yaml.safe_load(file).items()}
    return [f"--dynamic-config-value={key}={value}" for key, value in values.items()]


def require_settings(own: str) -> None:
    """End unless the environment says what the image needs."""
    if GIVEN["DB"] not in {"postgres12", "postgres12_pgx"}:
        raise SystemExit(f"unknown DB {GIVEN['DB']}")
    if not GIVEN["NUM_HISTORY_SHARDS"].isdigit():
        raise SystemExit(f"unknown NUM_HISTORY_SHARDS {GIVEN['NUM_HISTORY_SHARDS']}")
    if GIVEN["BIND_ON_IP"] != own:
        raise SystemExit(f"bound to {GIVEN['BIND_ON_IP']}, nobody else reaches it")


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes until there is no more."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        return
    finally:
        writer.close()


async def serve(own: str) -> int:
    """Run the server, pass on what comes to our own address, and return how the server ended."""
    port = free_port()
    stored = (f"--db-filename={STATE}", "--sqlite-pragma=journal_mode=wal", "--sqlite-pragma=synchronous=1")
    words = ("server", "start-dev", "--ip=127.0.0.1", f"--port={port}", "--headless", "--log-level=warn", *stored)
    server = await asyncio.create_subprocess_exec(
        "setpriv", "--pdeathsig=TERM", "temporal", *words, *dynamic_config(GIVEN["DYNAMIC_CONFIG_FILE_PATH"])
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.terminate)

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))

    # Nobody is let in before the server answers: the health check asks for nothing but an open port.
    while server.returncode is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            await asyncio.sleep(0.05)
    async with await asyncio.start_server(pass_on, own, PORT):
        return await server.wait()


address = socket.gethostbyname("this-container")
require_settings(address)
for name in ("temporal", "temporal_visibility"):
    require_schema(name)
raise SystemExit(asyncio.run(serve(address)))
