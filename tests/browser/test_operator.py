"""An operator with nothing but the Temporal UI: finds, understands, and steers what was declined."""

import pytest
from temporalio.client import Client, WorkflowHandle

from commands.operations.saved_views import VIEWS, filled_in, link_of, query_of
from models.collections.collection import CollectionResult, Stage
from models.runs.process_run import Certificate, RunKind, RunRequest
from models.workflow_ids import WORKFLOW_QUEUE, collection_id, payment_run_id, shard_id
from tests.browser.operators import NAMESPACE, Operator
from tests.support.builders import Merchant, declined
from workflows.runs.payment_run import PaymentRun
from workflows.visibility import run_label

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

CARDS = ("pm_card_visa", "pm_card_mastercard", "pm_card_amex", "pm_card_de", "pm_card_discover")
DECLINES = {4: "insufficient_funds", 9: "expired_card", 13: "insufficient_funds", 18: "stolen_card", 22: "do_not_honor"}


async def month(
    client: Client, merchant: Merchant, period: str, accounts: int
) -> WorkflowHandle[PaymentRun, Certificate]:
    """Collect a month from accounts some of which are declined; return the run when it is over."""
    await merchant.run("update duly.run_definitions set shards = 1 where id = 'monthly'")
    for number in range(1, accounts + 1):
        await merchant.account(
            f"acc_{number:06}",
            cards=(CARDS[number % len(CARDS)],),
            answers=[declined(DECLINES[number])] if number in DECLINES else (),
            owes_minor=990 + 1375 * (number * 7 % 11),
        )
    run_id, request = payment_run_id("monthly", period), RunRequest("monthly", period, not_due_yet=True)
    run = await client.start_workflow(
        PaymentRun.run,
        request,
        id=run_id,
        task_queue=WORKFLOW_QUEUE,
        **run_label(RunKind.PAYMENT, request, run_id),
    )
    await run.result()
    return run


@pytest.mark.nightly
async def test_an_operator_finds_a_declined_collection_by_its_account_and_has_it_tried_again(
    ui_client: Client, merchant: Merchant, operator: Operator
) -> None:
    await month(ui_client, merchant, "2026-11", accounts=5)
    collection = collection_id("acc_000004", "2026-11")

    await operator.open_list()
    await operator.filter_by("AccountId", "acc_000004")
    found = await operator.listed(1)
    await operator.open(collection)
    before = await operator.details("dunning")
    await operator.send_update("retry_now", {"actor": "maria", "reason": "the customer called"})
    await operator.sees("Completed")
    await operator.page.reload()
    after = await operator.details("settled")

    assert found[0] == collection
    assert "acc_000004 " in before
    assert "retry 1, after insufficient_funds" in before
    assert "retry_now tries at once" in before
    assert "retry now, says maria: the customer called" in after
    handle = ui_client.get_workflow_handle(collection, result_type=CollectionResult)
    result = await handle.result()
    assert (result.stage, result.attempts) == (Stage.SETTLED, 2)
    assert await merchant.balance("acc_000004") == 0


@pytest.mark.nightly
async def test_an_operator_follows_a_run_to_a_payment_and_keeps_a_list_of_what_waits(
    ui_client: Client, merchant: Merchant, operator: Operator
) -> None:
    run = await month(ui_client, merchant, "2026-12", accounts=24)
    declined_account = collection_id("acc_000013", "2026-12")
    shard = ui_client.get_workflow_handle(shard_id(run.id, 0))
    first = (await shard.describe()).raw_description.workflow_execution_info.first_run_id
    values = filled_in((await run.describe()).start_time, run=run.id)
    view = next(view for view in VIEWS if view.name == "Collections of a run")

    await operator.go_to(run.id, run.first_execution_run_id or "")
    certificate = await operator.details("completed")
    await operator.picture("payment-run", 900)
    await operator.go_to(shard.id, first)
    payment = await operator.timeline("collect.*acc_000024")
    await operator.picture("shard-timeline", 1000)
    await operator.choose_columns()
    await operator.page.goto(link_of(view, query_of(view, values), ui_url=operator.ui_url, namespace=NAMESPACE))
    collections = await operator.listed(len(DECLINES))
    kept = await operator.page.get_by_text(view.name).first.inner_text()
    await operator.picture("list", 620)
    await operator.open(declined_account)
    await operator.details("dunning")
    await operator.picture("collection", 1380)

    assert "24 members, each with one outcome" in certificate
    assert "acc_000024: 51.15 EUR, discover 1117" in payment
    assert declined_account in collections
    assert kept == view.name
