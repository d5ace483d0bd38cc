"""The doctor compares the clocks."""

import pytest

from sandbox.servers.shown_clock import ShownClock
from sandbox.stripe.control.client import Fault, FaultKind, SandboxControl
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine, CommandResult
from tests.support.wrong_clocks import HOUR, SIX_MINUTES


def clocks(result: CommandResult) -> dict[str, str]:
    return next(check for check in result.document["checks"] if check["check"] == "clocks")


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("seconds", [HOUR, -SIX_MINUTES])
async def test_clocks_too_far_apart_are_wrong_and_it_says_whose(
    cli: CommandLine, merchant: Merchant, workers: None, database_clock: ShownClock, seconds: int
) -> None:
    database_clock.set(seconds)

    result = await cli("doctor", "--json")

    found = clocks(result)
    assert (result.exit_code, found["verdict"]) == (1, "wrong")
    assert found["found"].startswith("the clock of the database is ")
    assert ("ahead of" if seconds > 0 else "behind") in found["found"]
    assert "NTP" in found["advice"]


async def test_clocks_a_little_apart_are_a_warning(
    cli: CommandLine, merchant: Merchant, workers: None, gateway_clock: ShownClock
) -> None:
    gateway_clock.set(30)

    result = await cli("doctor", "--json")

    assert (result.exit_code, clocks(result)["verdict"]) == (0, "warning")


async def test_clocks_that_agree_are_as_they_must_be(cli: CommandLine, merchant: Merchant, workers: None) -> None:
    assert clocks(await cli("doctor", "--json"))["verdict"] == "ok"


@pytest.mark.parametrize(("seconds", "verdict"), [(HOUR, "wrong"), (0, "not checked")])
async def test_while_the_gateway_cannot_tell_the_database_is_held_against_this_machine(
    cli: CommandLine,
    merchant: Merchant,
    workers: None,
    database_clock: ShownClock,
    stripe_sandbox: SandboxControl,
    seconds: int,
    verdict: str,
) -> None:
    stripe_sandbox.add_fault(Fault(operation="GET *", kind=FaultKind.UNAVAILABLE_503))
    database_clock.set(seconds)

    found = clocks(await cli("doctor", "--json"))

    assert (found["verdict"], "the clock" in found["found"]) == (verdict, True)
