"""`merchants`: an operator switches a merchant on, connects it, sees what is missing, disconnects and reconnects it."""

from sandbox.stripe.control.client import AccountReview, SandboxControl
from tests.merchants.onboarding import EMAIL, participating
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.run_control import until

WHO = ("--actor", "maria", "--reason", "as agreed")
OWNER = ("--email", EMAIL, "--country", "de")


async def test_a_merchant_is_switched_on_connected_disconnected_and_reconnected(
    cli: CommandLine, workers: None, merchant: Merchant, period: str, stripe_sandbox: SandboxControl
) -> None:
    id = await participating(merchant, f"cafe-{period}", is_on=False)

    off = await cli("merchants", "connect", id, *OWNER, *WHO)
    await cli.json("merchants", "enable", id, *WHO)
    connected = await cli.json("merchants", "connect", id, *OWNER, *WHO)
    account = connected["gateway_account"]
    stripe_sandbox.review_account(
        account,
        AccountReview(
            charges_enabled=True, details_submitted=True, payouts_enabled=True, capability="active", disabled_reason=""
        ),
    )
    refreshed = await cli.json("merchants", "refresh", id, *WHO)
    listed = await cli.json("merchants", "list")
    disconnected = await cli.json("merchants", "disconnect", id, *WHO, "--yes")
    wrong = await cli("merchants", "reconnect", id, "--account", account, "--email", "a@b.example", *WHO)
    again = await cli.json("merchants", "reconnect", id, "--account", account, "--email", EMAIL, *WHO)
    shown = await cli.json("merchants", "show", id)

    assert off.exit_code == 1
    assert f"`merchants enable {id}`" in off.stderr
    assert (connected["state"], connected["url"].rpartition("/")[0]) == ("pending", "http://127.0.0.1:8000/connect")
    assert refreshed["state"] == "successful"
    row = next(one for one in listed["merchants"] if one["id"] == id)
    assert (row["state"], row["gateway_account"], row["takes_payments"]) == ("successful", account, True)
    assert disconnected["state"] == "disconnected"
    assert "email_of_account" in wrong.stderr
    assert again["gateway_account"] == account
    assert [one["change"] for one in shown["history"]][:3] == ["switched_on", "connected", "account_made"]
    assert {one["actor"] for one in shown["history"] if one["change"] == "disconnected"} == {"maria"}


async def test_what_is_missing_is_shown_and_nothing_of_it_is_asked_twice(
    cli: CommandLine, workers: None, merchant: Merchant, period: str
) -> None:
    id = await participating(merchant, f"shop-{period}")

    connected = await cli.json("merchants", "connect", id, *OWNER, *WHO)
    await cli.json("merchants", "connect", id, *OWNER, *WHO)

    async def is_read() -> bool:
        return bool((await cli.json("merchants", "show", id))["connection"]["missing"])

    await until(is_read)
    shown = await cli("merchants", "show", id)

    assert "business_type" in shown.shown
    assert connected["url"] in shown.shown
    assert len((await merchant.stripe.v1.accounts.list_async()).data) == 1


async def test_a_merchant_is_disconnected_without_any_worker(cli: CommandLine, merchant: Merchant, period: str) -> None:
    id = await participating(merchant, f"alone-{period}")
    await merchant.run(
        "select duly.open_merchant_connection(:id, 'stripe', 'owner@shop.example', 'DE', false, 'maria', '')", id=id
    )

    answer = await cli.json("merchants", "disconnect", id, *WHO, "--yes")

    assert answer["state"] == "disconnected"
    assert await merchant.value("select closed_at is not null from duly.merchant_connections")


async def test_bad_terms_name_field_and_rule(cli: CommandLine, merchant: Merchant, period: str) -> None:
    id = await participating(merchant, f"bad-{period}")

    address = await cli("merchants", "connect", id, "--email", "nobody", "--country", "DE", *WHO)
    country = await cli("merchants", "connect", id, "--email", EMAIL, "--country", "Germany", *WHO)
    unknown = await cli("merchants", "show", "nobody")
    never = await cli("merchants", "disconnect", id, *WHO, "--yes")

    assert "email: is no e-mail address" in address.stderr
    assert country.exit_code == 1
    assert "country" in country.stderr
    assert "merchant_exists" in unknown.stderr
    assert "merchant_connection_exists" in never.stderr
    assert await merchant.value("select count(*) from duly.merchant_connections") == 0


async def test_the_endpoint_of_merchants_events_is_one_of_its_own(
    cli: CommandLine, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    del stripe_sandbox
    url = ("--url", "http://127.0.0.1:1/webhooks/stripe")

    own = await cli.json("webhooks", "apply", *url)
    of_merchants = await cli.json("webhooks", "apply", *url, "--merchants")
    again = await cli.json("webhooks", "apply", *url, "--merchants")

    assert own["reference"] != of_merchants["reference"] == again["reference"]
    assert (of_merchants["change"], again["change"]) == ("created", "unchanged")
    endpoints = (await merchant.stripe.v1.webhook_endpoints.list_async()).data
    types = {bool(one.application): one.enabled_events for one in endpoints}
    assert {"account.updated", "payment_intent.succeeded"} <= set(types[True])
    assert "account.updated" not in types[False]
