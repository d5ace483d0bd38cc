"""A payment run from freeze to certificate: what it holds fast, what it charges, and what it refuses."""

import asyncio
import hashlib

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError, WorkflowAlreadyStartedError

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from models.runs.process_run import Certificate, RunKind, RunRequest
from models.workflow_ids import WORKFLOW_QUEUE, payment_run_id, shard_id
from sandbox.stripe.control.client import SandboxControl
from settings import Settings
from tests.runs.test_who_is_due import define, freeze
from tests.support.attempts import broken_invariants, charged
from tests.support.builders import PERIOD, RUN, Merchant, declined
from tests.support.run_control import current
from tests.support.running_duly import RunningDuly
from worker import gateway_worker


def totals(certificate: Certificate) -> dict[tuple[str, str], tuple[int, int]]:
    """Members and minor units by outcome and reason."""
    return {(str(total.outcome), total.reason): (total.members, total.amount_minor) for total in certificate.totals}


async def refusal_of(duly: RunningDuly, definition: str, period: str = PERIOD) -> str:
    """Run, see it fail at once, and return the rule."""
    with pytest.raises(WorkflowFailureError) as failed:
        await duly.run(definition, period)
    refused: BaseException | None = failed.value.cause
    if isinstance(refused, ActivityError):
        refused = refused.cause
    assert isinstance(refused, ApplicationError)
    return str(refused.type)


async def test_what_is_posted_after_the_freeze_waits_for_the_next_run(
    duly: RunningDuly, merchant: Merchant, database: Database
) -> None:
    account = await merchant.account(owes_minor=2500)
    await freeze(database)
    await merchant.invoice(account, 700)
    latecomer = await merchant.account(owes_minor=900)

    november = await duly.run()
    december = await duly.run(period="2026-12")

    assert totals(november) == {("charged", ""): (1, 2500)}
    assert totals(december) == {("charged", ""): (2, 1600)}
    assert (await merchant.balance(account), await merchant.balance(latecomer)) == (0, 0)


async def test_what_was_paid_elsewhere_since_the_freeze_is_not_charged(
    duly: RunningDuly, merchant: Merchant, database: Database, stripe_sandbox: SandboxControl
) -> None:
    partly, wholly = await merchant.account(owes_minor=2500), await merchant.account(owes_minor=2500)
    await freeze(database)
    await merchant.transfer(partly, 1000)
    await merchant.transfer(wholly, 2500)

    certificate = await duly.run()

    assert totals(certificate) == {("charged", ""): (1, 1500), ("skipped", "nothing_owed"): (1, 2500)}
    assert charged(stripe_sandbox) == (1, 1500)
    assert (await merchant.balance(partly), await merchant.balance(wholly)) == (0, 0)


async def test_what_is_left_below_the_minimum_is_not_charged(
    duly: RunningDuly, merchant: Merchant, database: Database, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=2500)
    await freeze(database)
    await merchant.transfer(account, 2451)

    certificate = await duly.run()

    assert totals(certificate) == {("skipped", "below_minimum"): (1, 2500)}
    assert await merchant.balance(account) == 49


async def test_a_card_that_goes_after_the_freeze_makes_its_account_wait_for_another(
    duly: RunningDuly, merchant: Merchant, database: Database
) -> None:
    await merchant.account(owes_minor=2500)
    await freeze(database)
    await merchant.run("update duly.cards set state = 'removed'")

    certificate = await duly.run()

    assert totals(certificate) == {("in_dunning", "no_card"): (1, 2500)}


async def test_a_period_is_run_once(duly: RunningDuly, merchant: Merchant) -> None:
    await merchant.account(owes_minor=2500)
    await duly.run()

    assert await refusal_of(duly, "monthly") == "one_run_a_period"


async def test_a_period_that_is_being_run_cannot_be_started_again(duly: RunningDuly, merchant: Merchant) -> None:
    await merchant.account(owes_minor=2500)
    await duly.start_run()

    with pytest.raises(WorkflowAlreadyStartedError):
        await duly.start_run()


