"""Steering and rehearsing runs from the command line."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.database import Database
from models.period import Period
from models.workflow_ids import payment_run_id
from sandbox.stripe.control.client import SandboxControl
from settings import Settings
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.gateways import GatedGateway
from tests.support.run_control import duly_at, found_by, owing, shape

WHO = ("--actor", "maria", "--reason", "the bank called")


@pytest.fixture
async def gated(
    temporal_server: Client, database: Database, stripe_sandbox: SandboxControl, settings: Settings
) -> AsyncIterator[GatedGateway]:
    """A gateway that lets nobody through, and Duly's workers on the development server."""
    gateway = GatedGateway(stripe_sandbox)
    environment = WorkflowEnvironment.from_client(temporal_server)
    async with duly_at(environment, database, gateway, settings):
        yield gateway
        gateway.gate.set()
    await gateway.close()


async def test_a_run_is_paused_resumed_and_aborted(
    cli: CommandLine, merchant: Merchant, gated: GatedGateway, temporal_server: Client, period: str
) -> None:
    await owing(merchant, 3)
    await shape(merchant, window=1)
    run_id = payment_run_id("monthly", period)
    await cli.json("runs", "start", "monthly", period, "--not-due-yet")
    await gated.arrived(1)

    paused = await cli.json("runs", "pause", run_id, *WHO)
    again = await cli("runs", "pause", run_id, *WHO)
    shard = await cli("runs", "pause", f"{run_id}/shard-000", *WHO)
    await found_by(temporal_server, f"WorkflowId = '{run_id}' AND Stage = 'paused'", run_id)
    standing = await cli.json("runs", "list", "--state", "paused", "--definition", "monthly")
    resumed = await cli.json("runs", "resume", run_id, *WHO)
    aborted = await cli.json("runs", "abort", run_id, *WHO)
    gated.gate.set()
    assert shard.stderr.startswith(f"error: run: {run_id}/shard-000 is one shard of a payment run")
    assert run_id in [one["id"] for one in standing["runs"]]
    await temporal_server.get_workflow_handle(run_id).result()
    certificate = (await cli.json("runs", "certificate", run_id))["certificate"]
    after_the_end = await cli("runs", "abort", run_id, *WHO, "--json")

    assert [paused["stage"], resumed["stage"], aborted["stage"]] == ["paused", "collecting", "aborting"]
    assert (again.exit_code, again.stdout) == (1, "")
    assert again.stderr == "error: stage: paused; the run is paused already (run_accepts_command)\n"
    assert certificate["is_aborted"] is True
    assert {(row["outcome"], row["reason"]): row["members"] for row in certificate["totals"]} == {
        ("charged", ""): 1,
        ("released", "run_aborted"): 2,
    }
    assert len(certificate["decisions"]) == 3
    assert (after_the_end.exit_code, after_the_end.rules) == (1, [("run", "run_under_way")])


@pytest.mark.nightly
async def test_the_doctor_says_how_much_is_under_way_and_what_limits_it(
    cli: CommandLine, merchant: Merchant, gated: GatedGateway, temporal_server: Client, period: str
) -> None:
    await owing(merchant, 5)
    await shape(merchant, window=3)
    await cli.json("runs", "start", "monthly", period, "--not-due-yet")
    await gated.arrived(3)

    checks = {one["check"]: one for one in (await cli("doctor", "--json")).document["checks"]}
    gated.gate.set()
    await temporal_server.get_workflow_handle(payment_run_id("monthly", period)).result()

    rate = checks["rate of duly-gateway-stripe"]
    assert rate["verdict"] == "warning"
    assert rate["found"].endswith("of 1000/s, 3 in flight: the runs' windows limit")
    assert rate["advice"].startswith("leave `shards` and `window` out of the run's definition")


@pytest.mark.nightly
async def test_a_rate_is_changed_and_given_back(
    cli: CommandLine, merchant: Merchant, gated: GatedGateway, period: str
) -> None:
    await owing(merchant, 1)
    run_id = payment_run_id("monthly", period)
    await cli.json("runs", "start", "monthly", period, "--not-due-yet")
    await gated.arrived(1)

    changed = await cli.json("runs", "rate", run_id, "7", *WHO)
    too_fast = await cli("runs", "rate", run_id, "5000", *WHO, "--json")
    given_back = await cli.json("runs", "rate", run_id, "--give-back", *WHO)
    neither = await cli("runs", "rate", run_id, *WHO)

    assert (changed["calls_per_second"], given_back["calls_per_second"]) == (7, None)
    assert (too_fast.exit_code, too_fast.rules) == (1, [("calls_per_second", "run_accepts_command")])
    assert neither.exit_code == 2


