"""Refunds by bank transfer, month by month by themselves: drafted by a schedule, released by a person (scenario 1)."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError
from temporalio import workflow
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from models.bank.bank_refunds import BankRefundsRecord, BankRefundsRequest, BankRefundsState
from models.operator_command import OperatorCommand
from models.workflow_ids import BANK_REFUND_SCHEDULE, WORKFLOW_QUEUE, bank_refunds_id, schedule_id
from tests.fixtures.refunds import RefundClient
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.run_control import until
from workflows.refunds.bank_refunds import BankRefunds

MONTH, NEXT = "2026-09", "2026-10"
# A history is long in a test after so many events, and has them after so many signals.
LONG, SIGNALS = 80, 20
WHO = OperatorCommand("maria", "as agreed")
SAYS_WHO = ("--actor", "maria", "--reason", "as agreed")
STATES = "select string_agg(state::text, ' ' order by idempotency_key) from duly.financial_transactions"


async def in_credit(merchant: Merchant, amount_minor: int = 700, *, currency: str = "EUR") -> str:
    """Open an account that has paid what it did not owe."""
    account = await merchant.account(currency=currency)
    await merchant.run(
        "select duly.create_payment(:key, :account, :amount, :currency, 'cash')",
        key=f"cash:{account}",
        currency=currency,
        account=account,
        amount=amount_minor,
    )
    return account


async def started(client: Client, period: str = MONTH) -> WorkflowHandle[Any, Any]:
    """Begin a month."""
    return await client.start_workflow(
        BankRefunds.run, BankRefundsRequest(period), id=bank_refunds_id(period), task_queue=WORKFLOW_QUEUE
    )


async def waits(handle: WorkflowHandle[Any, Any]) -> BankRefundsRecord:
    """Wait until a month waits for a person."""

    async def status() -> BankRefundsRecord | None:
        return await handle.query(BankRefunds.status)

    async def is_drafted() -> bool:
        return await status() is not None

    await until(is_drafted)
    found = await status()
    assert found is not None
    return found


async def drafts(merchant: Merchant, month: str) -> str:
    """Return the states of a month's refunds."""
    return str(await merchant.value(f"{STATES} where idempotency_key like :keys", keys=f"refund:{month}:%"))


async def test_what_the_schedule_drafts_waits_for_a_person_and_pays_nobody(refunds: RefundClient) -> None:
    account = await in_credit(refunds.merchant)
    handle = await started(refunds.duly.client)

    waiting = await waits(handle)
    released = await handle.execute_update(BankRefunds.release, WHO)

    assert (waiting.state, waiting.refunds) == ("waiting", 1)
    assert (
        await handle.result()
        == released
        == BankRefundsRecord(MONTH, BankRefundsState.RELEASED, 1, "maria", "as agreed")
    )
    assert await drafts(refunds.merchant, MONTH) == "draft"
    assert await refunds.merchant.balance(account) == -700


async def test_a_month_that_is_rejected_refunds_nobody_and_its_credit_comes_with_the_next(
    refunds: RefundClient,
) -> None:
    account = await in_credit(refunds.merchant)
    handle = await started(refunds.duly.client)
    await waits(handle)

    await handle.execute_update(BankRefunds.reject, WHO)
    await handle.result()
    following = await waits(await started(refunds.duly.client, NEXT))

    assert await drafts(refunds.merchant, MONTH) == "rejected"
    assert (following.state, following.refunds) == ("waiting", 1)
    assert await refunds.merchant.balance(account) == -700


