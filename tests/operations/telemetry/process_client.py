"""A client of a running process that shows how it is."""

import json

import httpx

from sandbox.stack import Stack
from tests.support.run_control import until


def client_of(stack: Stack, process: str) -> httpx.AsyncClient:
    """Ask a process at the address that it has logged."""
    lines = stack.folder.log(process).read_text().splitlines()
    (address,) = [json.loads(line)["address"] for line in lines if '"metrics_served"' in line]
    return httpx.AsyncClient(base_url=f"http://{address}", trust_env=False)


async def readiness(client: httpx.AsyncClient) -> tuple[int, dict[str, str]]:
    """Ask whether a process is ready."""
    answer = await client.get("/ready")
    return answer.status_code, answer.json()["checks"]


async def until_ready(client: httpx.AsyncClient) -> None:
    """Wait until a process is ready."""

    async def is_ready() -> bool:
        return (await readiness(client))[0] == 200

    await until(is_ready)
