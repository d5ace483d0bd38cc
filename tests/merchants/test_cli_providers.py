"""`definitions apply`: a provider that is a merchant's own account."""

from pathlib import Path

from tests.merchants.onboarding import participating
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

DOCUMENT = """
[[payment_methods]]
id = "card_cafe"
name = "Card, café"
ledger_account = "bank"

[[providers]]
id = "cafe"
mode = "test"
currencies = ["EUR"]
payment_methods = ["card_cafe"]
merchant = "{merchant}"
"""


async def test_a_provider_is_a_merchants_by_the_document(
    cli: CommandLine, merchant: Merchant, period: str, tmp_path: Path
) -> None:
    id = await participating(merchant, f"cafe-{period}")
    document = tmp_path / "cafe.toml"

    document.write_text(DOCUMENT.format(merchant="nobody"), encoding="utf-8")
    unknown = await cli("definitions", "apply", str(document), "--json")
    document.write_text(DOCUMENT.format(merchant=id), encoding="utf-8")
    await cli.json("definitions", "apply", str(document))
    again = await cli.json("definitions", "apply", str(document))
    listed = await cli.json("definitions", "list")

    assert [rule for _, rule in unknown.rules] == ["merchant_exists"]
    assert {change["change"] for change in again["changes"]} == {"unchanged"}
    assert {row["id"]: row["merchant"] for row in listed["providers"]} == {"stripe": "", "cafe": id}
    assert "merchants connect" in str(await merchant.value("select duly.why_not_effective('cafe')"))