@pytest.mark.parametrize(
    ("definition", "period", "rule"),
    [
        ("nobody", PERIOD, "run_definition_exists"),
        ("plans", PERIOD, "run_definition_exists"),
        ("monthly", "2026-13", "period_is_a_month"),
        ("monthly", "November", "period_is_a_month"),
    ],
)
async def test_a_run_of_nothing_or_for_no_month_fails_at_once_and_writes_nothing(
    duly: RunningDuly, merchant: Merchant, definition: str, period: str, rule: str
) -> None:
    await merchant.account(owes_minor=2500)

    assert await refusal_of(duly, definition, period) == rule
    assert await merchant.value("select count(*) from duly.process_runs") == 0


async def test_a_run_with_nobody_in_it_is_certified_empty_when_that_is_asked_for(
    duly: RunningDuly, merchant: Merchant
) -> None:
    certificate = await duly.run()

    assert (certificate.members, certificate.totals) == (0, ())


@pytest.mark.parametrize("kind", [RunKind.PAYMENT, RunKind.BILLING])
@pytest.mark.parametrize("has_somebody_to_pass_over", [False, True])
async def test_a_service_that_starts_a_run_over_nobody_is_refused_and_the_month_stays_open(
    duly: RunningDuly, merchant: Merchant, kind: RunKind, has_somebody_to_pass_over: bool
) -> None:
    if has_somebody_to_pass_over:
        gone = await merchant.account(cards=[], owes_minor=2500)
        await merchant.subscription(gone, price_minor=1000)
        await merchant.run("select duly.set_account_state(:gone, 'terminated')", gone=gone)
    is_billing = kind is RunKind.BILLING
    definition, run_id = ("plans", f"billing/plans/{PERIOD}") if is_billing else ("monthly", RUN)

    with pytest.raises(WorkflowFailureError) as failed:
        await duly.client.execute_workflow(
            "BillingRun" if is_billing else "PaymentRun",
            RunRequest(definition, PERIOD, not_due_yet=True),
            id=run_id,
            task_queue=WORKFLOW_QUEUE,
        )

    assert isinstance(failed.value.cause, ActivityError)
    assert isinstance(failed.value.cause.cause, ApplicationError)
    passed_over = " (1 account_terminated)" if has_somebody_to_pass_over else ""
    assert failed.value.cause.cause.type == "somebody_is_due"
    assert failed.value.cause.cause.message == (
        f"{run_id} is over nobody{passed_over}; over_nobody closes it all the same"
    )
    assert await merchant.value("select count(*) from duly.process_runs") == 0


async def test_a_service_that_starts_a_run_before_its_calendars_moment_is_refused_unless_it_says_so(
    duly: RunningDuly, merchant: Merchant
) -> None:
    account = await merchant.account()
    await merchant.invoice(account, 2500)
    # The month's last minute on the clock that ends it last.
    await merchant.run(
        "update duly.run_definitions set schedule ="
        """ '{"day": 31, "hour": 23, "minute": 59, "time_zone": "Pacific/Pago_Pago"}' where id = 'monthly'"""
    )
    period = f"{await duly.environment.get_current_time():%Y-%m}"

    with pytest.raises(WorkflowFailureError) as failed:
        await duly.client.execute_workflow(
            "PaymentRun",
            RunRequest("monthly", period, over_nobody=True),
            id=payment_run_id("monthly", period),
            task_queue=WORKFLOW_QUEUE,
        )
    certificate = await duly.run(period=period)

    assert isinstance(failed.value.cause, ActivityError)
    assert isinstance(failed.value.cause.cause, ApplicationError)
    assert failed.value.cause.cause.type == "period_is_due"
    assert f"{period} is due at " in failed.value.cause.cause.message
    assert certificate.period == period


