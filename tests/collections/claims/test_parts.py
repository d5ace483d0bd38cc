"""More invoices than one receivable holds: the oldest first, the rest by the next one, each bounded."""

import json
import time
from collections.abc import Sequence

import pytest
from sqlalchemy import text
from temporalio.client import WorkflowFailureError

from activities.collections.collect import CollectActivities
from activities.collections.ownership import WRITE_OFF_PAGE, CollectionActivities
from activities.database import STANDARD_SECONDS, Database, DatabaseUnavailableError
from models.collections.collection import (
    INVOICES_AT_MOST,
    CollectionClosing,
    CollectionOpening,
    CollectionRequest,
    Stage,
)
from models.collections.dunning import GiveUpAction
from models.gateway.gateway_request import AttemptOutcome, CollectOutcome
from models.workflow_ids import collection_id
from sandbox.stripe.control.client import SandboxControl
from tests.runs.test_runs import totals
from tests.support.attempts import attempts, broken_invariants, charged, request_for
from tests.support.builders import PERIOD, RUN, Merchant, declined
from tests.support.running_duly import RunningDuly

NO = declined("insufficient_funds")
EACH_MINOR = 100


async def owing(merchant: Merchant, invoices: int, **account: object) -> str:
    """Open an account that owes so many invoices of a euro, the oldest first."""
    opened = await merchant.account(**account)  # type: ignore[arg-type]
    for _ in range(invoices):
        await merchant.invoice(opened, EACH_MINOR)
    return opened


async def requests(merchant: Merchant) -> list[tuple[str, int, str]]:
    """Name, number of invoices and state of every payment request, by name."""
    rows = await merchant.run(
        "select period, cardinality(invoices) as held, state from duly.gateway_requests order by 1"
    )
    return [(row.period, row.held, row.state) for row in rows]


async def claims(merchant: Merchant) -> Sequence[object]:
    return await merchant.run("select * from duly.claims")


