"""A live key never works for a provider in test mode, nor the other way round; a stopped one is asked nothing new."""

import pytest
from pydantic import SecretStr
from temporalio.client import WorkflowUpdateFailedError

from activities.gateway.mode import WrongModeError
from models.collections.collection import Stage
from models.gateway.gateway_request import CollectOutcome
from models.refunds.refund import RefundOutcome, RefundStatus
from sandbox.stripe.control.client import SandboxControl
from settings import Settings
from tests.fixtures.refunds import RefundClient
from tests.refunds.test_refund_runs import counted, run
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.running_duly import RunningDuly
from webhook import serve
from worker import Role, run_worker
from workflows.collections.collection import Collection


@pytest.mark.parametrize(("key", "mode"), [("sk_live_duly", "test"), ("rk_test_duly", "live")])
@pytest.mark.parametrize("role", [Role.ALL, Role.GATEWAY])
async def test_a_worker_does_not_start_with_a_key_of_the_other_mode(
    settings: Settings, merchant: Merchant, key: str, mode: str, role: Role
) -> None:
    await merchant.run("update duly.providers set mode = :mode", mode=mode)
    wrong = settings.model_copy(update={"stripe_api_key": SecretStr(key)})

    with pytest.raises(WrongModeError, match=f"provider stripe is in {mode} mode"):
        await run_worker(wrong, role)


@pytest.mark.parametrize(("key", "mode"), [("sk_live_duly", "test"), ("rk_test_duly", "live")])
async def test_a_receiver_does_not_take_the_events_of_the_other_mode_for_its_providers(
    settings: Settings, merchant: Merchant, key: str, mode: str
) -> None:
    await merchant.run("update duly.providers set mode = :mode", mode=mode)
    wrong = settings.model_copy(update={"stripe_api_key": SecretStr(key)})

    with pytest.raises(WrongModeError, match=f"provider stripe is in {mode} mode"):
        await serve(wrong, "127.0.0.1", 0)


async def test_a_worker_that_started_before_its_provider_got_another_mode_charges_nothing(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    await merchant.account("acc_1", owes_minor=2500)
    await merchant.run("update duly.providers set mode = 'live'")

    handle = await duly.start_collection("acc_1")
    first = await handle.execute_update(Collection.first_outcome)

    assert first.outcome is CollectOutcome.PROVIDER_NOT_EFFECTIVE
    assert stripe_sandbox.request_counts().get("POST /v1/payment_intents", 0) == 0
    await merchant.run("update duly.providers set mode = 'test'")
    assert (await handle.result()).stage is Stage.SETTLED


async def test_a_collection_waits_visibly_while_its_provider_is_not_effective(
    duly: RunningDuly, merchant: Merchant
) -> None:
    await merchant.account("acc_1", owes_minor=2500)
    await stop_provider(merchant)

    handle = await duly.start_collection("acc_1")
    first = await handle.execute_update(Collection.first_outcome)
    status = await handle.query(Collection.status)

    assert first.outcome is CollectOutcome.PROVIDER_NOT_EFFECTIVE
    assert (status.stage, status.next_action) == (Stage.DUNNING, "is stripe effective again?")
    assert await merchant.value("select count(*) from duly.gateway_attempts") == 0
    await start_provider(merchant)
    assert (await handle.result()).stage is Stage.SETTLED


async def test_a_refund_waits_visibly_while_its_provider_is_not_effective_and_goes_out_once_it_is(
    refunds: RefundClient,
) -> None:
    [payment] = await refunds.paid(2500)
    await stop_provider(refunds.merchant)

    first = await refunds.start(payment, 1000, name="rf_stopped")
    status = await refunds.workflow("rf_stopped").query("status", result_type=RefundStatus)

    assert (first.outcome, first.amount_minor) == (RefundOutcome.PROVIDER_NOT_EFFECTIVE, 1000)
    assert status.next_action == "is stripe effective again?"
    assert refunds.sandbox.movements().totals[0].refunds.count == 0
    await start_provider(refunds.merchant)
    await refunds.duly.environment.sleep(2 * 3600)
    again = await refunds.workflow("rf_stopped").query("status", result_type=RefundStatus)
    assert again.result is not None
    assert (again.result.outcome, again.result.attempt) == (RefundOutcome.REFUNDED, 1)
    assert refunds.sandbox.movements().totals[0].refunds.count == 1
    assert await refunds.wrong() == []


async def test_a_refund_that_waits_is_counted_as_given_back(refunds: RefundClient) -> None:
    [payment] = await refunds.paid(2500)
    await stop_provider(refunds.merchant)
    await refunds.start(payment, 2000)

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await refunds.start(payment, 1000)

    assert getattr(refused.value.cause, "type", "") == "refund_within_captured"


async def test_a_refund_that_was_reserved_before_its_provider_was_stopped_is_not_sent(refunds: RefundClient) -> None:
    await refunds.merchant.configure("[refund_rules]\nrefunds_credit = true")
    [payment] = await refunds.paid(700)
    account = await refunds.account_of(payment)
    await refunds.merchant.run("select duly.create_payment('again', :account, 700, 'EUR', 'cash')", account=account)
    await stop_provider(refunds.merchant)

    certificate = await run(refunds)

    assert counted(certificate) == [("credit", "under_way", 1, 0)]
    assert refunds.sandbox.movements().totals[0].refunds.count == 0


@pytest.mark.parametrize("words", [("webhooks", "apply", "--url", "https://duly.example/hooks"), ("recover", "read")])
async def test_a_command_asks_nothing_with_a_key_of_the_other_mode(
    cli: CommandLine, merchant: Merchant, stripe_sandbox: SandboxControl, words: tuple[str, ...]
) -> None:
    await merchant.run("update duly.providers set mode = 'live'")
    before = stripe_sandbox.request_counts()

    refused = await cli(*words, "--json")

    assert (refused.exit_code, refused.rules) == (1, [("STRIPE_API_KEY", "key_of_mode")])
    assert "a test key and provider stripe is in live mode" in refused.stderr
    assert stripe_sandbox.request_counts() == before


async def test_an_address_is_registered_before_its_provider_is_configured(cli: CommandLine) -> None:
    made = await cli.json("webhooks", "apply", "--url", "https://duly.example/hooks")

    assert made["change"] == "created"


async def stop_provider(merchant: Merchant) -> None:
    await merchant.run("update duly.providers set state = 'not_effective'")


async def start_provider(merchant: Merchant) -> None:
    await merchant.run("update duly.providers set state = 'effective'")