async def test_many_shards_and_pages_take_everybody_once(duly: RunningDuly, merchant: Merchant) -> None:
    await merchant.run("update duly.run_definitions set shards = 2, page_size = 2, window_size = 2")
    # With ten and more each a shard's history is long before it is done, however many answers come at once.
    opening = (merchant.account(owes_minor=1000 + number) for number in range(24))
    accounts = await asyncio.gather(*opening)

    certificate = await duly.run()

    last_pages = [(await (await current(duly, shard_id(RUN, n))).fetch_history()).events[0] for n in range(2)]
    assert totals(certificate) == {("charged", ""): (24, sum(range(1000, 1024)))}
    assert [await merchant.balance(account) for account in accounts] == [0] * 24
    assert all(page.workflow_execution_started_event_attributes.continued_execution_run_id for page in last_pages)


async def test_the_certificate_adds_up_and_is_sealed(duly: RunningDuly, merchant: Merchant) -> None:
    await merchant.account("acc_paid", owes_minor=2500)
    await merchant.account("acc_declined", answers=[declined("do_not_honor")], owes_minor=700)
    await merchant.account("acc_skipped", cards=[], owes_minor=300)

    certificate = await duly.run()

    rows = await merchant.run("select * from duly.run_items where run_id = :run order by member_id", run=RUN)
    lines = [
        f"{row.member_id}|{row.currency}|{row.amount_minor}|{row.settled_minor}|{row.outcome}|{row.reason}"
        + (f"|{row.transaction_id}" if row.transaction_id else "")
        for row in rows
    ]
    assert certificate.members == 3
    assert totals(certificate) == {
        ("charged", ""): (1, 2500),
        ("in_dunning", "do_not_honor"): (1, 700),
        ("skipped", "no_card"): (1, 300),
    }
    assert certificate.sha256 == hashlib.sha256("\n".join(lines).encode()).hexdigest()


async def test_the_certificate_of_three_currencies_keeps_them_apart(duly: RunningDuly, merchant: Merchant) -> None:
    for currency, owes_minor in (("EUR", 2500), ("JPY", 5000), ("KWD", 12_340)):
        await merchant.account(currency=currency, owes_minor=owes_minor)

    certificate = await duly.run()

    assert [(total.currency, total.amount_minor) for total in certificate.totals] == [
        ("EUR", 2500),
        ("JPY", 5000),
        ("KWD", 12_340),
    ]


async def test_less_than_a_step_of_the_gateway_is_passed_over_and_the_run_goes_on(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    await merchant.account(currency="KWD", owes_minor=5)
    await merchant.account(owes_minor=2500)

    certificate = await duly.run()

    assert totals(certificate) == {("charged", ""): (1, 2500), ("skipped", "amount_not_in_steps"): (1, 5)}
    assert charged(stripe_sandbox) == (1, 2500)


async def test_two_providers_have_their_own_runs_queues_and_cards(
    duly: RunningDuly, merchant: Merchant, database: Database, gateway: StripeGateway, settings: Settings
) -> None:
    await merchant.run("insert into duly.providers (id, gateway, mode) values ('other', 'stripe', 'test')")
    await merchant.run("insert into duly.provider_currencies values ('other', 'EUR', 50)")
    await define(merchant, "others", provider_id="other")
    ours, theirs = await merchant.account(owes_minor=2500), await merchant.account(owes_minor=700)
    await merchant.move_to("other", theirs)

    other_worker = gateway_worker(duly.client, database, gateway, settings.model_copy(update={"provider": "other"}))
    async with other_worker:
        first, second = await duly.run("monthly"), await duly.run("others")

    assert totals(first) == {("charged", ""): (1, 2500), ("skipped", "pays_by_card_other"): (1, 700)}
    assert totals(second) == {("charged", ""): (1, 700)}
    assert (await merchant.balance(ours), await merchant.balance(theirs)) == (0, 0)
    assert await broken_invariants(merchant) == []
