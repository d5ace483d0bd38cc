"""A command that waits for a workflow stops in time and says which worker is missing; what it asked for goes on."""

import asyncio
import gc
import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest
import typer
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from activities.operations.pollers import WORKFLOW_WORK, gateway_work, missing_workers
from activities.reductions.reductions import open_reduction
from commands import updates
from commands.output import Output
from commands.runner import perform
from commands.waiting import answers
from models.cards.card import CardRegistration, CardRequest
from models.reductions.reduction import Award
from models.workflow_ids import WORKFLOW_QUEUE, card_id
from sandbox.servers.temporal import running_temporal
from sandbox.stripe.control.client import Fault, FaultKind, SandboxControl
from settings import Settings
from tests.house.source import ROOT
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine, CommandResult
from tests.support.run_control import duly_at, until
from worker import workflow_worker
from workflows.cards.card_lifecycle import CardLifecycle
from workflows.namespace import register_attributes
from workflows.plugin import DULY_PLUGIN
from workflows.visibility import card_label

WHO = ("--actor", "maria", "--reason", "as agreed")
SOON = ("--wait-seconds", "0.5")

NO_WORKFLOW_WORKER = "nobody polls duly: start `worker.py --role workflow`"
NO_GATEWAY_WORKER = "nobody polls duly-gateway-stripe: start `worker.py --role gateway`"


@pytest.fixture
async def quiet(server_logs: Path) -> AsyncIterator[Client]:
    """A server of this test's own, on which nobody works and nobody has: workers that ended stay listed for a while."""
    async with running_temporal(log=server_logs / "quiet.log", database=None, ui=False) as server:
        client = await Client.connect(server.address, plugins=[DULY_PLUGIN])
        _ = await register_attributes(client)
        yield client


@pytest.fixture
def ask(cli: CommandLine, quiet: Client) -> CommandLine:
    """The command line, connected to the quiet server."""
    return CommandLine({**cli.environment, "DULY_TEMPORAL_ADDRESS": quiet.service_client.config.target_host})


@pytest.fixture
async def payment(cli: CommandLine, merchant: Merchant, workers: None, period: str) -> str:
    """A payment of 100.00 EUR through the gateway, made where there are workers."""
    account = await merchant.account(owes_minor=10000)
    await cli.json("collections", "start", account, period)
    return str(await merchant.value("select id from duly.financial_transactions where classification = 'payment'"))


def gave_up(printed: CommandResult) -> list[str]:
    """Return why a command gave up."""
    assert printed.exit_code == 3, printed.stdout
    assert {rule for _, rule in printed.rules} <= {"worker_answers", "answered_in_time"}
    return [str(problem["message"]) for problem in printed.error["problems"]]


async def test_without_any_worker_each_command_that_starts_something_names_both(
    ask: CommandLine, merchant: Merchant, period: str
) -> None:
    account = await merchant.account(owes_minor=2500)

    registered = await ask("cards", "register", account, "--token", "pm_1", "--card", "card_w1", *SOON, "--json")
    collected = await ask("collections", "start", account, period, *SOON, "--json")

    for printed, workflow_id in ((registered, "card/card_w1"), (collected, f"collection/{account}/{period}")):
        no_workflow_worker, no_gateway_worker = gave_up(printed)
        assert no_workflow_worker.startswith(NO_WORKFLOW_WORKER)
        assert no_gateway_worker.startswith(NO_GATEWAY_WORKER)
        assert no_gateway_worker.endswith(f"{workflow_id} goes on when it is there")


@pytest.mark.nightly
async def test_what_was_asked_for_goes_on_when_the_workers_come(
    ask: CommandLine,
    quiet: Client,
    merchant: Merchant,
    period: str,
    database: Database,
    gateway: StripeGateway,
    settings: Settings,
) -> None:
    account = await merchant.account(owes_minor=2500)
    gave_up(await ask("collections", "start", account, period, *SOON, "--json"))

    async with duly_at(WorkflowEnvironment.from_client(quiet), database, gateway, settings):
        await quiet.get_workflow_handle(f"collection/{account}/{period}").result()

    assert await merchant.balance(account) == 0


@pytest.mark.nightly
async def test_a_refund_without_workers_is_not_waited_for_for_ever(ask: CommandLine, payment: str, period: str) -> None:
    printed = await ask("refunds", "create", payment, "--amount", "10", "--id", f"rf_{period}", *WHO, *SOON, "--json")
    cancelled = await ask("refunds", "cancel", payment, "--id", f"rf_{period}c", *WHO, *SOON, "--json")

    for each in (printed, cancelled):
        assert [message.partition(",")[0] for message in gave_up(each)] == [NO_WORKFLOW_WORKER, NO_GATEWAY_WORKER]


async def test_a_reward_needs_no_gateway_to_be_accepted(ask: CommandLine, merchant: Merchant) -> None:
    account = await merchant.account()
    await ask.json("merchants", "apply", str(ROOT / "docs" / "merchants.example.toml"))

    printed = await ask(
        "reductions", "create", "aw_1", account, "--merchant", "cafe", "--amount", "1.00", *SOON, "--json"
    )

    [message] = gave_up(printed)
    assert message.startswith(NO_WORKFLOW_WORKER)


async def test_with_the_gateways_worker_away_it_is_the_one_that_is_named(
    ask: CommandLine, quiet: Client, merchant: Merchant, database: Database, period: str
) -> None:
    account = await merchant.account(owes_minor=2500)
    async with workflow_worker(quiet, database):
        printed = await ask("collections", "start", account, period, "--wait-seconds", "2", "--json")

    [message] = gave_up(printed)
    assert message.startswith(NO_GATEWAY_WORKER)
    assert message.endswith(f"collection/{account}/{period} goes on when it is there")


