"""Import files that contradict themselves, each other or the database, and files that are none."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.imports.test_cli_account_import import ACCOUNTS, counted, files, named, written
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine


async def test_an_id_that_is_there_twice_leaves_the_account_out_and_says_so_of_both_rows(
    cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    result = await cli(*files(tmp_path, "c1,Ann,EUR,UTC\nc2,Bob,EUR,UTC\nc1,Ann,EUR,UTC\n"), "--json")

    assert named(result.document["problems"]) == [("accounts", 4, "account_id", "id_once")]
    (problem,) = result.document["problems"]
    message = "is there already, in line 2: neither row is imported, nor what else the account has"
    assert (problem["id"], problem["message"]) == ("c1", message)
    assert (result.document["accounts_read"], result.document["accounts"]["refused"]) == (3, 2)
    assert await merchant.run("select id from duly.accounts") == [("c2",)]


CARD_OF_TWO = {
    "customer": (("cus_1,pm_1", "cus_1,pm_2", "cus_1,pm_3"), ("customer", "customer_of_one_account")),
    "card": (("cus_1,pm_1", "cus_2,pm_1", "cus_3,pm_1"), ("token", "id_once")),
}


@pytest.mark.parametrize(("claimed", "broken"), CARD_OF_TWO.values(), ids=CARD_OF_TWO)
async def test_two_accounts_of_a_file_that_claim_the_same_card_are_both_left_out(
    cli: CommandLine, merchant: Merchant, tmp_path: Path, claimed: tuple[str, ...], broken: tuple[str, str]
) -> None:
    cards = "".join(f"c{at},{card},visa,4242,12,2030,yes\n" for at, card in enumerate(claimed, 1))

    result = await cli(
        *files(tmp_path, "c1,Ann,EUR,UTC\nc2,Bob,EUR,UTC\nc3,Cem,EUR,UTC\nc4,Dan,EUR,UTC\n", cards=cards), "--json"
    )

    assert named(result.document["problems"]) == [("cards", line, *broken) for line in (2, 3, 4)]
    assert [problem["message"] for problem in result.document["problems"]] == [
        "is of account c2 too, in line 3: neither account is imported",
        "is of account c1 already, in line 2: neither account is imported",
        "is of account c1 already, in line 2: neither account is imported",
    ]
    assert await merchant.run("select id from duly.accounts") == [("c4",)]


async def test_two_accounts_of_a_file_that_claim_the_same_subscription_are_both_left_out(
    cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    rows = "s1,c1,plan,9.99,EUR,31,2026-01-01\ns1,c2,plan,9.99,EUR,31,2026-01-01\n"

    result = await cli(*files(tmp_path, "c1,Ann,EUR,UTC\nc2,Bob,EUR,UTC\n", subscriptions=rows), "--json")

    twice = [found for found in named(result.document["problems"]) if found[-1] == "id_once"]
    assert twice == [("subscriptions", line, "subscription_id", "id_once") for line in (2, 3)]
    assert await counted(merchant) == (0, 0, 0)


async def test_a_customer_that_is_taken_in_the_database_is_refused(
    cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    await cli.json(*files(tmp_path, "c1,Ann,EUR,UTC\n", cards="c1,cus_1,pm_1,visa,4242,12,2030,yes\n"))

    result = await cli(*files(tmp_path, "c2,Bob,EUR,UTC\n", cards="c2,cus_1,pm_1,visa,4242,12,2030,yes\n"), "--json")

    assert named(result.document["problems"]) == [
        ("cards", 2, "token", "card_of_account"),
        ("cards", 2, "customer", "customer_of_one_account"),
    ]


async def test_a_card_needs_a_currency_that_its_provider_takes(
    cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    result = await cli(*files(tmp_path, "c1,Ann,USD,UTC\n", cards="c1,cus_1,pm_1,visa,4242,12,2030,yes\n"), "--json")

    assert named(result.document["problems"]) == [("cards", 2, "account_id", "currency_of_provider")]
    assert await counted(merchant) == (0, 0, 0)


async def test_cards_of_a_provider_that_is_not_configured_are_refused_before_anything_is_written(
    cli: CommandLine, tmp_path: Path
) -> None:
    words = files(tmp_path, "c1,Ann,EUR,UTC\n", cards="c1,cus_1,pm_1,visa,4242,12,2030,yes\n")

    result = await cli(*words, "--json")

    assert (result.exit_code, result.rules) == (1, [("provider", "provider_exists")])


async def test_cards_of_a_method_that_the_provider_does_not_handle_are_refused(
    cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    words = files(tmp_path, "c1,Ann,EUR,UTC\n", cards="c1,cus_1,pm_1,visa,4242,12,2030,yes\n")

    result = await cli(*words, "--payment-method", "wallet", "--json")

    assert (result.exit_code, result.rules) == (1, [("payment_method", "method_of_provider")])


async def test_an_account_keeps_its_currency(cli: CommandLine, merchant: Merchant, tmp_path: Path) -> None:
    await cli.json(*files(tmp_path, "c1,Ann,EUR,UTC\n"))

    result = await cli(*files(tmp_path, "c1,Ann,JPY,UTC\n"), "--json")

    assert named(result.document["problems"]) == [("accounts", 2, "currency", "currency_is_fixed")]


async def test_a_terminated_account_is_left_alone(cli: CommandLine, merchant: Merchant, tmp_path: Path) -> None:
    await cli.json(*files(tmp_path, "c1,Ann,EUR,UTC\n"))
    await merchant.run("select duly.set_account_state('c1', 'terminated')")

    result = await cli(*files(tmp_path, "c1,Ann B.,EUR,UTC\n"), "--json")

    assert named(result.document["problems"]) == [("accounts", 2, "account_id", "account_not_terminated")]
    assert await merchant.value("select owner_name from duly.accounts") == "Ann"


async def test_what_the_database_alone_can_refuse_is_pinned_on_its_account(
    cli: CommandLine, merchant: Merchant, tmp_path: Path, owner_engine: AsyncEngine
) -> None:
    async with owner_engine.begin() as connection:
        await connection.execute(text("alter table duly.accounts add constraint no_bob check (owner_name <> 'Bob')"))

    result = await cli(*files(tmp_path, "c1,Ann,EUR,UTC\nc2,Bob,EUR,UTC\nc3,Cy,EUR,UTC\n"), "--json")

    assert result.document["accounts"] == {"created": 2, "updated": 0, "unchanged": 0, "refused": 1}
    assert named(result.document["problems"]) == [("accounts", 3, "account_id", "no_bob")]


async def test_an_amount_that_no_invoice_can_carry_is_refused(
    cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    subscriptions = "s1,c1,plan,92233720368547.58,EUR,1,2026-01-01\n"

    result = await cli(*files(tmp_path, "c1,Ann,EUR,UTC\n", subscriptions), "--json")

    assert named(result.document["problems"]) == [("subscriptions", 2, "price", "amount_at_most")]


@pytest.mark.parametrize(
    ("content", "field", "rule"),
    [
        (b"", "accounts", "header_required"),
        (b"\xef\xbb\xbf", "accounts", "header_required"),
        (b"account_id,owner_name\nc1,Ann\n", "currency", "column_required"),
        (ACCOUNTS.encode().replace(b"time_zone", b"timezone"), "timezone", "column_known"),
        (b"account_id,owner_name,currency,currency\n", "currency", "column_once"),
        (ACCOUNTS.encode() + b'c1,"Ann,EUR,UTC\n', "row", "csv"),
        (ACCOUNTS.encode() + "c1,Änn,EUR,UTC\n".encode("latin-1"), "file", "utf8"),
        ("account_id,owner_name,currency\n".encode("utf-16")[:-1], "file", "utf8"),
    ],
)
async def test_a_file_that_is_none_is_refused_whole(
    cli: CommandLine, merchant: Merchant, tmp_path: Path, content: bytes, field: str, rule: str
) -> None:
    result = await cli(*files(tmp_path, content), "--json")

    assert (result.exit_code, result.rules) == (1, [(field, rule)])
    assert await counted(merchant) == (0, 0, 0)


async def test_a_byte_order_mark_and_blank_lines_do_no_harm(
    cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    content = b"\xef\xbb\xbf" + ACCOUNTS.encode().replace(b"\n", b"\r\n") + b"\r\nc1,Ann,EUR,UTC\r\n\r\n"

    result = await cli.json(*files(tmp_path, content))

    assert result["accounts"]["created"] == 1


async def test_a_file_that_is_not_there_is_bad_usage(cli: CommandLine) -> None:
    result = await cli("accounts", "import", "nowhere.csv", "--json")

    assert result.exit_code == 2
    assert result.error["problems"][0]["field"] == "FILE.csv"


async def test_a_refused_row_is_readable_at_100_columns(cli: CommandLine, merchant: Merchant, tmp_path: Path) -> None:
    result = await cli("accounts", "import", written(tmp_path, "a.csv", ACCOUNTS + "c1,Ann,EUR,Mars/Olympus\n"))

    assert max(map(len, result.stdout.splitlines())) <= 100
    assert "'Mars/Olympus' is no IANA time zone" in result.stdout