async def test_steering_needs_a_reason_and_a_run(cli: CommandLine, period: str) -> None:
    without_reason = await cli("runs", "pause", "run/monthly/2026-11", "--actor", "maria")
    unknown = await cli("runs", "pause", f"run/nobody/{period}", *WHO)

    assert without_reason.exit_code == 2
    assert "--reason" in without_reason.stderr
    assert unknown.exit_code == 1
    assert unknown.stderr.startswith(f"error: run: run/nobody/{period} is not under way")


async def test_what_a_typed_id_is_instead_of_a_run_under_way_is_said(
    cli: CommandLine, temporal_server: Client, period: str
) -> None:
    over, doubled = (f"collection/acc_{end}/{period}" for end in ("1", "2"))
    await temporal_server.start_workflow("Collection", id=over, task_queue="nobody-works-here")
    await temporal_server.get_workflow_handle(over).terminate()
    answers = [await cli("runs", "pause", over, *WHO), await cli("collections", "retry", doubled, period, *WHO)]

    assert [answer.exit_code for answer in answers] == [1, 1]
    assert f"{over} is not under way: a collection, terminated" in answers[0].stderr
    assert "give its id without `collection/`" in answers[1].stderr


async def test_a_dry_run_prints_who_would_be_charged_and_why_others_would_not(
    cli: CommandLine, merchant: Merchant
) -> None:
    await merchant.account("acc_1", owes_minor=2500)
    await merchant.account("acc_2", cards=(), owes_minor=1000)

    listed = await cli.json("runs", "dry-run", "monthly", "2026-11")
    shown = await cli("runs", "dry-run", "monthly", "2026-11")
    refused = await cli("runs", "dry-run", "yearly", "2026-11", "--json")

    assert [(member["account_id"], member["reason"]) for member in listed["members"]] == [
        ("acc_1", ""),
        ("acc_2", "no_card"),
    ]
    assert listed["totals"] == [
        {"outcome": "charged", "currency": "EUR", "members": 1, "amount_minor": 2500},
        {"outcome": "no_card", "currency": "EUR", "members": 1, "amount_minor": 1000},
    ]
    assert "25.00 EUR" in shown.stdout
    assert "visa 4242" in shown.stdout
    assert (refused.exit_code, refused.rules) == (1, [("database", "run_definition_exists")])


async def test_a_shadow_run_is_followed_and_its_differences_printed(
    cli: CommandLine, merchant: Merchant, workers: None, period: str
) -> None:
    await owing(merchant, 2)

    cast = await cli.json("runs", "shadow", "monthly", period, "--wait")
    shown = await cli("runs", "differences", f"shadow/monthly/{period}")
    refused = await cli("runs", "shadow", "yearly", period)

    assert [(one["account_id"], one["difference"]) for one in cast["differences"]] == [
        ("acc_00", "new"),
        ("acc_01", "new"),
    ]
    assert cast["comparison"] == {"baseline_id": "", "members": {"new": 2}}
    assert "beside no certified run" in shown.stdout
    assert refused.stderr.startswith("error: database: there is no payment run definition 'yearly'")


async def test_a_run_that_was_begun_is_not_refused_as_one_over_nobody(
    cli: CommandLine, merchant: Merchant, workers: None, period: str, database: Database
) -> None:
    await merchant.account(owes_minor=2500)
    # One whose workflow was terminated: its members are fixed, and nobody is due beside them.
    await database.call(
        "freeze_payment_run",
        run_id=f"run/monthly/{period}",
        definition_id="monthly",
        period=period,
        ends_on=str(Period.parse(period).ends_on),
    )

    started = await cli.json("runs", "start", "monthly", period, "--not-due-yet", "--wait")

    assert (started["state"], [row["outcome"] for row in started["totals"]]) == ("completed", ["charged"])
