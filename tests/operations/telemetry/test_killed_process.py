"""A process that is killed while it is asked: no half an answer is taken for a whole one, and another goes on."""

import asyncio
import os
import signal

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from sandbox.console import running_console
from sandbox.portal import running_portal, with_portal
from sandbox.stack import Stack
from sandbox.workers import running_worker
from telemetry.gauges import GAUGES
from tests.operations.telemetry.process_client import client_of, until_ready
from tests.support.run_control import until

MEASURED = {f"duly_{what}" for what in GAUGES}
# Shown by the one worker that reads what is open, and by no other.
READS = "duly_measured_timestamp_seconds"


async def shown(client: httpx.AsyncClient) -> dict[str, list[float]]:
    """Ask for metrics: the values of each. Raises httpx.TransportError for an answer that is cut off."""
    answer = (await client.get("/metrics")).raise_for_status()
    return {each.name: [one.value for one in each.samples] for each in text_string_to_metric_families(answer.text)}


async def asked_until_it_ends(client: httpx.AsyncClient, answers: list[dict[str, list[float]]]) -> str:
    """Ask without a pause until the process is gone; how that was told."""
    while True:
        try:
            answers.append(await shown(client))
        except httpx.TransportError as error:
            return type(error).__name__


@pytest.mark.nightly
async def test_a_worker_that_is_killed_while_it_is_asked_is_followed_by_another(observed_stack: Stack) -> None:
    answers: list[dict[str, list[float]]] = []
    async with (
        running_worker(observed_stack, "workflow", name="standby"),
        client_of(observed_stack, "worker-standby") as standby,
    ):
        async with (
            running_worker(observed_stack, "workflow", name="killed") as killed,
            client_of(observed_stack, "worker-killed") as client,
        ):
            await until_ready(client)
            requests = asyncio.create_task(asked_until_it_ends(client, answers))
            await until(lambda: _is_true(bool(answers)))
            os.kill(killed.pid, signal.SIGKILL)
            ended = await requests
        await until_ready(standby)

        async def measures() -> bool:
            return bool((await shown(standby))[READS])

        await until(measures)
        async with (
            running_worker(observed_stack, "workflow", name="again"),
            client_of(observed_stack, "worker-again") as client,
        ):
            await until_ready(client)
            again = await shown(client)

    names = [set(answer) - MEASURED for answer in answers]
    assert ended in {"ConnectError", "ReadError", "RemoteProtocolError"}
    # No answer lacks a part of the process's own: what was cut off was no answer.
    assert all("process_cpu_seconds" in each and "duly_runs" in each for each in names)
    assert sum(again["duly_runs"]) == 0
    assert again[READS] == []


async def _is_true(value: bool) -> bool:
    return value


@pytest.mark.nightly
@pytest.mark.slow
async def test_the_console_and_the_portal_show_themselves_and_are_ready_with_their_database(
    observed_stack: Stack,
) -> None:
    stack = with_portal(observed_stack)
    async with (
        running_console(stack),
        running_portal(stack),
        client_of(stack, "console") as console,
        client_of(stack, "portal") as portal,
    ):
        metrics = [await shown(client) for client in (console, portal)]
        ready = [(await client.get("/ready")).json()["checks"] for client in (console, portal)]

    assert all(each["process_cpu_seconds"] and not each.keys() & MEASURED for each in metrics)
    assert ready == [{"database": "ok"}] * 2
