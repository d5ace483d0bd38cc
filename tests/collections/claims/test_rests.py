"""What the gateway's steps leave of a debt: the rest of less than a step stays open and goes with the next request."""

from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.messages.reminders import reminders_at
from activities.runs.dry_runs import DryRunActivities
from models.collections.collection import Stage
from models.gateway.gateway_request import CollectOutcome
from sandbox.stripe.control.client import SandboxControl
from tests.messages.test_reminders import owing
from tests.runs.test_dry_run import dry_run
from tests.runs.test_runs import totals
from tests.runs.test_who_is_due import freeze, frozen
from tests.support.attempts import broken_invariants, charged, request_for
from tests.support.builders import PERIOD, RUN, Merchant, declined
from tests.support.running_duly import RunningDuly

NO = declined("insufficient_funds")


async def dinars(merchant: Merchant, *debts_minor: int, **options: object) -> str:
    """Open an account that owes invoices in dinars, which the gateway takes in steps of ten thousandths."""
    account = await merchant.account(currency="KWD", **options)  # type: ignore[arg-type]
    for owed_minor in debts_minor:
        await merchant.invoice(account, owed_minor, currency="KWD")
    return account


async def open_invoices(merchant: Merchant) -> list[int]:
    """What is open of every invoice, the oldest first."""
    rows = await merchant.run(
        "select amount_minor - allocated_minor as left_minor from duly.open_items where side = 'debit'"
        " order by sort_on, account_version"
    )
    return [row.left_minor for row in rows]


async def is_sound(merchant: Merchant) -> bool:
    """Say whether no invoice is claimed any more and the ledger keeps its rules."""
    claims = await merchant.value("select count(*) from duly.claims")
    return claims == 0 and await broken_invariants(merchant) == []


async def test_a_run_charges_what_the_gateway_takes_and_the_last_invoice_is_partly_paid(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    await dinars(merchant, 1234, 2000)

    certificate = await duly.run()

    assert totals(certificate) == {("charged", ""): (1, 3230)}
    assert charged(stripe_sandbox) == (1, 3230)
    assert await open_invoices(merchant) == [0, 4]
    assert await is_sound(merchant)


async def test_what_a_transfer_leaves_between_two_steps_is_charged_in_the_same_month(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await dinars(merchant, 7320)
    await merchant.transfer(account, 1005, currency="KWD")

    certificate = await duly.run()

    assert totals(certificate) == {("charged", ""): (1, 6310)}
    assert (charged(stripe_sandbox), await open_invoices(merchant)) == ((1, 6310), [5])


async def test_the_rest_goes_with_the_next_months_request(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await dinars(merchant, 1234)
    await duly.run()
    await merchant.invoice(account, 1466, currency="KWD")

    certificate = await duly.run(period="2026-12")

    assert totals(certificate) == {("charged", ""): (1, 1470)}
    assert charged(stripe_sandbox) == (2, 1230 + 1470)
    assert await open_invoices(merchant) == [0, 0]
    assert await is_sound(merchant)


async def test_nothing_but_a_rest_is_passed_over_and_says_so(merchant: Merchant, database: Database) -> None:
    account = await dinars(merchant, 9)

    await freeze(database)

    assert await frozen(merchant) == {account: "amount_not_in_steps"}


async def test_what_is_charged_must_reach_the_minimum(merchant: Merchant, database: Database) -> None:
    await merchant.run("update duly.provider_currencies set minimum_minor = 25 where currency = 'KWD'")
    account = await dinars(merchant, 28)

    await freeze(database)

    assert await frozen(merchant) == {account: "below_minimum"}


async def test_a_dry_run_says_what_would_be_charged(merchant: Merchant, database: Database) -> None:
    await dinars(merchant, 1234)

    members = await dry_run(DryRunActivities(database))

    assert [(member.amount_minor, member.reason) for member in members] == [(1230, "")]


async def test_a_service_collects_what_the_gateway_takes_and_its_collection_is_settled(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await dinars(merchant, 1234)

    result = await (await duly.start_collection(account)).result()

    assert (result.stage, result.amount_minor) == (Stage.SETTLED, 1230)
    assert (charged(stripe_sandbox), await open_invoices(merchant)) == ((1, 1230), [4])
    assert await is_sound(merchant)


async def test_a_retry_charges_what_the_gateway_takes_of_what_was_paid_by_then(
    merchant: Merchant, collecting: CollectActivities, stripe_sandbox: SandboxControl
) -> None:
    account = await dinars(merchant, 7320, answers=[NO, NO])

    first = await collecting.collect(request_for(account))
    await merchant.transfer(account, 1005, currency="KWD")
    second = await collecting.collect(request_for(account, 2))
    await merchant.transfer(account, 3, currency="KWD")
    third = await collecting.collect(request_for(account, 3))

    assert [one.amount_minor for one in (first, second, third)] == [7320, 6310, 6310]
    assert third.outcome is CollectOutcome.SETTLED
    assert (charged(stripe_sandbox), await open_invoices(merchant)) == ((1, 6310), [2])
    assert await is_sound(merchant)


async def test_the_rest_of_a_part_goes_with_the_next_part(
    duly: RunningDuly, small_parts: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await dinars(small_parts, 1234, 1234, 1234, 1234)

    await duly.run()
    second = await duly.collected(account, "2026-11-2")

    assert (second.stage, second.amount_minor) == (Stage.SETTLED, 2470)
    assert charged(stripe_sandbox) == (2, 2460 + 2470)
    assert await open_invoices(small_parts) == [0, 0, 0, 6]
    assert await small_parts.value("select count(*) from duly.collections") == 1
    assert await is_sound(small_parts)


async def test_a_rest_ends_a_collection_that_waits_for_its_customer(duly: RunningDuly, merchant: Merchant) -> None:
    account = await dinars(merchant, 1230, answers=[NO], answers_for_ever=True)
    handle = await duly.start_collection(account)
    await handle.execute_update("first_outcome")

    await merchant.transfer(account, 1224, currency="KWD")
    result = await handle.result()

    assert (result.stage, result.reason) == (Stage.GIVEN_UP, "amount_not_in_steps")
    assert await merchant.value("select count(*) from duly.gateway_attempts") == 1
    assert await open_invoices(merchant) == [6]


async def test_nobody_is_reminded_of_a_rest_that_no_gateway_takes(merchant: Merchant, database: Database) -> None:
    account, invoice, due = await owing(merchant, currency="KWD")
    assert [row.invoice_id for row in await reminders_at(database, due)] == [invoice]

    await merchant.transfer(account, 2495, currency="KWD")

    assert await reminders_at(database, due) == []


async def test_the_member_of_a_run_has_the_amount_that_it_is_charged(
    merchant: Merchant, database: Database, collecting: CollectActivities
) -> None:
    account = await dinars(merchant, 1234)
    run = await freeze(database)
    planned = await frozen(merchant)

    result = await collecting.collect(request_for(account, run_id=RUN))

    assert planned == {account: "1230 KWD, visa 4242"}
    assert (run, result.amount_minor) == (f"run/monthly/{PERIOD}", 1230)
