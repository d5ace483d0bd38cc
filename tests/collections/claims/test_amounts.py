"""A claim on an amount: the rest of an invoice is anybody's, and all claims never come to more than is open."""

import pytest

from activities.collections.collect import CollectActivities
from activities.database import Database, RuleBrokenError
from models.collections.collection import CollectionRequest, Stage
from models.gateway.gateway_request import CollectOutcome
from models.workflow_ids import WORKFLOW_QUEUE, collection_id
from sandbox.stripe.control.client import SandboxControl
from tests.collections.claims.claiming import ask, start
from tests.runs.test_runs import totals
from tests.runs.test_who_is_due import freeze, frozen
from tests.support.attempts import broken_invariants, charged, request_for
from tests.support.builders import Merchant, declined
from tests.support.running_duly import RunningDuly
from workflows.collections.collection import Collection

NO = declined("insufficient_funds")
PART, OTHER = "2026-11-part", "2026-11-other"


async def owed(merchant: Merchant, account: str, name: str) -> int:
    """What a receivable may ask for now."""
    return int(
        await merchant.value(
            "select duly.owed_to(account_id, period, invoices) from duly.collections"
            " where account_id = :account and period = :name",
            account=account,
            name=name,
        )
    )


async def claims(merchant: Merchant) -> dict[tuple[str, str], int | None]:
    rows = await merchant.run("select period, invoice_id, amount_minor from duly.claims")
    return {(row.period, row.invoice_id): row.amount_minor for row in rows}


async def test_a_part_is_charged_and_the_months_run_takes_the_rest(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=12000)

    result = await (await start(duly, account, PART, 5000)).result()
    certificate = await duly.run()

    assert (result.stage, result.amount_minor) == (Stage.SETTLED, 5000)
    assert totals(certificate) == {("charged", ""): (1, 7000)}
    assert (charged(stripe_sandbox), await merchant.balance(account)) == ((2, 12000), 0)
    assert (await claims(merchant), await broken_invariants(merchant)) == ({}, [])


async def test_two_parts_of_an_invoice_are_collected_side_by_side(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=12000, answers=[NO, NO])

    first = await start(duly, account, PART, 5000)
    second = await start(duly, account, OTHER, 7000)
    results = [await first.result(), await second.result()]

    assert [result.amount_minor for result in results] == [5000, 7000]
    assert (charged(stripe_sandbox), await merchant.balance(account)) == ((2, 12000), 0)


async def test_what_nobody_claims_is_all_that_a_run_plans_while_a_part_is_collected(
    merchant: Merchant, database: Database
) -> None:
    account = await merchant.account(owes_minor=12000)
    await ask(database, account, PART, 5000)

    await freeze(database)

    assert await frozen(merchant) == {account: "7000 EUR, visa 4242"}


async def test_a_run_passes_over_what_is_claimed_to_the_last_cent(merchant: Merchant, database: Database) -> None:
    account = await merchant.account(owes_minor=12000)
    await ask(database, account, PART, 5000)
    await ask(database, account, OTHER, 7000)

    await freeze(database)

    assert await frozen(merchant) == {account: "in_collection"}


async def test_no_more_is_claimed_than_is_open(merchant: Merchant, database: Database) -> None:
    account = await merchant.account(owes_minor=12000)
    await ask(database, account, PART, 5000)

    with pytest.raises(RuleBrokenError, match=r"70\.01 EUR is more than the 70\.00 EUR") as refused:
        await ask(database, account, OTHER, 7001)
    assert refused.value.type == "amount_collectable"
    await ask(database, account, OTHER, 7000)
    assert {name: amount for (name, _), amount in (await claims(merchant)).items()} == {PART: 5000, OTHER: 7000}


async def test_whoever_takes_all_takes_what_the_others_leave(merchant: Merchant, database: Database) -> None:
    account = await merchant.account(owes_minor=12000)
    await ask(database, account, PART, 5000)

    await ask(database, account, OTHER, None)

    assert [await owed(merchant, account, name) for name in (PART, OTHER)] == [5000, 7000]
    with pytest.raises(RuleBrokenError) as refused:
        await ask(database, account, "2026-11-third", 1)
    assert refused.value.type == "amount_collectable"


async def test_an_amount_goes_over_the_oldest_invoices_first(merchant: Merchant, database: Database) -> None:
    account = await merchant.account()
    first, second, third = [await merchant.invoice(account, 1000) for _ in range(3)]

    await ask(database, account, PART, 1500)
    await ask(database, account, OTHER, 700, second, third)

    assert await claims(merchant) == {
        (PART, first): 1000,
        (PART, second): 500,
        (OTHER, second): 500,
        (OTHER, third): 200,
    }


