"""Sellers and postal addresses: checked as the law and the bank want them, one seller for the house."""

from pathlib import Path

import pytest

from activities.configuration.document_parts.seller_document import problem_of_logo
from tests.printouts.conftest import SELLER, WHO
from tests.support.command_line import CommandLine
from tests.support.company import Company

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'


async def applied(cli: CommandLine, tmp_path: Path, text: str) -> list[tuple[str, str]]:
    """Apply a document, and return which rules it breaks."""
    file = tmp_path / "sellers.toml"
    file.write_text(text, encoding="utf-8")
    result = await cli("definitions", "apply", str(file), "--json")
    return [] if result.exit_code == 0 else result.rules


async def test_a_seller_is_applied_listed_and_changed(cli: CommandLine, seller: Company, tmp_path: Path) -> None:
    changed = SELLER.replace("Fibernetz GmbH", "Fibernetz AG")

    again = await cli.json("definitions", "apply", str(tmp_path / "seller.toml"))
    broken = await applied(cli, tmp_path, changed)
    (listed,) = (await cli.json("definitions", "list"))["sellers"]

    assert {one["change"] for one in again["changes"]} == {"unchanged"}
    assert broken == []
    assert (listed["name"], listed["iban"], bool(listed["logo"])) == ("Fibernetz AG", "DE89370400440532013000", True)


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ('vat_id = "DE123456789"', "", ("sellers.0", "value_error")),
        ("0532 0130 00", "0532 0130 01", ("sellers.0.iban", "value_error")),
        ('country = "DE"', 'country = "Germany"', ("sellers.0.country", "string_pattern_mismatch")),
        ("<circle", "<script/><circle", ("sellers.0.logo", "value_error")),
        ('id = "house"', 'id = "house"\nmerchant = "nobody"', ("sellers.0.merchant", "merchant_exists")),
        ('category = "AE"', 'category = "S"', ("tax_rates.2", "value_error")),
    ],
)
async def test_what_no_invoice_may_carry_is_refused(
    cli: CommandLine, company: Company, tmp_path: Path, before: str, after: str, rule: tuple[str, str]
) -> None:
    assert before in SELLER

    assert await applied(cli, tmp_path, SELLER.replace(before, after)) == [rule]
    assert await company.value("select count(*) from duly.sellers") == 0


async def test_the_house_has_one_seller(cli: CommandLine, seller: Company, tmp_path: Path) -> None:
    assert await applied(cli, tmp_path, SELLER.replace('"house"', '"other"')) == [
        ("sellers.0.merchant", "one_seller_a_merchant")
    ]


@pytest.mark.parametrize(
    ("inside", "is_picture"),
    [
        ('<rect width="1" height="1"/>', True),
        ('<image xlink:href="data:image/png;base64,AA"/>', True),
        ('<image xlink:href="http://example.com/a.png"/>', False),
        ('<rect onclick="x()"/>', False),
        ("<foreignObject/>", False),
        ('<style>a{fill:url(#of_itself)}</style><rect fill="url( \'#b\' )" xlink:href="#c"/>', True),
        ("<style>@import 'http://example.com/a.css'</style>", False),
        ("<style>a{fill:url(http://example.com)}</style>", False),
        ('<rect style="fill:url(//example.com/a#b)"/>', False),
        (r'<rect fill="u\72l(//example.com)"/>', False),
        ('<h:script xmlns:h="http://www.w3.org/1999/xhtml"/>', False),
        ('<use xlink:href="data:image/svg+xml,x"/>', False),
        ("<animateTransform/>", False),
        ("<rect>", False),
    ],
)
def test_a_logo_is_a_picture_that_runs_nothing_and_brings_nothing_in(inside: str, is_picture: bool) -> None:
    assert (problem_of_logo(SVG.format(inside)) == "") is is_picture


async def test_an_address_is_kept_with_who_and_why_and_goes_with_the_persons_data(
    cli: CommandLine, seller: Company
) -> None:
    await seller.account("cust")
    place = ("--street", "Lange Gasse 5", "--city", "Wien", "--country", "AT")

    made = await cli.json("accounts", "address", "cust", *place, *WHO)
    again = await cli.json("accounts", "address", "cust", *place, *WHO)
    exported = await cli.json("accounts", "export", "cust")
    await cli.json("accounts", "terminate", "cust", "--yes", *WHO)
    await cli.json("accounts", "erase", "cust", "--yes", *WHO)

    assert (made["address"], again["address"]) == ("changed", "unchanged")
    assert exported["postal_address"]["city"] == "Wien"
    assert exported["changes"][0]["changes"]["postal_address"]["is"]["street"] == "Lange Gasse 5"
    assert await seller.value("select count(*) from duly.postal_addresses") == 0


async def test_an_address_without_its_parts_is_refused(cli: CommandLine, company: Company) -> None:
    await company.account("cust")

    refused = [
        await cli("accounts", "address", account, *words, *WHO, "--json")
        for account, words in (
            ("cust", ("--street", "a", "--country", "AUT")),
            ("cust", ("--street", "a", "--city", "b", "--country", "AT", "--vat-id", "12")),
            ("nobody", ("--street", "a", "--city", "b", "--country", "AT")),
        )
    ]

    assert [one.rules for one in refused] == [
        [("city", "required"), ("country", "length"), ("country", "country_code")],
        [("vat_id", "vat_id_format")],
        [("account", "account_exists")],
    ]
