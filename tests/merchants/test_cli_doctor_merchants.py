"""`doctor` looks after merchants' own accounts, where there are any: Connect, the endpoint of events, each account."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.stripe.control.client import AccountReview, SandboxControl
from sandbox.stripe.control.messages import AccountSettings
from tests.merchants.onboarding import EMAIL, participating
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

WHO = ("--actor", "maria", "--reason", "as agreed")
ABOUT_MERCHANTS = ("Stripe Connect", "events of merchants", "merchant")


async def findings(cli: CommandLine) -> dict[str, dict[str, Any]]:
    """What is found about merchants, by the name of the check."""
    checks = (await cli("doctor", "--json")).document["checks"]
    return {one["check"]: one for one in checks if one["check"].startswith(ABOUT_MERCHANTS)}


@pytest.fixture
async def account(cli: CommandLine, workers: None, merchant: Merchant, bakery: str) -> str:
    """The account of a merchant that is connected."""
    connected = await cli.json("merchants", "connect", bakery, "--email", EMAIL, "--country", "DE", *WHO)
    return str(connected["gateway_account"])


def review(**other: Any) -> AccountReview:
    """Where an account stands that is in order, or what is otherwise."""
    good: dict[str, Any] = {
        "charges_enabled": True,
        "details_submitted": True,
        "payouts_enabled": True,
        "capability": "active",
        "disabled_reason": "",
        "currently_due": [],
        "past_due": [],
    }
    return AccountReview(**(good | other))


async def test_nothing_is_said_where_no_merchant_is_switched_on(cli: CommandLine, merchant: Merchant) -> None:
    await participating(merchant, "nobody-s", is_on=False)

    assert await findings(cli) == {}


async def test_the_endpoint_of_merchants_events_is_missed_until_it_is_there(
    cli: CommandLine, merchant: Merchant, bakery: str
) -> None:
    url = ("--url", "http://127.0.0.1:1/webhooks/stripe")
    await cli.json("webhooks", "apply", *url)

    without = await findings(cli)
    await cli.json("webhooks", "apply", *url, "--merchants")
    endpoints = (await merchant.stripe.v1.webhook_endpoints.list_async()).data
    of_merchants = next(one for one in endpoints if one.application)
    having = await findings(cli)
    await merchant.stripe.v1.webhook_endpoints.update_async(of_merchants.id, {"enabled_events": ["account.updated"]})
    partly = await findings(cli)

    assert without["events of merchants"]["verdict"] == "warning"
    assert "`duly webhooks apply --merchants --url URL`" in without["events of merchants"]["advice"]
    assert having["events of merchants"]["verdict"] == "ok"
    assert "capability.updated" in partly["events of merchants"]["advice"]
    assert f"`duly merchants connect {bakery}`" in having[f"merchant {bakery}"]["advice"]


async def test_a_platform_that_has_not_signed_up_for_connect_is_told_so(
    cli: CommandLine, bakery: str, stripe_sandbox: SandboxControl
) -> None:
    stripe_sandbox.set_account_settings(AccountSettings(is_platform=False))

    found = await findings(cli)

    assert found["Stripe Connect"]["verdict"] == "wrong"
    assert "platform_account_required" in found["Stripe Connect"]["found"]
    assert found["merchants' accounts"]["verdict"] == "not checked"


@pytest.mark.nightly
async def test_each_merchants_account_is_judged_by_what_stripe_says_of_it(
    cli: CommandLine, account: str, bakery: str, stripe_sandbox: SandboxControl
) -> None:
    check, judged = f"merchant {bakery}", []
    tenth = datetime(2030, 1, 10, tzinfo=UTC)
    for seen in (
        review(),
        review(currently_due=["company.tax_id"], current_deadline=int(tenth.timestamp())),
        review(payouts_enabled=False),
        review(charges_enabled=False, capability="inactive", past_due=["external_account"]),
        review(charges_enabled=False, capability="inactive", disabled_reason="rejected.fraud"),
    ):
        stripe_sandbox.review_account(account, seen)
        found = await findings(cli)
        judged.append((found.get(check, {}).get("verdict"), found.get(check, {}).get("found", "")))
    stripe_sandbox.disconnect(account)
    gone = await findings(cli)

    assert judged == [
        (None, ""),
        ("warning", judged[1][1]),
        ("warning", "takes payments, and is paid out nothing"),
        ("warning", "takes no payments: 1 things are missing"),
        ("wrong", "is restricted: rejected.fraud"),
    ]
    assert "2030-01-10" in judged[1][1]
    assert gone[check]["advice"]
    assert gone[check]["verdict"] in {"wrong", "warning"}


async def test_a_merchant_that_the_platform_pays_needs_a_provider_of_its_account(
    cli: CommandLine, workers: None, merchant: Merchant, bakery: str, stripe_sandbox: SandboxControl
) -> None:
    await merchant.run("update duly.merchants set flow = 'destination' where id = :id", id=bakery)
    connected = await cli.json("merchants", "connect", bakery, "--email", EMAIL, "--country", "DE", *WHO)
    stripe_sandbox.review_account(connected["gateway_account"], review())

    without = await findings(cli)
    await merchant.run("insert into duly.providers (id, gateway, mode) values ('bakery', 'stripe', 'test')")
    await merchant.run("select duly.assign_provider('bakery', :id)", id=bakery)
    having = await findings(cli)

    assert "its account has no provider" in without[f"merchant {bakery}"]["found"]
    assert f"merchant {bakery}" not in having
