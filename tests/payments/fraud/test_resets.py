"""A collection that a rule holds is reset by a person: it is held as before, and charged once when it is released."""

import pytest
from temporalio.client import Client

from sandbox.stripe.control.client import SandboxControl
from tests.payments.fraud.test_holds import ABOVE, ALERTS, BY, is_settled
from tests.supervision.pressing import reset
from tests.support.attempts import broken_invariants, charged
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.run_control import until


@pytest.mark.nightly
@pytest.mark.usefixtures("workers")
async def test_what_is_held_is_held_after_a_reset_and_charged_once_when_it_is_released(
    cli: CommandLine, merchant: Merchant, stripe_sandbox: SandboxControl, temporal_server: Client
) -> None:
    await merchant.configure(ABOVE)
    account = await merchant.account(owes_minor=20000)
    ordered = await cli.json("payments", "create", account, "--amount", "150", "--id", "p1", *BY)
    period = await merchant.value("select period from duly.charge_holds")

    await reset(temporal_server, f"collection/{account}/{period}")
    held = (await cli.json("fraud", "holds"))["holds"]
    charges = charged(stripe_sandbox)
    released = await cli.json("fraud", "release", account, period, *BY)
    await until(lambda: is_settled(merchant))
    await reset(temporal_server, f"collection/{account}/{period}")
    again = await cli.json("fraud", "release", account, period, *BY)

    assert (ordered["first_outcome"]["code"], [one["amount_minor"] for one in held]) == ("held_by_rule", [15000])
    assert (charges, released["was_so"], again["was_so"]) == ((0, 0), False, True)
    assert (charged(stripe_sandbox), await merchant.value(ALERTS)) == ((1, 15000), 1)
    assert await broken_invariants(merchant) == []
