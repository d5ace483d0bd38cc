"""Printing under what may happen: several who print at once, a killed process, a merchant with its own seller."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.database import Database
from activities.printouts import workshop
from activities.printouts.printing import Printing
from models.printouts.facts import PrintFormat
from models.problem import RefusedError
from tests.printouts.conftest import SELLER, WHO
from tests.support.command_line import CommandLine
from tests.support.company import POSTED_ON, Company

LINE = ("--line", "product=card,price=99.90", "--posted-on", POSTED_ON)
Buyer = Callable[..., Awaitable[str]]


async def test_all_who_print_at_once_have_the_same_file(seller: Company, buyer: Buyer, database: Database) -> None:
    invoice = await seller.create("invoice", await buyer(), *LINE)

    files = await asyncio.gather(
        *(Printing(database).document(invoice["number"], PrintFormat.PDF) for _ in range(4)),
    )

    assert len({(file.id, file.sha256, file.content) for file in files}) == 1
    assert await seller.value("select count(*) from duly.document_files") == 1


@pytest.mark.nightly
async def test_an_electronic_invoice_is_written_though_the_process_of_the_one_before_was_killed(
    seller: Company, buyer: Buyer, database: Database
) -> None:
    account = await buyer()
    first, second = [await seller.create("invoice", account, *LINE) for _ in range(2)]
    printing = Printing(database)
    await printing.document(first["number"], PrintFormat.CII)
    (pool,) = workshop._spawned
    (process,) = pool._processes

    os.kill(process, signal.SIGKILL)
    file = await printing.document(second["number"], PrintFormat.CII)

    assert second["number"].encode() in file.content
    assert [*workshop._spawned] != [pool]


async def test_a_merchant_that_is_paid_on_its_own_account_is_the_seller_of_what_is_paid_there(
    cli: CommandLine, seller: Company, buyer: Buyer, owner_engine: AsyncEngine, tmp_path: Path
) -> None:
    account = await buyer()
    mine, theirs = [await seller.create("invoice", account, *LINE) for _ in range(2)]
    async with owner_engine.begin() as connection:
        for statement in OF_A_MERCHANT.format(account=account, invoice=theirs["id"]).split(";"):
            await connection.execute(text(statement))
    cafe = SELLER[SELLER.index("[[sellers]]") :].replace('"house"', '"cafe"\nmerchant = "cafe"')
    (tmp_path / "cafe.toml").write_text(cafe.replace("Fibernetz GmbH", "Café Zwei"), encoding="utf-8")
    await cli.json("definitions", "apply", str(tmp_path / "cafe.toml"))

    shown = [await cli.json("documents", "show", one["number"]) for one in (mine, theirs)]

    assert [one["seller"]["name"] for one in shown] == ["Fibernetz GmbH", "Café Zwei"]


@pytest.mark.nightly
async def test_what_was_missing_for_an_electronic_invoice_can_be_made_good(
    cli: CommandLine, seller: Company, database: Database
) -> None:
    invoice = await seller.create("invoice", await seller.account("cust"), *LINE)

    with pytest.raises(RefusedError, match="address_known"):
        await Printing(database).document(invoice["number"], PrintFormat.UBL)
    address = ("--street", "Lange Gasse 5", "--city", "Wien", "--country", "AT")
    await cli.json("accounts", "address", "cust", *address, *WHO)
    file = await Printing(database).document(invoice["number"], PrintFormat.UBL)

    assert b"Lange Gasse 5" in file.content


# An own account at the gateway, and a payment request by which the invoice is paid there.
OF_A_MERCHANT = """
    insert into duly.merchants (id, name, currency) values ('cafe', 'Café', 'EUR');
    insert into duly.providers (id, gateway, mode, state, merchant_id)
        values ('stripe-cafe', 'stripe', 'test', 'effective', 'cafe');
    insert into duly.payment_requests (id, account_id, period, provider_id, title, invoices, amount_minor, currency,
        valid_days, sender, expires_at)
        values ('pr-1', '{account}', '2026-05-a', 'stripe-cafe', 'Coffee', array['{invoice}'], 100, 'EUR', 14, 'maria',
            now() + interval '14 days')
"""
