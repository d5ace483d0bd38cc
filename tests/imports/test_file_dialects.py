"""Files as spreadsheets of every country write them, and what a file says nothing about."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from activities.imports.csv_files import csv_rows
from models.imports.columns import COLUMNS
from models.problem import Problem, RefusedError
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

HEADER = "account_id,owner_name,currency,email,locale,time_zone,credit_limit,region\n"
SUBSCRIPTIONS = "subscription_id,account_id,product_id,price,currency,billing_day,starts_on,ends_on,quantity\n"


def written(folder: Path, name: str, text: str | bytes) -> str:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def dialects(text: str) -> Mapping[str, bytes]:
    """The same table as several programs write it."""
    semicolons, tabs = text.replace(",", ";"), text.replace(",", "\t")
    return {
        "commas": text.encode(),
        "semicolons": semicolons.encode(),
        "tabs": tabs.encode(),
        "byte order mark": b"\xef\xbb\xbf" + semicolons.encode(),
        "utf-16": tabs.encode("utf-16"),
        "says its delimiter": b"sep=;\r\n" + semicolons.replace("\n", "\r\n").encode(),
        "blank lines first": b"\n\n" + text.encode(),
    }


@pytest.mark.parametrize("source", sorted(COLUMNS))
@pytest.mark.parametrize("dialect", sorted(dialects("")))
def test_every_kind_of_file_is_read_however_a_spreadsheet_writes_it(tmp_path: Path, source: str, dialect: str) -> None:
    names = [column.name for column in COLUMNS[source]]
    text = ",".join(names) + "\n" + ",".join(f"é {name}" for name in names) + "\n"
    path = Path(written(tmp_path, "file.csv", dialects(text)[dialect]))

    (cells,) = csv_rows(source, path, lambda _line, cells: cells)

    assert cells == {name: f"é {name}" for name in names}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "latin-1"])
def test_a_file_in_another_encoding_is_refused_whole_by_its_name(tmp_path: Path, encoding: str) -> None:
    rows = "account_id,owner_name,currency\nc1,José,EUR\n"
    path = Path(written(tmp_path, "file.csv", rows.encode(encoding)))

    with pytest.raises(RefusedError) as refused:
        list(csv_rows("accounts", path, lambda _line, cells: cells))

    (problem,) = refused.value.problems
    assert (problem.field, problem.rule, problem.source) == ("file", "utf8", "file.csv")
    assert "neither UTF-8 nor UTF-16" in problem.message
    assert problem.message.endswith("save it as CSV UTF-8")
    assert problem.line == (2 if encoding == "latin-1" else 0)


def test_a_comma_within_a_cell_divides_nothing_where_semicolons_do(tmp_path: Path) -> None:
    rows = "account_id;owner_name;currency\nc1;Georgiou, Eleni, Ltd.;EUR\n"
    path = Path(written(tmp_path, "file.csv", rows))

    (cells,) = csv_rows("accounts", path, lambda _line, cells: cells)

    assert not isinstance(cells, Problem)
    assert cells["owner_name"] == "Georgiou, Eleni, Ltd."


def test_a_bad_row_is_named_by_its_line_and_id(tmp_path: Path) -> None:
    path = Path(written(tmp_path, "file.csv", "sep=;\nreference;status\nR1;paid\nR2;paid;more\n"))

    _, problem = csv_rows("answers", path, lambda _line, cells: cells)

    assert isinstance(problem, Problem)
    assert (problem.line, problem.id, problem.rule) == (4, "R2", "column_count")
    assert str(problem).startswith("answers, line 4 (R2): row: ")


async def test_what_a_file_says_nothing_about_stays_as_it_is(
    cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    first = written(tmp_path, "first.csv", f"{HEADER}c1,Ann,EUR,a@example.com,de,Europe/Nicosia,100.00,north\n")
    without_columns = written(tmp_path, "second.csv", "account_id;owner_name;currency\nc1;Ann B.;EUR\n")
    empty_cells = written(tmp_path, "third.csv", f"{HEADER}c1,Ann C.,EUR,,,,,south\n")
    await cli.json("accounts", "import", first)

    second = await cli.json("accounts", "import", without_columns)
    kept = await cli.json("accounts", "show", "c1")
    await cli.json("accounts", "import", empty_cells)
    kept_too = await cli.json("accounts", "show", "c1")
    await cli.json("accounts", "import", empty_cells, "--clear-empty")
    cleared = await cli.json("accounts", "show", "c1")

    fields = ("owner_name", "email", "locale", "time_zone", "credit_limit_minor", "region")
    assert second["accounts"]["updated"] == 1
    assert [kept[name] for name in fields] == ["Ann B.", "a@example.com", "de", "Europe/Nicosia", 10000, "north"]
    assert [kept_too[name] for name in fields] == ["Ann C.", "a@example.com", "de", "Europe/Nicosia", 10000, "south"]
    assert [cleared[name] for name in fields] == ["Ann C.", None, "en", "UTC", None, "south"]


async def test_a_subscription_keeps_its_end_and_its_pieces_unless_the_file_has_them(
    cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    accounts = written(tmp_path, "accounts.csv", "account_id,owner_name,currency\nc1,Ann,EUR\n")
    full = written(tmp_path, "full.csv", f"{SUBSCRIPTIONS}s1,c1,plan,9.99,EUR,1,2026-01-01,2027-01-01,3\n")
    less = written(
        tmp_path,
        "less.csv",
        "subscription_id,account_id,product_id,price,currency,billing_day,starts_on\ns1,c1,plan,12.00,EUR,1,2026-01-01\n",
    )
    late = written(
        tmp_path,
        "late.csv",
        "subscription_id,account_id,product_id,price,currency,billing_day,starts_on\ns1,c1,plan,12.00,EUR,1,2027-02-01\n",
    )
    await cli.json("accounts", "import", accounts, "--subscriptions", full)

    await cli.json("accounts", "import", accounts, "--subscriptions", less)
    refused = await cli("accounts", "import", accounts, "--subscriptions", late, "--json")

    (kept,) = (await cli.json("accounts", "show", "c1"))["subscriptions"]
    assert (kept["price_minor"], kept["quantity"], kept["ends_on"]) == (1200, 3, "2027-01-01")
    (problem,) = refused.document["problems"]
    assert (problem["field"], problem["rule"], problem["line"], problem["id"]) == (
        "ends_on",
        "ends_after_start",
        2,
        "s1",
    )


async def test_what_is_billed_by_day_is_changed_by_a_file_from_its_first_unbilled_day_on(
    cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    account = await merchant.account("c1", cards=[])
    who = ("--actor", "maria", "--reason", "order")
    words = ("subscriptions", "create", account, "plan", "--price", "30.00", "--starts-on", "2026-11-01", "--id", "s1")
    await cli.json(*words, *who)
    await merchant.run("update duly.subscriptions set billed_until = '2026-12-01', billed_version = 1, billings = 1")
    accounts = written(tmp_path, "accounts.csv", "account_id,owner_name,currency\nc1,A. Customer,EUR\n")
    rows = f"{SUBSCRIPTIONS}s1,c1,plan,45.00,EUR,1,2026-11-01,,\n"
    file = written(tmp_path, "subscriptions.csv", rows)
    moved = written(tmp_path, "moved.csv", rows.replace("2026-11-01", "2026-11-02"))

    await cli.json("accounts", "import", accounts, "--subscriptions", file, "--actor", "ben")
    again = await cli.json("accounts", "import", accounts, "--subscriptions", file)
    refused = await cli("accounts", "import", accounts, "--subscriptions", moved, "--json")

    _, change = (await cli.json("subscriptions", "show", "s1"))["history"]
    assert (change["kind"], change["from_on"], change["price_minor"], change["actor"]) == (
        "imported",
        "2026-12-01",
        4500,
        "ben",
    )
    assert again["accounts"]["unchanged"] == 1
    assert refused.document["problems"][0]["rule"] == "subscription_has_begun"
