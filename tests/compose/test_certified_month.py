"""docker-compose.yml, carried out: a certified month from empty volumes; a restart, a second provider, encryption."""

import json
from base64 import b64decode

import pytest

from tests.compose.containers.engine import Engine
from tests.compose.encrypted import encrypt_payloads, opened_input
from tests.compose.merchant import (
    PAYING,
    collect,
    register_webhook,
    set_up,
    set_up_second_provider,
    starter,
    whole_output,
)
from tests.compose.project import OPERATOR, Project

FIRST, SECOND = "2026-09", "2026-10"
# 29.90 with 19 % tax, of six customers; a seventh's card is declined.
TAKEN = [("charged", PAYING, PAYING * 3558), ("in_dunning", 1, 3558)]


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_bare_server_comes_to_a_certified_month(engine: Engine, project: Project) -> None:
    await certify_first_month(engine, project)

    await doctor_is_content(engine)
    await a_file_comes_out(engine, project)
    await the_demo_says_where_it_runs(engine)
    assert engine.crashes() == {}


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_certified_month_is_followed_by_another_after_a_restart_with_a_second_provider_and_encryption(
    engine: Engine, project: Project
) -> None:
    await certify_first_month(engine, project)

    await engine.down()
    await set_up_second_provider(engine, project)
    encrypt_payloads(project)
    engine.change(project.file, project.variables(), {})
    await engine.up(profiles=["second-provider", "codec"])
    second = await collect(engine, SECOND)

    assert taken_of(second) == TAKEN
    await doctor_is_content(engine)
    assert (await engine.run("second-webhook", "python", "starter.py", "doctor")).code == 0
    await the_codec_server_opens_what_temporal_cannot_read(engine)
    assert engine.crashes() == {}


async def certify_first_month(engine: Engine, project: Project) -> None:
    """Go from empty volumes to a month whose certificate holds and whose events have come."""
    await register_webhook(engine, project)
    await engine.up()
    await set_up(engine, project)

    first = await collect(engine, FIRST)

    assert taken_of(first) == TAKEN
    assert await events_that_came(engine) >= {"payment_intent.succeeded", "payment_intent.payment_failed"}


def taken_of(certificate: dict[str, object]) -> list[tuple[str, int, int]]:
    """Return outcomes, how many members had each, and the cents, of a certificate whose seal holds."""
    assert certificate["seal"]["holds"]  # type: ignore[index]  # a document
    totals = certificate["certificate"]["totals"]  # type: ignore[index]
    return [(each["outcome"], each["members"], each["amount_minor"]) for each in totals]


async def events_that_came(engine: Engine) -> set[str]:
    """Return the types of events that the gateway has sent to the receiver."""
    listed = await starter(engine, "events", "list")
    return {event["type"] for event in listed["events"] if event["channel"] == "webhook"}


async def doctor_is_content(engine: Engine) -> None:
    """See that every setting and connection is as it must be."""
    ran = await engine.run("starter", "doctor")

    assert ran.code == 0, whole_output(ran)


async def the_codec_server_opens_what_temporal_cannot_read(engine: Engine) -> None:
    """See that the second month's run is encrypted at Temporal, and readable for whoever has a token."""
    stored, shown = await opened_input(engine, f"run/monthly/{SECOND}")

    assert SECOND.encode() not in stored
    assert SECOND in b64decode(json.loads(shown)["payloads"][0]["data"]).decode()


async def a_file_comes_out(engine: Engine, project: Project) -> None:
    """See that who asks is known by the operator's login name, and that what a command writes is the operator's."""
    await starter(engine, "transactions", "create", "payment", "cust-000", "--amount", "50.00", "--method", "cash")
    (project.files / "payees.csv").write_text("account_id,name,iban\ncust-000,Customer 0,DE89370400440532013000\n")

    # The example's definitions limit who releases files for the bank.
    await starter(engine, "users", "add", OPERATOR, "--role", "administrator", "--generate")
    options = ("--format", "csv", "--payees", "payees.csv", "--include-gateway", "--reason", "as agreed")
    exported = await starter(engine, "refunds", "export", "2026-11", "refunds.csv", *options)

    assert "cust-000" in (project.files / "refunds.csv").read_text(), exported
    [refund] = (await starter(engine, "transactions", "list", "--classification", "refund"))["transactions"]
    shown = await engine.run("starter", "transactions", "show", refund["id"])
    assert f"Made by {OPERATOR}" in " ".join(shown.written.split()), whole_output(shown)


async def the_demo_says_where_it_runs(engine: Engine) -> None:
    """See that the one command that the image cannot run says so."""
    ran = await engine.run("starter", "demo")

    assert (ran.code, "make demo" in ran.errors) == (2, True), whole_output(ran)
