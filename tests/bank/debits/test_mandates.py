"""What an account pays by is one mandate at a time: another one is signed when the first has ended."""

from pathlib import Path

import pytest

from activities.database import Database
from tests.bank.debits.direct_debits import BY, IBAN, OTHER_IBAN, DirectDebits
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine


@pytest.fixture
async def debits(merchant: Merchant, cli: CommandLine, database: Database, tmp_path: Path) -> DirectDebits:
    """A company that collects by bank debit."""
    debits = DirectDebits(merchant, cli, database, tmp_path)
    await debits.set_up()
    return debits


async def test_a_second_mandate_is_signed_when_the_first_is_cancelled_and_debits_are_by_it(
    debits: DirectDebits,
) -> None:
    account = await debits.payer("c1")
    of = ("--iban", OTHER_IBAN, "--payer", "Ann", "--provider", "sepa", "--signed-on", "2026-02-01")

    refused = await debits.cli("mandates", "create", account, "M-second", *of, *BY)
    await debits.cli.json("mandates", "cancel", "M-c1", "--yes", *BY)
    await debits.cli.json("mandates", "create", account, "M-second", *of, *BY)
    await debits.collect(account)

    assert (refused.exit_code, "another mandate of c1 is in use" in refused.stderr) == (1, True)
    assert await debits.merchant.value("select mandate_id from duly.debits") == "M-second"


async def test_the_reference_of_a_mandate_is_of_one_account_and_bank_account(debits: DirectDebits) -> None:
    await debits.payer("c1")
    other = await debits.merchant.account("c2", cards=(), owes_minor=2500)
    of = ("--payer", "Ann", "--provider", "sepa", "--signed-on", "2026-02-01")

    again = await debits.cli("mandates", "create", "c1", "M-c1", "--iban", IBAN, *of, *BY)
    for account, iban in ((other, IBAN), ("c1", OTHER_IBAN)):
        refused = await debits.cli("mandates", "create", account, "M-c1", "--iban", iban, *of, *BY)
        assert (refused.exit_code, "another mandate's reference" in refused.stderr) == (1, True)

    assert again.exit_code == 0
    assert await debits.merchant.value("select count(*) from duly.mandates") == 1


@pytest.mark.parametrize("time_zone", ["Etc/GMT+12", "Etc/GMT-14"])
async def test_a_mandate_is_signed_today_where_the_creditor_is_and_lasts_from_then_on(
    debits: DirectDebits, time_zone: str
) -> None:
    await debits.merchant.run("update duly.creditors set time_zone = :zone", zone=time_zone)
    account = await debits.payer("c1", signed_on="")
    # It was used long ago, and the payer's bank has stopped it since.
    await debits.merchant.run(
        "update duly.mandates set state = 'suspended', signed_on = '2020-01-15',"
        " last_used_on = current_date - interval '36 months' + interval '10 days'"
    )

    signed = await debits.cli.json("mandates", "sign", "M-c1", *BY)
    # Signed anew, it is not over because its last debit was long ago.
    await debits.merchant.run("update duly.mandates set last_used_on = '2020-02-15'")
    shown = await debits.mandate(account)

    today = await debits.merchant.value("select (now() at time zone :zone)::date", zone=time_zone)
    assert (signed["state"], shown["state"], signed["signed_on"]) == ("active", "active", today.isoformat())
    await debits.merchant.run("update duly.creditors set notice_days = 14")
    assert (await debits.collect(account)).code == "answers_later"
