"""A Temporal namespace is prepared by one command, and whoever needs one that is not prepared says so."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client

from sandbox.servers.processes import Child, Command, choose_port, running
from sandbox.servers.temporal import program
from tests.house.source import ROOT
from tests.stack.test_waiting_for_the_gateway import logged, says
from tests.support.builders import PERIOD, Merchant
from tests.support.command_line import CommandLine, CommandResult
from workflows.client import connect
from workflows.namespace import compare_attributes, describe_namespace, ensure_namespace
from workflows.visibility import SEARCH_ATTRIBUTES

ATTRIBUTES = [key.name for key in SEARCH_ATTRIBUTES]
CHECKING = ["events:stripe", "reconciliation:stripe", "audit:daily", "supervisor:all"]
PREPARE = "run `duly namespace prepare`"
KEYWORD, INT = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD, IndexedValueType.INDEXED_VALUE_TYPE_INT
_NUMBERS = count()


@pytest.fixture
def installation(cli: CommandLine) -> CommandLine:
    """The command line of an installation with a namespace of its own, which is not there yet."""
    return CommandLine({**cli.environment, "DULY_TEMPORAL_NAMESPACE": f"payments-{next(_NUMBERS)}"})


@pytest.fixture
async def client(installation: CommandLine) -> Client:
    """A client of the installation's namespace."""
    environment = installation.environment
    return await connect(environment["DULY_TEMPORAL_ADDRESS"], namespace=environment["DULY_TEMPORAL_NAMESPACE"])


@asynccontextmanager
async def bare_server(log: Path) -> AsyncIterator[str]:
    """Temporal's development server as it comes, without anything of ours."""
    port = choose_port("Temporal", 0)
    address = f"127.0.0.1:{port}"
    argv = (program("temporal"), "server", "start-dev", "--headless", "--ip=127.0.0.1", f"--port={port}")

    async def answers() -> bool:
        try:
            return await describe_namespace(await connect(address, namespace="default")) is not None
        except RuntimeError:
            return False

    async with running(Command("Temporal", argv, log, ROOT), answers):
        yield address


@asynccontextmanager
async def worker(installation: CommandLine, log: Path) -> AsyncIterator[Child]:
    """A worker's process, from its start on."""
    environment = {**os.environ, **installation.environment, "DULY_LOG_LEVEL": "INFO"}
    argv = (sys.executable, str(ROOT / "worker.py"), "--role=workflow")
    child = Child(Command("Worker", argv, log, ROOT, environment))
    try:
        yield child
    finally:
        await child.stop()


async def register(client: Client, **kinds: IndexedValueType.ValueType) -> None:
    """Register search attributes that are somebody else's."""
    request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=kinds)
    await client.operator_service.add_search_attributes(request)


def found(result: CommandResult, check: str) -> Any:
    return next((one["verdict"], one["advice"]) for one in result.document["checks"] if one["check"] == check)


def changes(prepared: Any) -> dict[str, str]:
    return {one["schedule"]: one["change"] for one in prepared["schedules"]}


async def test_a_missing_namespace_is_made_with_all_that_it_needs(
    installation: CommandLine, merchant: Merchant, client: Client
) -> None:
    prepared = await installation.json("namespace", "prepare", "--retention-days", "30")

    kept = await describe_namespace(client)
    assert (prepared["is_new"], prepared["retention_days"]) == (True, 30)
    assert kept is not None
    assert kept.days == 30
    assert prepared["registered"] == ATTRIBUTES
    assert (await compare_attributes(client)).missing == ()
    assert changes(prepared) == dict.fromkeys(CHECKING, "created")


async def test_preparing_again_changes_nothing(installation: CommandLine, merchant: Merchant) -> None:
    await installation.json("namespace", "prepare")

    again = await installation.json("namespace", "prepare")

    assert (again["is_new"], again["retention_days_before"], again["retention_days"]) == (False, 90, 90)
    assert again["registered"] == []
    assert changes(again) == dict.fromkeys(CHECKING, "unchanged")


async def test_what_a_namespace_keeps_is_lengthened_and_never_shortened(
    installation: CommandLine, merchant: Merchant
) -> None:
    await installation.json("namespace", "prepare", "--retention-days", "30")

    longer = await installation.json("namespace", "prepare")
    shorter = await installation.json("namespace", "prepare", "--retention-days", "7")

    assert (longer["retention_days_before"], longer["retention_days"]) == (30, 90)
    assert (shorter["retention_days_before"], shorter["retention_days"]) == (90, 90)


async def test_a_person_reads_what_was_done(installation: CommandLine, merchant: Merchant) -> None:
    result = await installation("namespace", "prepare")

    assert result.exit_code == 0
    assert "kept for 90 days" in result.stdout
    assert f"{len(ATTRIBUTES)} registered" in result.stdout
    assert "schedule apply" in result.stdout