async def test_who_waits_for_refunds_is_told_that_the_gateways_worker_is_away(
    ask: CommandLine, quiet: Client, merchant: Merchant, database: Database
) -> None:
    account = await merchant.account()
    await ask.json("merchants", "apply", str(ROOT / "docs" / "merchants.example.toml"))
    awarded = Award("aw_waits", "cafe", account, 100, "EUR")
    await open_reduction(database, awarded)
    async with workflow_worker(quiet, database):
        printed = await ask("refunds", "run", "--day", "2026-01-05", "--wait-seconds", "0.1", "--json")

    assert any(message.startswith(NO_GATEWAY_WORKER) for message in gave_up(printed))


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize(
    "words",
    [
        ("runs", "start", "monthly", "2026-01", "--over-nobody", "--wait"),
        ("billing", "start", "plans", "2026-01", "--over-nobody", "--wait"),
        ("runs", "shadow", "monthly", "2026-01", "--wait"),
        ("refunds", "run", "--day", "2026-01-05"),
        ("messages", "remind"),
    ],
)
async def test_who_follows_a_run_is_told_that_nobody_works_on_it(
    ask: CommandLine, merchant: Merchant, words: tuple[str, ...]
) -> None:
    printed = await ask(*words, *SOON, "--json")

    assert gave_up(printed)[0].startswith(NO_WORKFLOW_WORKER)


async def test_without_a_limit_a_run_is_followed_as_long_as_its_workers_are_there(
    ask: CommandLine, merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "CHECK_SECONDS", 0.1)
    monkeypatch.setattr(answers, "AWAY_SECONDS", 0.3)

    printed = await ask("runs", "start", "monthly", "2026-02", "--over-nobody", "--wait", "--json")

    assert gave_up(printed)[0].startswith(NO_WORKFLOW_WORKER)


async def test_an_order_to_a_workflow_gives_up_in_time_too(
    ask: CommandLine, quiet: Client, merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updates, "ANSWER_SECONDS", 0.5)
    card = f"card_{uuid4().hex[:8]}"
    handle = await quiet.start_workflow(
        CardLifecycle.run,
        CardRequest(card, "stripe", CardRegistration(card, "acc_1", "stripe", token="pm_1")),
        id=card_id(card),
        task_queue=WORKFLOW_QUEUE,
        **card_label(card, provider="stripe"),
    )

    printed = await ask("cards", "resolve", card, "--was-not-asked", *WHO, "--json")

    assert [message.partition(",")[0] for message in gave_up(printed)] == [NO_WORKFLOW_WORKER, NO_GATEWAY_WORKER]
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING


@pytest.mark.nightly
async def test_where_all_workers_are_there_it_is_only_the_time_that_is_over(
    ask: CommandLine,
    quiet: Client,
    merchant: Merchant,
    period: str,
    database: Database,
    gateway: StripeGateway,
    settings: Settings,
    stripe_sandbox: SandboxControl,
) -> None:
    slow = Fault(operation="POST /v1/payment_intents", kind=FaultKind.SLOW_ANSWER, calls=(1,), delay_seconds=3)
    stripe_sandbox.add_fault(slow)
    account = await merchant.account(owes_minor=2500)

    async def all_poll() -> bool:
        return not await missing_workers(quiet, [WORKFLOW_WORK, gateway_work("stripe")])

    async with duly_at(WorkflowEnvironment.from_client(quiet), database, gateway, settings) as duly:
        await until(all_poll)
        printed = await ask("collections", "start", account, period, "--wait-seconds", "1", "--json")
        await duly.collection(account, period).result()

    [message] = gave_up(printed)
    assert printed.rules == [("wait_seconds", "answered_in_time")]
    assert message == (
        f"collection/{account}/{period} has not answered yet; workers polled duly and duly-gateway-stripe"
        " within the last 90 seconds, and it goes on"
    )


def test_no_command_waits_in_a_way_of_its_own() -> None:
    waits = re.compile(r"\.(execute_update|execute_workflow|execute_update_with_start_workflow|result)\(")
    allowed = {ROOT / "commands" / "updates.py", ROOT / "commands" / "waiting" / "answers.py"}

    found = {
        path for path in (ROOT / "commands").rglob("*.py") if path not in allowed and waits.search(path.read_text())
    }

    assert found == set()


@pytest.mark.parametrize(("error", "is_reported"), [(asyncio.CancelledError(), False), (ValueError("lost"), True)])
def test_a_call_that_was_given_up_adds_nothing_to_what_a_command_prints(
    error: BaseException, is_reported: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def give_up(_: Output) -> None:
        asyncio.get_running_loop().create_future().set_exception(error)
        gc.collect()

    with pytest.raises(typer.Exit):
        perform(give_up, as_json=True)

    assert ("never retrieved" in caplog.text) is is_reported


def refusing(times: int, message: str) -> Callable[[], Awaitable[str]]:
    """An update that the server refuses so often before a workflow takes it."""
    left = itertools.repeat(RPCError(message, RPCStatusCode.FAILED_PRECONDITION, b""), times)

    async def execute() -> str:
        for refusal in left:
            raise refusal
        return "done"

    return execute


async def test_what_meets_a_workflow_that_goes_on_as_new_is_asked_again() -> None:
    thrown_away = "Unable to perform workflow execution update due to unexpected workflow task failure."

    assert await updates.until_accepted(refusing(2, thrown_away)) == "done"


async def test_what_the_server_refuses_for_another_reason_is_not_asked_again() -> None:
    with pytest.raises(RPCError, match="limit of updates"):
        await updates.until_accepted(refusing(1, "limit of updates"))