async def test_a_credit_that_comes_in_between_goes_off_the_youngest_claims(
    merchant: Merchant, database: Database
) -> None:
    account = await merchant.account(owes_minor=12000)
    await ask(database, account, PART, 5000)
    await ask(database, account, OTHER, 7000)

    await merchant.transfer(account, 6000)
    after_one = [await owed(merchant, account, name) for name in (PART, OTHER)]
    await merchant.transfer(account, 4000)
    after_two = [await owed(merchant, account, name) for name in (PART, OTHER)]

    assert (after_one, after_two) == ([5000, 1000], [2000, 0])


async def test_what_is_under_way_comes_before_an_older_claim(
    merchant: Merchant, database: Database, collecting: CollectActivities, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=12000)
    await ask(database, account, PART, 5000)
    await ask(database, account, OTHER, 6000)
    await database.call(
        "open_attempt",
        account_id=account,
        period=OTHER,
        provider_id="stripe",
        run_id="",
        attempt=1,
        cause="scheduled",
        card_id="",
    )
    await merchant.transfer(account, 10000)

    older = await collecting.collect(request_for(account, period=PART))
    sent = await collecting.collect(request_for(account, period=OTHER))

    assert (older.outcome, sent.amount_minor) == (CollectOutcome.NOTHING_OWED, 6000)
    assert charged(stripe_sandbox) == (1, 6000)


async def test_a_retry_charges_what_is_left_of_the_amount(
    merchant: Merchant, database: Database, collecting: CollectActivities, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=12000, answers=[NO])
    await ask(database, account, PART, 5000)
    await collecting.collect(request_for(account, period=PART))
    await merchant.transfer(account, 9000)

    result = await collecting.collect(request_for(account, period=PART, attempt=2))

    assert (result.outcome, result.amount_minor) == (CollectOutcome.SETTLED, 3000)
    assert (charged(stripe_sandbox), await merchant.balance(account)) == ((1, 3000), 0)


async def test_what_is_paid_is_asked_for_no_more_while_its_collection_is_open(
    merchant: Merchant, database: Database, collecting: CollectActivities
) -> None:
    account = await merchant.account(owes_minor=12000)
    await ask(database, account, PART, 5000)

    await collecting.collect(request_for(account, period=PART))

    assert await owed(merchant, account, PART) == 0
    assert not await database.call("is_owed", account_id=account, period=PART)
    await ask(database, account, OTHER, 7000)
    assert await owed(merchant, account, OTHER) == 7000


async def test_an_amount_paid_by_other_means_is_the_amount_alone(merchant: Merchant, database: Database) -> None:
    account = await merchant.account(owes_minor=12000)
    await ask(database, account, PART, 5000)

    await database.call(
        "record_paid_outside", account_id=account, period=PART, reference="b-1", method="bank_transfer", actor="ada"
    )

    assert await merchant.balance(account) == 7000
    assert not await database.call("is_owed", account_id=account, period=PART)


async def test_an_amount_that_is_given_up_writes_no_invoice_off(merchant: Merchant, database: Database) -> None:
    account = await merchant.account(owes_minor=12000)
    await ask(database, account, PART, 5000)

    await database.call(
        "close_collection",
        account_id=account,
        period=PART,
        stage="given_up",
        reason="attempts_used_up",
        action="write_off",
    )

    assert (await merchant.balance(account), await claims(merchant)) == (12000, {})


async def test_what_was_let_go_is_taken_by_whoever_takes_all(merchant: Merchant, database: Database) -> None:
    account = await merchant.account(owes_minor=12000)
    await ask(database, account, PART, 5000)
    await ask(database, account, OTHER, None)

    await database.call(
        "close_collection", account_id=account, period=PART, stage="given_up", reason="cancelled", action="nothing"
    )

    assert await owed(merchant, account, OTHER) == 12000


@pytest.mark.parametrize(
    ("amount", "currency", "field"), [(-1, "EUR", "amount_minor"), (5000, "", "currency"), (0, "EUR", "currency")]
)
async def test_an_amount_that_makes_no_sense_is_refused_at_the_start(
    duly: RunningDuly, merchant: Merchant, amount: int, currency: str, field: str
) -> None:
    account = await merchant.account(owes_minor=12000)

    handle = await duly.client.start_workflow(
        Collection.run,
        CollectionRequest(account, PART, amount_minor=amount, currency=currency),
        id=collection_id(account, PART),
        task_queue=WORKFLOW_QUEUE,
    )

    with pytest.raises(Exception) as refused:  # noqa: PT011  # the client's error around ours
        await handle.result()
    assert field in str(refused.value.__cause__)
    assert await claims(merchant) == {}
