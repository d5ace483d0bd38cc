"""A key of another account: nothing is sent with it, nothing that is there is believed, and it says so."""

import pytest

from activities.database import Database
from activities.gateway.stripe_gateway import StripeGateway
from activities.recovery.account import WrongAccountError
from activities.recovery.watch import RestoreWatch
from sandbox.stripe.control.client import SandboxControl
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine


@pytest.fixture
async def witness(merchant: Merchant, database: Database, gateway: StripeGateway) -> str:
    """The customer that stands for the installation since its first worker has started."""
    await RestoreWatch(database, "stripe", gateway, None).compare()
    return str(await merchant.value("select reference from duly.gateway_witnesses where provider_id = 'stripe'"))


async def test_a_process_that_starts_with_a_key_of_another_account_sends_nothing(
    witness: str, database: Database, gateway: StripeGateway, stripe_sandbox: SandboxControl
) -> None:
    stripe_sandbox.reset()  # another account: it has nothing of ours

    with pytest.raises(WrongAccountError, match=f"another account than provider stripe's, which has {witness}"):
        await RestoreWatch(database, "stripe", gateway, None).compare()

    assert [asked for asked in stripe_sandbox.request_counts() if not asked.startswith("GET")] == []


async def test_a_process_that_starts_with_another_key_of_the_account_goes_on(
    witness: str, database: Database, gateway: StripeGateway, merchant: Merchant
) -> None:
    await RestoreWatch(database, "stripe", gateway, None).compare()

    assert await merchant.value("select reference from duly.gateway_witnesses") == witness


async def test_the_customer_that_stands_for_the_installation_may_be_deleted(
    witness: str, database: Database, gateway: StripeGateway, merchant: Merchant
) -> None:
    await merchant.stripe.v1.customers.delete_async(witness)

    await RestoreWatch(database, "stripe", gateway, None).compare()

    assert await merchant.value("select reference from duly.gateway_witnesses") != witness


@pytest.mark.parametrize("words", [("webhooks", "apply", "--url", "https://duly.example/hooks"), ("recover", "read")])
async def test_a_command_with_a_key_of_another_account_does_nothing(
    witness: str, cli: CommandLine, stripe_sandbox: SandboxControl, words: tuple[str, ...]
) -> None:
    stripe_sandbox.reset()

    refused = await cli(*words, "--json")

    assert (refused.exit_code, refused.rules) == (1, [("STRIPE_API_KEY", "key_of_account")])
    assert [asked for asked in stripe_sandbox.request_counts() if not asked.startswith("GET")] == []


async def test_doctor_says_that_the_key_is_another_accounts(
    witness: str, cli: CommandLine, stripe_sandbox: SandboxControl
) -> None:
    stripe_sandbox.reset()

    found = await cli("doctor", "--json")

    assert "another account than provider stripe's" in found.stdout