async def test_a_run_charges_the_oldest_and_collections_the_rest(
    duly: RunningDuly, small_parts: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await owing(small_parts, 7)

    certificate = await duly.run()
    second = await duly.collected(account, "2026-11-2")
    third = await duly.collected(account, "2026-11-3")

    assert totals(certificate) == {("charged", ""): (1, 3 * EACH_MINOR)}
    assert (second.stage, third.stage) == (Stage.SETTLED, Stage.SETTLED)
    assert await requests(small_parts) == [
        ("2026-11", 3, "posted"),
        ("2026-11-2", 2, "posted"),
        ("2026-11-3", 2, "posted"),
    ]
    assert charged(stripe_sandbox) == (3, 7 * EACH_MINOR)
    assert (await small_parts.balance(account), await claims(small_parts)) == (0, [])
    assert await broken_invariants(small_parts) == []


async def test_what_is_billed_meanwhile_is_not_part_of_it(
    small_parts: Merchant, collecting: CollectActivities, database: Database, stripe_sandbox: SandboxControl
) -> None:
    account = await owing(small_parts, 4)
    await small_parts.run(
        "select duly.freeze_payment_run(:run, 'monthly', :period, '2026-12-01')", run=RUN, period=PERIOD
    )
    await small_parts.invoice(account, 900)

    first = await collecting.collect(request_for(account, run_id=RUN))
    await collecting.collect(request_for(account, period=first.next_part))

    assert charged(stripe_sandbox) == (2, 4 * EACH_MINOR)
    assert await database.call("open_next_part", account_id=account, period=first.next_part) is None
    assert await small_parts.balance(account) == 900


async def test_a_decline_stops_the_sequence(
    duly: RunningDuly, small_parts: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await owing(small_parts, 7, answers=[NO], answers_for_ever=True)

    await duly.run()
    result = await duly.collected(account)

    assert result.stage is Stage.GIVEN_UP
    assert [name for name, _, _ in await requests(small_parts)] == [PERIOD]
    assert (charged(stripe_sandbox)[0], await claims(small_parts)) == (0, [])


async def test_a_service_collects_everything_in_parts(
    duly: RunningDuly, small_parts: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await owing(small_parts, 5)

    await duly.start_collection(account)
    first = await duly.collected(account)
    second = await duly.collected(account, "2026-11-2")

    assert (first.amount_minor, second.amount_minor) == (3 * EACH_MINOR, 2 * EACH_MINOR)
    assert (charged(stripe_sandbox), await small_parts.balance(account)) == ((2, 5 * EACH_MINOR), 0)


async def test_the_next_part_is_named_once_and_nobody_has_to_remember_it(
    small_parts: Merchant, collecting: CollectActivities, database: Database
) -> None:
    account = await owing(small_parts, 7)
    await small_parts.run(
        "select duly.freeze_payment_run(:run, 'monthly', :period, '2026-12-01')", run=RUN, period=PERIOD
    )

    first = await collecting.collect(request_for(account, run_id=RUN))
    again = await collecting.collect(request_for(account, run_id=RUN))
    open_now = await database.rows("select key from duly.open_objects('collection', '{}', 9, interval '0')")

    assert (first.outcome, first.next_part, again.next_part) == (CollectOutcome.SETTLED, "2026-11-2", "2026-11-2")
    assert [tuple(row.key) for row in open_now] == [(account, "2026-11-2")]


async def test_a_run_that_an_older_release_has_frozen_is_charged_in_parts_too(
    small_parts: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl
) -> None:
    account = await owing(small_parts, 7)
    await small_parts.run(
        "select duly.freeze_payment_run(:run, 'monthly', :period, '2026-12-01')", run=RUN, period=PERIOD
    )
    await small_parts.run(
        "update duly.run_items set rest_until = null, invoices ="
        " (select array_agg(transaction_id order by account_version) from duly.open_items)"
    )

    first = await collecting.collect(request_for(account, run_id=RUN))

    assert (first.amount_minor, first.next_part) == (3 * EACH_MINOR, "2026-11-2")
    assert charged(stripe_sandbox) == (1, 3 * EACH_MINOR)


async def test_more_invoices_than_a_receivable_holds_cannot_be_named(duly: RunningDuly) -> None:
    request = CollectionRequest("acc_1", PERIOD, invoices=tuple(f"ft_{n}" for n in range(INVOICES_AT_MOST + 1)))

    with pytest.raises(WorkflowFailureError) as refused:
        await duly.client.execute_workflow(
            "Collection", request, id=collection_id("acc_1", PERIOD), task_queue="duly", result_type=None
        )

    assert "at most 5,000 can be named" in str(refused.value.cause)


async def test_a_slow_booking_is_finished_by_whoever_comes_next(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account()
    await post_many(merchant, account, 501)
    async with merchant.engine.begin() as busy:
        await busy.execute(text("lock table duly.transfers in exclusive mode"))
        with pytest.raises(DatabaseUnavailableError):
            await collecting.collect(request_for(account))
    known = await merchant.run("select outcome, gateway_reference from duly.gateway_attempts")

    result = await collecting.collect(request_for(account))

    assert [(row.outcome, row.gateway_reference) for row in known] == [("processing", result.gateway_reference)]
    assert await attempts(merchant, account) == [(1, AttemptOutcome.SUCCEEDED)]
    assert (charged(stripe_sandbox), await merchant.balance(account)) == ((1, 501), 0)


async def test_very_many_invoices_that_are_given_up_are_written_off_in_pages(
    merchant: Merchant, database: Database
) -> None:
    account = await merchant.account()
    await post_many(merchant, account, 2 * WRITE_OFF_PAGE + 1)
    activities = CollectionActivities(database)
    await activities.open_collection(CollectionOpening(account, PERIOD, "stripe", "", (), "execution-1"))

    await activities.close_collection(
        CollectionClosing(account, PERIOD, Stage.GIVEN_UP, "tired", GiveUpAction.WRITE_OFF)
    )

    written_off = await merchant.run(
        "select count(*) as invoices, count(distinct posted_xid) as commits from duly.financial_transactions"
        " where classification = 'write_off'"
    )
    assert [tuple(row) for row in written_off] == [(2 * WRITE_OFF_PAGE + 1, 3)]
    assert (await merchant.balance(account), await claims(merchant)) == (0, [])
    assert await broken_invariants(merchant) == []


@pytest.mark.parametrize(
    ("invoices", "parts"),
    [
        # One more than a part takes: they are shared out.
        (INVOICES_AT_MOST + 1, [INVOICES_AT_MOST // 2 + 1, INVOICES_AT_MOST // 2]),
        pytest.param(2 * INVOICES_AT_MOST, [INVOICES_AT_MOST] * 2, marks=pytest.mark.nightly),
        pytest.param(10 * INVOICES_AT_MOST, [INVOICES_AT_MOST] * 10, marks=[pytest.mark.nightly, pytest.mark.slow]),
    ],
    ids=["one more", "2", "10"],
)
async def test_very_many_open_invoices_are_collected_in_bounded_steps(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl, invoices: int, parts: list[int]
) -> None:
    account = await merchant.account()
    await post_many(merchant, account, invoices)

    began = time.perf_counter()
    await duly.run()
    for part in range(2, len(parts) + 1):
        await duly.collected(account, f"2026-11-{part}")
    seconds = time.perf_counter() - began

    held = [number for _, number, state in await requests(merchant) if state == "posted"]
    described = await duly.collection(account, f"2026-11-{len(parts)}").describe()
    assert held == parts
    assert charged(stripe_sandbox) == (len(parts), invoices)
    assert (await merchant.balance(account), await claims(merchant)) == (0, [])
    assert seconds / len(parts) < STANDARD_SECONDS
    assert described.raw_description.workflow_execution_info.history_size_bytes < 512 * 1024
    assert await broken_invariants(merchant) == []


async def post_many(merchant: Merchant, account: str, count: int) -> None:
    """Post invoices of a cent, a thousand in a commit."""
    amounts = {"unit_price_minor": 1, "discount_minor": 0, "net_minor": 1, "tax_minor": 0, "total_minor": 1}
    line = {"product_id": "plan", "description": "Plan", "quantity": 1, **amounts}
    for start in range(0, count, 1_000):
        batch = [
            {
                "key": f"many/{number}",
                "account_id": account,
                "currency": "EUR",
                "issued_on": "2026-11-01",
                "lines": [line],
            }
            for number in range(start, min(start + 1_000, count))
        ]
        await merchant.run("select count(*) from duly.post_invoices(cast(:batch as jsonb))", batch=json.dumps(batch))
