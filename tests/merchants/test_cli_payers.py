"""`merchants assign` and `release`: whose payments the platform takes for a merchant, and what `show` says of it."""

from pathlib import Path

from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

WHO = ("--actor", "maria", "--reason", "as agreed")
DOCUMENT = """
[[merchants]]
id = "shop"
name = "Shop"
currency = "EUR"
flow = "destination"
"""


async def test_accounts_are_assigned_to_a_merchant_that_the_platform_pays_and_released(
    cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    document = tmp_path / "merchants.toml"
    document.write_text(DOCUMENT, encoding="utf-8")
    await cli.json("merchants", "apply", str(document))
    account = await merchant.account(cards=[])

    assigned = await cli.json("merchants", "assign", "shop", account, *WHO)
    again = await cli.json("merchants", "assign", "shop", account, *WHO)
    shown = await cli.json("merchants", "show", "shop")
    released = await cli.json("merchants", "release", "shop", account, *WHO)
    gone = await cli.json("merchants", "release", "shop", account, *WHO)
    refused = await cli("merchants", "assign", "nobody", account, *WHO)
    listed = await cli.json("merchants", "list")
    rows = await merchant.run("select assigned_by, ended_by from duly.merchant_payers")

    assert [one["was_so_already"] for one in (assigned, again, released, gone)] == [False, True, False, True]
    assert (shown["flow"], shown["payers"], shown["owed_minor"], shown["unsettled_transfers"]) == (
        "destination",
        1,
        {},
        [],
    )
    assert "merchant_exists" in refused.stderr
    assert [one["flow"] for one in listed["merchants"] if one["id"] == "shop"] == ["destination"]
    assert [tuple(row) for row in rows] == [("maria", "maria")]
