"""A seller, a buyer with an address, and documents of theirs."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.company import Company

SELLER = """
[[tax_rates]]
id = "vat"
name = "VAT"
percent = 19

[[tax_rates]]
id = "low"
name = "VAT, reduced"
percent = 7

[[tax_rates]]
id = "reverse"
name = "Reverse charge"
percent = 0
category = "AE"

[[sellers]]
id = "house"
name = "Fibernetz GmbH"
street = "Hauptstraße 1"
postal_code = "10115"
city = "Berlin"
country = "DE"
vat_id = "DE123456789"
registration = "HRB 12345 B, Amtsgericht Charlottenburg"
email = "rechnung@example.com"
iban = "DE89 3704 0044 0532 0130 00"
bic = "COBADEFFXXX"
color = "#0b6e4f"
logo = '''<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 6 6">
<circle cx="3" cy="3" r="3" fill="#0b6e4f"/></svg>'''
"""
WHO = ("--actor", "maria", "--reason", "as told by phone")


@pytest.fixture
async def seller(company: Company, cli: CommandLine, tmp_path: Path) -> Company:
    """A company that says who it is."""
    (tmp_path / "seller.toml").write_text(SELLER, encoding="utf-8")
    await cli.json("definitions", "apply", str(tmp_path / "seller.toml"))
    return company


@pytest.fixture
def buyer(seller: Company, cli: CommandLine) -> Callable[..., Awaitable[str]]:
    """Open an account of a customer who has told their address."""

    async def opened(account: str = "cust", *words: str, currency: str = "EUR", locale: str = "de_DE") -> str:
        await seller.account(account, currency, locale=locale)
        address = ("--street", "Lange Gasse 5", "--postal-code", "1010", "--city", "Wien", "--country", "AT")
        await cli.json("accounts", "address", account, *address, "--name", "Müller & Söhne KG", *words, *WHO)
        return account

    return opened
