"""`definitions`: what the platform takes of a merchant's payments is checked, shown, kept and taken away."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.merchants.onboarding import participating
from tests.merchants.test_cli_providers import DOCUMENT
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

FEE = (
    '[providers.application_fee]\npercent = "2.50"\nfixed = { EUR = "0.25" }\nmaximum = { EUR = "20" }\n'
    "refunded = true\n"
)
STORED = {
    "percent": "2.5",
    "fixed_minor": {"EUR": 25},
    "minimum_minor": {},
    "maximum_minor": {"EUR": 2000},
    "is_refunded": True,
}


def written(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


async def applied(cli: CommandLine, path: Path, text: str) -> list[str]:
    return [each["change"] for each in (await cli.json("definitions", "apply", written(path, text)))["changes"]]


async def test_a_rule_is_listed_kept_exported_and_taken_away(
    cli: CommandLine, merchant: Merchant, period: str, tmp_path: Path
) -> None:
    document = DOCUMENT.format(merchant=await participating(merchant, f"cafe-{period}"))
    path = tmp_path / "cafe.toml"

    async def stored() -> Any:
        return await merchant.value("select application_fee from duly.providers where id = 'cafe'")

    await applied(cli, path, document + FEE)
    again = await applied(cli, path, document + FEE)
    silent = await applied(cli, path, document)
    kept = await stored()
    listed = {row["id"]: row["application_fee"] for row in (await cli.json("definitions", "list"))["providers"]}
    shown = (await cli("definitions", "list")).stdout
    exported = (await cli.json("definitions", "export"))["providers"]
    history = await merchant.run(
        "select changes -> 'application_fee' ->> 'is' as rule from duly.definition_changes where kind = 'providers'"
        " and definition_id = 'cafe' and changes ? 'application_fee'"
    )
    away = await applied(cli, path, document + 'application_fee = "none"\n')

    assert set(again) == set(silent) == {"unchanged"}
    assert kept == listed["cafe"] == STORED
    assert listed["stripe"] == {}
    assert "2.5" in shown
    [cafe] = [each for each in exported if each["id"] == "cafe"]
    assert cafe["application_fee"] == {
        "percent": "2.5",
        "fixed": {"EUR": "0.25"},
        "maximum": {"EUR": "20.00"},
        "refunded": True,
    }
    assert [json.loads(row.rule) for row in history] == [STORED]
    assert away == ["unchanged", "updated"]
    assert await stored() == {}


@pytest.mark.parametrize(
    ("given", "field", "rule"),
    [
        ('[providers.application_fee]\npercent = "2.5"\n', "application_fee.refunded", "missing"),
        (FEE.replace("2.50", "101"), "application_fee.percent", "less_than_equal"),
        (FEE.replace("0.25", "0.255"), "application_fee", "value_error"),
        (FEE.replace("0.25", "0"), "application_fee", "value_error"),
        (FEE.replace("EUR", "USD"), "application_fee", "fee_fits_provider"),
        (FEE.replace("0.25", "0.60"), "application_fee", "fee_fits_provider"),
        (FEE.replace("2.50", "0").replace('fixed = { EUR = "0.25" }\n', ""), "application_fee", "fee_fits_provider"),
    ],
)
async def test_a_rule_that_does_not_fit_is_refused_by_its_field(
    cli: CommandLine, merchant: Merchant, period: str, tmp_path: Path, given: str, field: str, rule: str
) -> None:
    document = DOCUMENT.format(merchant=await participating(merchant, f"cafe-{period}"))
    path = tmp_path / "cafe.toml"
    path.write_text(document + given, encoding="utf-8")

    refused = await cli("definitions", "apply", str(path), "--json")

    assert (f"providers.0.{field}", rule) in refused.rules
    assert await merchant.run("select id from duly.providers") == [("stripe",)]


async def test_the_platforms_own_account_pays_no_fee_and_a_kept_rule_has_to_fit_what_the_provider_becomes(
    cli: CommandLine, merchant: Merchant, period: str, tmp_path: Path
) -> None:
    document = DOCUMENT.format(merchant=await participating(merchant, f"cafe-{period}"))
    path = tmp_path / "cafe.toml"

    path.write_text(document.replace(f'merchant = "cafe-{period}"\n', "") + FEE, encoding="utf-8")
    own = await cli("definitions", "apply", str(path), "--json")
    fixed = FEE.replace("2.50", "0")
    await applied(cli, path, document + fixed)
    path.write_text(document.replace('["EUR"]', '["EUR", "JPY"]'), encoding="utf-8")
    grown = await cli("definitions", "apply", str(path), "--json")

    assert own.rules == [("providers.0.application_fee", "fee_of_merchant")]
    assert grown.rules == [("providers.0.application_fee", "fee_fits_provider")]
