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
