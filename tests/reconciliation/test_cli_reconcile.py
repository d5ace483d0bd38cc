"""`reconcile` and `invariants` on the command line: what an operator sees, decides, and is refused."""

import pytest
from sqlalchemy import text

from tests.fixtures.reconciling import ReconciliationClient
from tests.reconciliation.dashboard import pay
from tests.support.command_line import CommandLine

WHO = ("--actor", "maria", "--reason", "as agreed")


async def stranger_pays(reconciling: ReconciliationClient, amount_minor: int) -> None:
    stranger = await reconciling.stripe.v1.customers.create_async({})
    await pay(reconciling, stranger.id, amount_minor)


async def test_a_day_is_reconciled_and_its_certificate_shown(
    cli: CommandLine, reconciling: ReconciliationClient, period: str
) -> None:
    account = await reconciling.merchant.account()
    await reconciling.paid(account, period)

    started = await cli.json("reconcile", "start", "--young-minutes", "0")
    day = started["certificate"]["day"]
    shown = await cli.json("reconcile", "show", day)

    assert (started["agrees"], shown["certificate"]) == (True, started["certificate"])


async def test_what_differs_is_listed_with_its_age_owner_and_remedy(
    cli: CommandLine, reconciling: ReconciliationClient
) -> None:
    await stranger_pays(reconciling, 900)

    started = await cli("reconcile", "start", "--young-minutes", "0")
    (found,) = (await cli.json("reconcile", "list"))["discrepancies"]

    assert (started.exit_code, found["kind"], found["owner"]) == (1, "foreign_charge", "finance")
    assert found["first_seen_at"]
    assert f"reconcile resolve {found['id']}" in found["remedy"]


@pytest.mark.nightly
async def test_a_discrepancy_is_ended_by_who_and_why_and_not_found_again(
    cli: CommandLine, reconciling: ReconciliationClient
) -> None:
    await stranger_pays(reconciling, 900)
    await cli("reconcile", "start", "--young-minutes", "0")
    (found,) = (await cli.json("reconcile", "list"))["discrepancies"]

    resolved = await cli.json("reconcile", "resolve", found["id"], "--as", "explained", *WHO)
    again = await cli.json("reconcile", "start", "--young-minutes", "0")

    assert (resolved["state"], resolved["actor"], resolved["reason"]) == ("resolved", "maria", "as agreed")
    assert [(one["unbooked_minor"]) for one in again["certificate"]["balances"]] == [844]


@pytest.mark.nightly
async def test_money_of_nobody_is_booked_to_suspense_by_command(
    cli: CommandLine, reconciling: ReconciliationClient
) -> None:
    await stranger_pays(reconciling, 900)
    await cli("reconcile", "start", "--young-minutes", "0")
    (found,) = (await cli.json("reconcile", "list"))["discrepancies"]

    resolved = await cli.json("reconcile", "resolve", found["id"], "--as", "booked", *WHO)
    again = await cli.json("reconcile", "start", "--young-minutes", "0")

    assert (resolved["state"], resolved["number"][:4], again["agrees"]) == ("resolved", "PAY-", True)
    assert await reconciling.wrong() == []


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (("resolve", "disc_0", "--as", "explained", *WHO), "discrepancy_exists"),
        (("resolve", "disc_0", "--as", "explained", "--actor", " ", "--reason", "r"), "command_says_who_and_why"),
        (("show", "2026-01-01"), "day_is_certified"),
        (("start", "--day", "2199-01-01"), "day_is_due"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_its_rule(
    cli: CommandLine, reconciling: ReconciliationClient, arguments: tuple[str, ...], rule: str
) -> None:
    refused = await cli("reconcile", *arguments)

    assert refused.exit_code == 1
    assert rule in refused.stderr


async def test_invariants_hold_and_what_breaks_one_is_named(
    cli: CommandLine, reconciling: ReconciliationClient
) -> None:
    account = await reconciling.merchant.account(owes_minor=1000)
    good = await cli.json("invariants")
    async with reconciling.owner_engine.begin() as connection:
        await connection.execute(
            text("update duly.account_balances set version = version + 1 where account_id = :a"), {"a": account}
        )

    broken = await cli("invariants")

    assert good == {"holds": True, "violations": []}
    assert (broken.exit_code, account in broken.stdout) == (1, True)
