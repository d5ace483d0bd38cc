"""Operators hear of what wants their eyes, each time once (S22, S24, S40 to S42)."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import ActivityEnvironment

from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.ledger.audit import LedgerAuditActivities
from activities.messages.rendering import Sender
from models.ledger.audit import Violation
from models.messages.message import MessageKind, Notice
from models.operator_command import OperatorCommand
from models.runs.process_run import ItemOutcome
from models.workflow_ids import WORKFLOW_QUEUE
from sandbox.servers.mail import Mailbox
from tests.messages.conftest import MessagesTo
from tests.messages.mail_server import outbox, subjects
from tests.messages.recipients import OPERATORS, person
from tests.support.attempts import request_for
from tests.support.builders import PERIOD, RUN, Merchant, declined
from tests.support.running_duly import RunningDuly
from workflows.ledger.ledger_audit import LedgerAudit

NOBODY = Notice("acc_ada", PERIOD)


async def alerts(merchant: Merchant) -> list[str]:
    rows = await merchant.run("select id from duly.messages where audience = 'operator' order by created_at, id")
    return [row.id for row in rows]


async def pay(
    merchant: Merchant, collecting: CollectActivities, amounts: Sequence[int], *, first_month: int = 1
) -> None:
    """Let Ada owe and pay an amount a month."""
    for month, amount in enumerate(amounts, first_month):
        await merchant.invoice("acc_ada", amount)
        await collecting.collect(request_for("acc_ada", period=f"2026-{month:02}"))


async def test_a_run_tells_how_many_payments_failed_and_why(
    duly: RunningDuly, merchant: Merchant, mailbox: Mailbox
) -> None:
    for n, code in enumerate(["insufficient_funds", "insufficient_funds", "stolen_card"]):
        await person(merchant, f"acc_{n}", email=None, answers=[declined(code)], answers_for_ever=True, owes_minor=1000)
    await person(merchant, "acc_paid", email=None, owes_minor=1000)

    certificate = await duly.run()
    message = (await mailbox.wait_for(1))[0]

    failed = sum(total.members for total in certificate.totals if total.outcome == ItemOutcome.IN_DUNNING)
    assert (failed, message.recipients) == (3, (OPERATORS,))
    assert message.subject == f"Duly: 3 payments failed in {RUN}"
    assert "2  insufficient_funds" in message.text
    assert "1  stolen_card" in message.text
    assert "http://ui.example/namespaces/default/workflows/run%2Fmonthly%2F2026-11" in message.text


async def test_a_run_without_a_failure_tells_operators_nothing(
    duly: RunningDuly, merchant: Merchant, mailbox: Mailbox
) -> None:
    await person(merchant, owes_minor=1000)

    await duly.run()
    await mailbox.wait_for(1)

    assert await alerts(merchant) == []


async def test_several_declines_in_the_window_are_told_once(
    duly: RunningDuly, merchant: Merchant, mailbox: Mailbox
) -> None:
    account = await person(merchant, answers=[declined("do_not_honor")], answers_for_ever=True, owes_minor=2500)

    await (await duly.start_collection(account)).result()

    assert await alerts(merchant) == [
        f"payment_failed/acc_ada/{PERIOD}",
        f"several_failures/acc_ada/{PERIOD}/3",
    ]
    assert "Duly: acc_ada was declined 3 times in 7 days" in subjects(mailbox, OPERATORS)


async def test_the_number_that_is_several_is_the_merchants_to_say(duly: RunningDuly, merchant: Merchant) -> None:
    await merchant.configure("[alert_rules]\nfailures_min = 2")
    account = await person(merchant, answers=[declined("do_not_honor")] * 2, owes_minor=2500)

    await (await duly.start_collection(account)).result()

    assert f"several_failures/acc_ada/{PERIOD}/2" in await alerts(merchant)


async def test_declines_outside_the_window_do_not_add_up(
    merchant: Merchant, owner_engine: AsyncEngine, collecting: CollectActivities, messages_to: MessagesTo
) -> None:
    account = await person(merchant, answers=[declined("do_not_honor")] * 3, owes_minor=2500)
    await merchant.configure("[alert_rules]\nfailures_days = 1")
    for attempt in (1, 2):
        await collecting.collect(request_for(account, attempt))
    async with owner_engine.begin() as connection:
        await connection.execute(text("update duly.gateway_attempts set finished_at = now() - interval '2 days'"))
    await collecting.collect(request_for(account, 3))

    await ActivityEnvironment().run(messages_to("").notify, NOBODY)

    assert await alerts(merchant) == []


async def test_two_collections_that_look_at_once_raise_one_alert(
    merchant: Merchant, collecting: CollectActivities, messages_to: MessagesTo
) -> None:
    await person(merchant, answers=[declined("do_not_honor")] * 4)
    for month in ("2026-08", "2026-09", "2026-10", PERIOD):
        await merchant.invoice("acc_ada", 1000)
        await collecting.collect(request_for("acc_ada", period=month))
    activities = messages_to("")

    checks = [Notice("acc_ada", period) for period in ("2026-08", "2026-09", "2026-10", PERIOD)]
    await asyncio.gather(*(ActivityEnvironment().run(activities.notify, check) for check in checks))

    assert [one.partition("/")[0] for one in await alerts(merchant)] == ["several_failures"]


@pytest.mark.parametrize(
    ("paid_before", "now", "is_unusual"),
    [
        ((1000, 1000, 1000), 5001, True),
        ((1000, 1000, 1000), 5000, False),
        ((1000, 1000), 50000, False),
        ((500, 1500, 1000, 1000), 5001, True),
    ],
)
async def test_an_amount_far_above_the_usual_is_told_once(
    merchant: Merchant, collecting: CollectActivities, messages_to: MessagesTo, mailbox: Mailbox,
    paid_before: tuple[int, ...], now: int, is_unusual: bool,
) -> None:  # fmt: skip
    await person(merchant, email=None)
    await pay(merchant, collecting, paid_before)
    await pay(merchant, collecting, [now], first_month=11)

    for _ in range(2):
        await ActivityEnvironment().run(messages_to(mailbox.url).notify, NOBODY)

    assert await alerts(merchant) == ([f"unusual_amount/acc_ada/{PERIOD}"] if is_unusual else [])
    assert len(subjects(mailbox, OPERATORS)) == int(is_unusual)


async def test_a_run_looks_for_unusual_amounts_and_several_failures_among_its_members(
    duly: RunningDuly, merchant: Merchant, collecting: CollectActivities, mailbox: Mailbox
) -> None:
    await person(merchant, email=None)
    await pay(merchant, collecting, [1000] * 3)
    await merchant.invoice("acc_ada", 9000)
    await person(merchant, "acc_unlucky", email=None, answers=[declined("do_not_honor")] * 3)
    for month in ("2026-08", "2026-09"):
        await merchant.invoice("acc_unlucky", 1000)
        await collecting.collect(request_for("acc_unlucky", period=month))
    await merchant.invoice("acc_unlucky", 700)

    await duly.run()
    await mailbox.wait_for(3)

    assert set(await alerts(merchant)) == {
        f"payments_failed/{RUN}",
        f"several_failures/acc_unlucky/{PERIOD}/1",
        f"unusual_amount/acc_ada/{PERIOD}",
    }


async def test_what_is_handed_over_is_told_to_operators(
    duly: RunningDuly, merchant: Merchant, mailbox: Mailbox
) -> None:
    await merchant.run(
        """insert into duly.dunning_policies values ('standard', 2, '', '{"on_giving_up": "hand_over"}')"""
    )
    account = await person(merchant, answers=[declined("do_not_honor")], owes_minor=2500)
    handle = await duly.start_collection(account)
    await handle.execute_update("first_outcome")

    await handle.execute_update("give_up", OperatorCommand("maria", "moved away"))
    await handle.result()

    assert "Duly: acc_ada, November 2026 is handed over" in subjects(mailbox, OPERATORS)


async def test_an_audit_that_is_tried_again_tells_once_of_what_is_broken(
    merchant: Merchant, database: Database
) -> None:
    activities = LedgerAuditActivities(database)
    broken = [Violation("balances_add_up", "account acc_ada"), Violation("balances_add_up", "account acc_bob")]

    for _ in range(2):
        await ActivityEnvironment().run(activities.alert_of_violations, "ledger-audit-2026-11-28", broken)

    [message] = await merchant.run(
        "select row_to_json(m)::text as written from duly.messages m where audience = 'operator'"
    )
    assert "account acc_bob" in message.written


async def test_without_an_address_for_operators_alerts_stay_in_the_database(
    merchant: Merchant, mailbox: Mailbox, messages_to: MessagesTo
) -> None:
    await person(merchant)
    activities = messages_to(mailbox.url, Sender())

    await ActivityEnvironment().run(
        activities.notify, Notice("acc_ada", PERIOD, MessageKind.NEEDS_REVIEW, "1", 2500, "EUR", code="unknown_outcome")
    )

    assert await outbox(merchant) == {f"needs_review/acc_ada/{PERIOD}/1": ("withheld", "no_address")}


async def test_an_audit_of_a_broken_ledger_alerts_once_and_names_what_is_broken(
    duly: RunningDuly, merchant: Merchant, mailbox: Mailbox, owner_engine: AsyncEngine
) -> None:
    await person(merchant, email=None, owes_minor=2500)
    async with owner_engine.begin() as connection:
        await connection.execute(text("alter table duly.account_balances disable trigger user"))
        await connection.execute(
            text("update duly.account_balances set balance_minor = balance_minor + 1 where account_id = 'acc_ada'")
        )

    # The schedule's audit, and the same night's once more after somebody has reset it.
    first, again = [
        await duly.client.execute_workflow(
            LedgerAudit.run, id="ledger-audit-2026-11-28T04:00:00Z", task_queue=WORKFLOW_QUEUE
        )
        for _ in range(2)
    ]
    message = (await mailbox.wait_for(1))[0]

    assert "acc_ada" in {one.offender.rpartition(" ")[2] for one in first.violations}
    assert first.violations == again.violations
    assert await alerts(merchant) == ["invariants_broken/ledger-audit-2026-11-28T04:00:00Z"]
    assert len(subjects(mailbox, OPERATORS)) == 1
    assert "acc_ada" in message.text