async def test_operators_are_asked_with_the_sums_and_again_each_week_whatever_it_goes_through(
    refunds: RefundClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BankRefunds, "_is_history_long", lambda _: workflow.info().get_current_history_length() > LONG)
    await refunds.merchant.configure("[refund_rules]\nbank_file = 'csv'")
    first, second = await in_credit(refunds.merchant, 700), await in_credit(refunds.merchant, 550)
    dollars = await in_credit(refunds.merchant, 900, currency="USD")
    handle = await started(refunds.duly.client)
    await waits(handle)

    async def asked(times: int) -> bool:
        found = await refunds.merchant.run("select parameters from duly.messages where kind = 'bank_refunds_wait'")
        return len(found) == times

    async def is_another(execution: str | None) -> bool:
        return (await handle.describe()).run_id != execution

    await until(lambda: asked(1))
    await refunds.duly.environment.sleep(timedelta(days=7, minutes=1))
    await until(lambda: asked(2))
    # A row that nobody has decided on is read and asked about by nobody; it goes on as new, and counts on.
    execution = (await handle.describe()).run_id
    for _ in range(SIGNALS):
        await handle.signal(BankRefunds.month_changed)
    await until(lambda: is_another(execution))
    assert await asked(2)
    await refunds.merchant.run(
        "select duly.reject_refund(id, 'paid in cash') from duly.financial_transactions"
        " where account_id = :id and state = 'draft'",
        id=second,
    )
    await refunds.duly.environment.sleep(timedelta(days=7, minutes=1))
    await until(lambda: asked(3))

    rows = await refunds.merchant.run(
        "select parameters from duly.messages where kind = 'bank_refunds_wait' order by created_at"
    )
    kinds = [[(kind["count"], kind["state"], kind["objects"]) for kind in row.parameters["kinds"]] for row in rows]
    both, us = (2, "12.50 EUR", sorted([first, second])), (1, "9.00 USD", [dollars])
    assert {row.parameters["object"] for row in rows} == {MONTH}
    assert kinds == [[both, us], [both, us], [(1, "7.00 EUR", [first]), us]]


@pytest.mark.parametrize(("refunds_credit", "drafted"), [("true", 1), ("false", 2)])
async def test_credit_that_a_gateway_gives_back_by_its_own_runs_is_left_to_them(
    refunds: RefundClient, refunds_credit: str, drafted: int
) -> None:
    await refunds.merchant.configure(f"[refund_rules]\nrefunds_credit = {refunds_credit}")
    [payment] = await refunds.paid(700)
    for account in (await refunds.account_of(payment), await refunds.merchant.account(cards=[])):
        await refunds.merchant.run(
            "select duly.create_payment(:key, :id, 700, 'EUR', 'cash')", key=f"again:{account}", id=account
        )

    waiting = await waits(await started(refunds.duly.client))

    assert waiting.refunds == drafted


async def test_a_month_that_was_decided_elsewhere_is_over_as_soon_as_its_row_is_read(refunds: RefundClient) -> None:
    await in_credit(refunds.merchant)
    handle = await started(refunds.duly.client)
    await waits(handle)
    await refunds.merchant.run("select duly.decide_bank_refunds(:month, 'released', 'max', 'seen')", month=MONTH)

    with refunds.duly.environment.auto_time_skipping_disabled():
        await handle.signal(BankRefunds.month_changed)
        record = await handle.result()

    assert (record.state, record.actor) == (BankRefundsState.RELEASED, "max")


async def test_a_month_is_decided_once_by_somebody_who_says_why(refunds: RefundClient) -> None:
    await in_credit(refunds.merchant)
    handle = await started(refunds.duly.client)
    await waits(handle)

    with pytest.raises(WorkflowUpdateFailedError) as nobody:
        await handle.execute_update(BankRefunds.release, OperatorCommand("", "as agreed"))
    await handle.execute_update(BankRefunds.release, WHO)
    await handle.result()
    with pytest.raises(DBAPIError, match="nothing to decide"):
        await refunds.merchant.run("select duly.decide_bank_refunds(:month, 'rejected', 'max', 'late')", month=MONTH)

    assert isinstance(nobody.value.cause, ApplicationError)
    assert "actor" in nobody.value.cause.message
    assert await drafts(refunds.merchant, MONTH) == "draft"