async def test_a_server_as_it_comes_starts_runs_once_it_is_prepared(
    cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    words = ("runs", "start", "monthly", PERIOD, "--not-due-yet", "--over-nobody", "--json")
    async with bare_server(tmp_path / "temporal.log") as address:
        bare = CommandLine({**cli.environment, "DULY_TEMPORAL_ADDRESS": address, "DULY_TEMPORAL_NAMESPACE": "default"})

        refused = await bare(*words)
        prepared = await bare.json("namespace", "prepare")
        started = await bare(*words)

    assert (refused.exit_code, refused.rules) == (1, [("DULY_TEMPORAL_NAMESPACE", "temporal_namespace_is_prepared")])
    assert PREPARE in refused.error["problems"][0]["message"]
    assert (prepared["is_new"], prepared["retention_days_before"], prepared["retention_days"]) == (False, 1, 90)
    assert started.exit_code == 0


async def test_a_namespace_that_is_not_there_reads_as_that(installation: CommandLine, merchant: Merchant) -> None:
    result = await installation("runs", "start", "monthly", PERIOD, "--not-due-yet", "--over-nobody", "--json")

    assert (result.exit_code, result.rules) == (2, [("DULY_TEMPORAL_NAMESPACE", "temporal_namespace")])
    assert "namespace prepare" in result.error["problems"][0]["message"]


async def test_an_attribute_of_another_type_is_refused_and_nothing_is_registered(
    installation: CommandLine, merchant: Merchant, client: Client
) -> None:
    await ensure_namespace(client)
    await register(client, Stage=INT)

    result = await installation("namespace", "prepare", "--json")

    message = result.error["problems"][0]["message"]
    assert (result.exit_code, result.rules) == (1, [("DULY_TEMPORAL_NAMESPACE", "search_attribute_type")])
    assert "Stage exists" in message
    assert "with another type: Int, not Keyword; remove it there" in message
    assert [key.name for key in (await compare_attributes(client)).missing] == [n for n in ATTRIBUTES if n != "Stage"]


async def test_a_server_that_takes_no_more_attributes_is_quoted(
    installation: CommandLine, merchant: Merchant, client: Client
) -> None:
    await ensure_namespace(client)
    await register(client, **{f"Other{number}": KEYWORD for number in range(8)})

    result = await installation("namespace", "prepare", "--json")

    message = result.error["problems"][0]["message"]
    assert (result.exit_code, result.rules[0][1]) == (1, "search_attributes_can_be_registered")
    assert "cannot have more than 10 search attribute of type Keyword" in message
    assert "register AccountId Keyword, " in message
    assert "DeclineClass KeywordList" in message


async def test_preparing_wants_the_database_first(installation: CommandLine, client: Client) -> None:
    away = "postgresql+psycopg://a:b@127.0.0.1:1/duly"

    result = await installation("namespace", "prepare", "--json", DULY_DATABASE_URL=away)

    assert (result.exit_code, result.rules[0][0]) == (3, "DULY_DATABASE_URL")
    assert await describe_namespace(client) is None


@pytest.mark.nightly
async def test_the_doctor_s_remedy_puts_right_what_it_finds(
    installation: CommandLine, merchant: Merchant, client: Client
) -> None:
    without = await installation("doctor", "--json")
    await ensure_namespace(client)
    bare = await installation("doctor", "--json")
    await installation.json("namespace", "prepare")
    prepared = await installation("doctor", "--json")

    assert found(without, "Temporal namespace")[0] == "wrong"
    assert found(without, "Temporal namespace")[1].startswith(PREPARE)
    assert found(bare, "search attributes") == ("wrong", PREPARE)
    assert found(bare, "schedules") == ("warning", PREPARE)
    for check in ("Temporal namespace", "search attributes", "schedules"):
        assert found(prepared, check) == ("ok", "")


async def test_the_doctor_says_what_to_do_about_another_type(
    installation: CommandLine, merchant: Merchant, client: Client
) -> None:
    await ensure_namespace(client)
    await register(client, AmountMinor=KEYWORD)

    verdict, advice = found(await installation("doctor", "--json"), "search attributes")

    assert verdict == "wrong"
    assert advice.startswith("remove it there")


async def test_a_worker_waits_for_its_namespace_and_says_what_is_missing(
    installation: CommandLine, merchant: Merchant, client: Client, tmp_path: Path
) -> None:
    async with worker(installation, tmp_path / "worker.log") as waiting:
        missing = await says(waiting, "namespace_not_prepared")
        await ensure_namespace(client)
        await waiting.wait_until(lambda: has_logged(waiting, "lacks the search attributes"), timeout_seconds=60)
        await installation.json("namespace", "prepare")
        await says(waiting, "worker_started")

    assert missing["reason"] == f"there is no namespace {client.namespace}"
    assert missing["advice"] == PREPARE
    assert waiting.exit_code == 0


@pytest.mark.nightly
async def test_a_worker_that_waits_for_its_namespace_ends_when_it_is_asked_to(
    installation: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    async with worker(installation, tmp_path / "worker.log") as waiting:
        await says(waiting, "namespace_not_prepared")
        async with asyncio.timeout(30):
            await waiting.stop()

    assert waiting.exit_code == 0


@pytest.mark.nightly
async def test_a_worker_refuses_a_namespace_where_an_attribute_has_another_type(
    installation: CommandLine, merchant: Merchant, client: Client, tmp_path: Path
) -> None:
    await ensure_namespace(client)
    await register(client, Stage=INT)

    async with worker(installation, tmp_path / "worker.log") as refusing, asyncio.timeout(180):
        exit_code = await refusing.wait()

    assert (exit_code, logged(refusing)[-1]["event"]) == (1, "worker_not_started")
    assert "Stage exists" in logged(refusing)[-1]["reason"]


async def has_logged(child: Child, reason: str) -> bool:
    return any(reason in line.get("reason", "") for line in logged(child))
