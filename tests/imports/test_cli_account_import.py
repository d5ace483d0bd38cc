"""Importing accounts: each whole or not at all, every bad row named, nothing twice."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

ACCOUNTS = "account_id,owner_name,currency,time_zone\n"
SUBSCRIPTIONS = "subscription_id,account_id,product_id,price,currency,billing_day,starts_on\n"
CARDS = "account_id,customer,token,brand,last4,exp_month,exp_year,recurring\n"


def written(folder: Path, name: str, text: str | bytes) -> str:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def files(
    folder: Path,
    accounts: str | bytes = "",
    subscriptions: str | bytes = "",
    cards: str | bytes = "",
) -> list[str]:
    """Return the words of an import of so many rows; what is given as bytes stands as it is."""
    words = ["accounts", "import", written(folder, "accounts.csv", _with_header(ACCOUNTS, accounts))]
    if subscriptions:
        words += ["--subscriptions", written(folder, "subs.csv", _with_header(SUBSCRIPTIONS, subscriptions))]
    if cards:
        words += ["--cards", written(folder, "cards.csv", _with_header(CARDS, cards))]
    return words


def _with_header(header: str, rows: str | bytes) -> str | bytes:
    return rows if isinstance(rows, bytes) else header + rows


def named(problems: Iterable[dict[str, object]]) -> list[tuple[object, ...]]:
    return [(problem["source"], problem["line"], problem["field"], problem["rule"]) for problem in problems]


async def counted(merchant: Merchant) -> Sequence[int]:
    tables = ("accounts", "subscriptions", "cards")
    return tuple([await merchant.value(f"select count(*) from duly.{table}") for table in tables])


async def test_an_account_goes_in_with_its_subscriptions_and_cards(
    cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    words = files(
        tmp_path,
        "c1,Eleni Georgiou,EUR,Europe/Nicosia\n",
        "s1,c1,plan,9.99,EUR,31,2026-01-01\n",
        "c1,cus_1,pm_1,visa,4242,12,2030,yes\n",
    )

    result = await cli.json(*words)
    shown = await cli.json("accounts", "show", "c1")

    assert result["accounts"] == {"created": 1, "updated": 0, "unchanged": 0, "refused": 0}
    assert shown["owner_name"] == "Eleni Georgiou"
    assert shown["subscriptions"][0]["price_minor"] == 999
    assert shown["cards"][0]["is_recurring"] is True
    assert shown["customers"] == [{"provider_id": "stripe", "customer_reference": "cus_1"}]


async def test_importing_a_file_again_changes_nothing(cli: CommandLine, merchant: Merchant, tmp_path: Path) -> None:
    words = files(tmp_path, "c1,Ann,EUR,UTC\nc2,Bob,JPY,\n", "s1,c1,plan,9.99,EUR,1,2026-01-01\n")
    await cli.json(*words)
    before = await merchant.run(
        "select xmin::text from duly.accounts union all select xmin::text from duly.subscriptions"
    )

    result = await cli.json(*words)

    assert result["accounts"] == {"created": 0, "updated": 0, "unchanged": 2, "refused": 0}
    assert before == await merchant.run(
        "select xmin::text from duly.accounts union all select xmin::text from duly.subscriptions"
    )


async def test_a_row_that_changed_updates_its_account(cli: CommandLine, merchant: Merchant, tmp_path: Path) -> None:
    await cli.json(*files(tmp_path, "c1,Ann,EUR,UTC\n", "s1,c1,plan,9.99,EUR,1,2026-01-01\n"))

    result = await cli.json(*files(tmp_path, "c1,Ann B.,EUR,UTC\n", "s1,c1,plan,12.50,EUR,1,2026-01-01\n"))

    assert result["accounts"]["updated"] == 1
    assert await merchant.value("select owner_name from duly.accounts where id = 'c1'") == "Ann B."
    assert await merchant.value("select price_minor from duly.subscriptions where id = 's1'") == 1250


async def test_good_accounts_go_in_beside_bad_ones(cli: CommandLine, merchant: Merchant, tmp_path: Path) -> None:
    words = files(
        tmp_path,
        "good,Ann,EUR,UTC\nbad,Bob,EUR,Mars/Olympus\n",
        "s1,good,plan,1,EUR,1,2026-01-01\ns2,bad,plan,1,EUR,1,2026-01-01\n",
    )

    result = await cli(*words, "--json")

    assert result.exit_code == 1
    assert named(result.document["problems"]) == [("accounts", 3, "time_zone", "time_zone_exists")]
    assert result.document["accounts"] == {"created": 1, "updated": 0, "unchanged": 0, "refused": 1}
    assert await merchant.run("select id, account_id from duly.subscriptions") == [("s1", "good")]


async def test_one_bad_subscription_keeps_its_whole_account_out(
    cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    words = files(tmp_path, "c1,Ann,EUR,UTC\n", "s1,c1,plan,9.99,EUR,1,2026-01-01\ns2,c1,plan,0,EUR,1,2026-01-01\n")

    result = await cli(*words, "--json")

    assert named(result.document["problems"]) == [("subscriptions", 3, "price", "amount_positive")]
    assert await counted(merchant) == (0, 0, 0)


@pytest.mark.parametrize(
    ("row", "field", "rule"),
    [
        ("c1,Ann,ZZZ,UTC", "currency", "currency_exists"),
        ("c1,Ann,eur,UTC", "currency", "currency_exists"),
        ("c1,,EUR,UTC", "owner_name", "value_required"),
        ("c 1,Ann,EUR,UTC", "account_id", "id_format"),
        ("acc_suspense_eur,Ann,EUR,UTC", "account_id", "id_not_reserved"),
        ("c1,Ann,EUR,Nowhere", "time_zone", "time_zone_exists"),
        ("c1,Ann,EUR", "row", "column_count"),
        ("c1,Ann,EUR,UTC,more", "row", "column_count"),
        ("c1,A\x00nn,EUR,UTC", "owner_name", "printable"),
    ],
)
async def test_a_bad_account_is_refused(
    cli: CommandLine, merchant: Merchant, tmp_path: Path, row: str, field: str, rule: str
) -> None:
    result = await cli(*files(tmp_path, row + "\n"), "--json")

    assert result.exit_code == 1
    assert named(result.document["problems"]) == [("accounts", 2, field, rule)]
    assert await counted(merchant) == (0, 0, 0)


@pytest.mark.parametrize(
    ("row", "field", "rule"),
    [
        ("s1,c1,plan,0,EUR,1,2026-01-01", "price", "amount_positive"),
        ("s1,c1,plan,0.005,KWD,1,2026-01-01", "price", "amount_in_steps"),
        ("s1,c1,plan,-9.99,EUR,1,2026-01-01", "price", "amount_positive"),
        ("s1,c1,plan,9.999,EUR,1,2026-01-01", "price", "amount_format"),
        ("s1,c1,plan,1e3,EUR,1,2026-01-01", "price", "amount_format"),
        ("s1,c1,plan,9.99,USD,1,2026-01-01", "currency", "currency_of_account"),
        ("s1,c1,nothing,9.99,EUR,1,2026-01-01", "product_id", "product_exists"),
        ("s1,c1,plan,9.99,EUR,0,2026-01-01", "billing_day", "whole_number_in_range"),
        ("s1,c1,plan,9.99,EUR,32,2026-01-01", "billing_day", "whole_number_in_range"),
        ("s1,c1,plan,9.99,EUR,1,2026-02-30", "starts_on", "day_exists"),
        ("s1,c1,plan,9.99,EUR,1,9999-12-01", "starts_on", "day_in_years"),
        ("s1,c1,plan,9.99,EUR,1,1.1.2026", "starts_on", "day_format"),
        ("s1,c9,plan,9.99,EUR,1,2026-01-01", "account_id", "account_in_file"),
    ],
)
async def test_a_bad_subscription_is_refused(
    cli: CommandLine, merchant: Merchant, tmp_path: Path, row: str, field: str, rule: str
) -> None:
    result = await cli(*files(tmp_path, "c1,Ann,EUR,UTC\n", row + "\n"), "--json")

    assert result.exit_code == 1
    assert named(result.document["problems"]) == [("subscriptions", 2, field, rule)]
    assert await merchant.value("select count(*) from duly.subscriptions") == 0


@pytest.mark.parametrize(
    ("row", "field", "rule"),
    [
        ("c1,cus_1,tok,visa,4242,12,2030,yes", "token", "token_format"),
        ("c1,cus_1,pm_1,visa,42,12,2030,yes", "last4", "last4_format"),
        ("c1,cus_1,pm_1,visa,4242,13,2030,yes", "exp_month", "whole_number_in_range"),
        ("c1,cus_1,pm_1,visa,4242,12,30,yes", "exp_year", "whole_number_in_range"),
        ("c1,cus_1,pm_1,visa,4242,12,2030,perhaps", "recurring", "yes_or_no"),
    ],
)
async def test_a_bad_card_is_refused(
    cli: CommandLine, merchant: Merchant, tmp_path: Path, row: str, field: str, rule: str
) -> None:
    result = await cli(*files(tmp_path, "c1,Ann,EUR,UTC\n", cards=row + "\n"), "--json")

    assert result.exit_code == 1
    assert named(result.document["problems"]) == [("cards", 2, field, rule)]
    assert await counted(merchant) == (0, 0, 0)


@pytest.mark.parametrize(
    "number",
    ["4242424242424242", "4242 4242 4242 4242", "note: 3782-822463-10005!", "\uff14\uff12" * 8],
)
async def test_what_looks_like_a_card_number_is_refused_and_never_repeated(
    cli: CommandLine, merchant: Merchant, tmp_path: Path, number: str
) -> None:
    result = await cli(*files(tmp_path, f"c1,{number},EUR,UTC\n"), "--json")

    assert named(result.document["problems"]) == [("accounts", 2, "owner_name", "no_card_number")]
    assert number not in result.stdout + result.stderr
    assert json.dumps(number) not in result.stdout
    assert await counted(merchant) == (0, 0, 0)