async def test_a_month_in_which_nobody_is_in_credit_asks_nobody(refunds: RefundClient) -> None:
    await refunds.merchant.account()

    record = await (await started(refunds.duly.client)).result()

    assert record == BankRefundsRecord(MONTH, BankRefundsState.EMPTY, 0)
    assert await refunds.merchant.value("select count(*) from duly.messages") == 0


async def test_the_schedule_begins_the_month_of_its_moment_once(refunds: RefundClient) -> None:
    await in_credit(refunds.merchant)
    client = refunds.duly.client
    for minute in (0, 1):
        await client.execute_workflow(
            BankRefunds.run,
            BankRefundsRequest(),
            id=f"{bank_refunds_id('scheduled')}-2026-09-01T06:0{minute}:00Z",
            task_queue=WORKFLOW_QUEUE,
        )
    [month] = await until_rows(refunds.merchant)

    assert month.refunds == 1
    assert (await waits(client.get_workflow_handle(bank_refunds_id(month.period)))).state == "waiting"


async def until_rows(merchant: Merchant) -> Any:
    """Return the months that were drafted, as soon as there are any."""

    async def found() -> bool:
        return bool(await merchant.value("select count(*) from duly.bank_refund_months"))

    await until(found)
    return await merchant.run("select period, refunds from duly.bank_refund_months")


async def test_the_file_is_written_after_the_release_and_not_before(
    cli: CommandLine, temporal_server: Client, merchant: Merchant, workers: None, tmp_path: Path
) -> None:
    await in_credit(merchant)
    export = ("refunds", "export", MONTH, str(tmp_path / "refunds.csv"), "--format", "csv")
    handle = await started(temporal_server)
    await waits(handle)

    early = await cli(*export, "--json")
    released = await cli.json("refunds", "release", MONTH, *SAYS_WHO)
    written = await cli.json(*export)
    again = await cli("refunds", "reject", MONTH, *SAYS_WHO, "--json")

    assert early.rules == [("period", "month_is_released")]
    assert (released["bank_refunds"]["state"], released["bank_refunds"]["actor"]) == ("released", "maria")
    assert [(one["amount_minor"], one["state"]) for one in written["refunds"]] == [(700, "draft")]
    assert again.exit_code == 1


async def test_a_month_that_a_person_has_exported_is_left_as_it_is(
    cli: CommandLine, temporal_server: Client, merchant: Merchant, workers: None, tmp_path: Path
) -> None:
    await in_credit(merchant)
    await cli.json("refunds", "export", NEXT, str(tmp_path / "by-hand.csv"), "--format", "csv")
    await in_credit(merchant)

    record = await (await started(temporal_server, NEXT)).result()

    assert (record.state, record.refunds) == ("released", 1)


@pytest.fixture
async def no_schedules(temporal_server: Client) -> AsyncIterator[None]:
    """The namespace is shared: the test leaves it without schedules."""
    yield
    async for one in await temporal_server.list_schedules():
        with contextlib.suppress(RPCError):
            await temporal_server.get_schedule_handle(one.id).delete()


async def test_the_configured_day_makes_the_schedule_and_none_takes_it_away(
    cli: CommandLine, temporal_server: Client, merchant: Merchant, no_schedules: None
) -> None:
    await merchant.configure("[refund_rules]\nbank_day = 5\nbank_file = 'csv'")
    await cli.json("schedule", "apply")
    handle = temporal_server.get_schedule_handle(schedule_id(BANK_REFUND_SCHEDULE))
    calendars = (await handle.describe()).schedule.spec.calendars

    await merchant.configure("[refund_rules]\nbank_day = 0")
    changes = (await cli.json("schedule", "apply"))["changes"]

    assert [(one.day_of_month[0].start, one.hour[0].start) for one in calendars] == [(5, 6)]
    assert {"definition": BANK_REFUND_SCHEDULE, "change": "removed"} in changes
