"""`vouchers`: issued with codes that are shown once, and redeemed, cancelled and listed without them."""

import csv
import re
from pathlib import Path
from stat import S_IMODE

import pytest

from activities.database import Database, DatabaseUnavailableError
from activities.vouchers.vouchers import Vouchers
from tests.support.company import Company
from tests.vouchers.conftest import VOUCHERS

WHO = ("--actor", "ann", "--reason", "as agreed")
CODE = re.compile(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){4}")


@pytest.fixture
async def shop(company: Company) -> Company:
    """A company with vouchers, and two accounts in euros."""
    await company.configure(VOUCHERS)
    await company.account("a1")
    await company.account("a2")
    return company


async def test_codes_are_written_once_and_pay_once(shop: Company, tmp_path: Path, database: Database) -> None:
    file = tmp_path / "codes.csv"
    words = ("vouchers", "issue", "2", "25.00", "--type", "sold", "--account", "a1", "--id", "order-1", *WHO)

    issued = await shop.cli.json(*words, "--output", str(file))
    again = await shop.cli.json(*words, "--output", str(tmp_path / "again.csv"))

    codes = [row["code"] for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines())]
    assert (len(codes), S_IMODE(file.stat().st_mode), issued["vouchers"]) == (2, 0o600, [])
    assert (again["batch"], again["vouchers"], again["file"]) == (issued["batch"], [], None)
    assert not (tmp_path / "again.csv").exists()
    assert await shop.balance("a1") == 5000

    typed = codes[0].lower().replace("-", " ")
    redeemed = await shop.cli.typed(typed, "vouchers", "redeem", "a2", "--id", "r1", *WHO, "--json")
    assert redeemed.exit_code == 0, redeemed.stderr
    second = await shop.cli.typed(codes[0], "vouchers", "redeem", "a1", *WHO, "--json")
    assert second.rules == [("voucher", "voucher_ends_once")]
    wrong = await shop.cli.typed("0000-0000", "vouchers", "redeem", "a1", *WHO, "--json")
    assert wrong.rules == [("code", "voucher_code")]

    shown = await shop.cli.json("vouchers", "show", "VCH-0000000001")
    assert (shown["state"], shown["account_id"], shown["payment"]) == ("redeemed", "a2", "PAY-0000000001")
    payment = await shop.cli.json("transactions", "show", "PAY-0000000001")
    assert "VCH-0000000001" in str(payment)

    kept = await everything(database)
    printed = "".join((redeemed.stdout, redeemed.stderr, second.stdout, second.stderr, wrong.stdout, str(issued)))
    for code in codes:
        assert not [form for form in (code, code.replace("-", "")) if form in kept or form in printed]


async def test_a_batch_is_shown_with_codes_where_no_file_is_named_and_cancelled(shop: Company) -> None:
    words = ("vouchers", "issue", "2", "5.00", "--type", "given", "--currency", "EUR", *WHO)
    issued = await shop.cli.json(*words)
    assert [bool(CODE.fullmatch(one["code"])) for one in issued["vouchers"]] == [True, True]

    batch = issued["batch"]["number"]
    await shop.cli.json("vouchers", "cancel", "VCH-0000000001", "--yes", *WHO)
    cancelled = await shop.cli.json("vouchers", "cancel", batch, "--yes", *WHO)
    assert cancelled["cancelled"]["amount_minor"] == 500

    shown = await shop.cli.json("vouchers", "show", batch)
    assert shown["counts"] == {"cancelled": 2}
    assert [step["kind"] for step in shown["steps"]] == ["issued", "cancelled", "cancelled"]
    listed = (await shop.cli.json("vouchers", "list", "--batch", batch, "--state", "cancelled"))["vouchers"]
    assert [one["number"] for one in listed] == ["VCH-0000000002", "VCH-0000000001"]
    assert await shop.cli.json("vouchers", "expire", *WHO) == {"expired": 0}


async def test_what_makes_no_sense_names_its_field_and_rule_and_leaves_no_file(shop: Company, tmp_path: Path) -> None:
    file = tmp_path / "codes.csv"
    given = ("--type", "given", "--currency", "EUR", *WHO)

    cases = (
        (("0", "5.00", *given), ("count", "voucher_count")),
        (("1", "5.001", *given), ("amount", "amount_format")),
        (("1", "5.00", "--type", "given", *WHO), ("currency", "value_required")),
        (("1", "5.00", "--type", "sold", "--currency", "EUR", *WHO), ("account", "voucher_buyer")),
        (("1", "5.00", "--type", "none", "--currency", "EUR", *WHO), ("type", "voucher_type_exists")),
    )
    for words, problem in cases:
        assert await shop.refused("vouchers", "issue", *words, "--output", str(file)) == [problem]
        assert not file.exists()
    file.write_text("mine", encoding="utf-8")
    assert await shop.refused("vouchers", "issue", "1", "5.00", *given, "--output", str(file)) == [
        ("output", "file_is_new")
    ]
    assert file.read_text(encoding="utf-8") == "mine"
    assert await shop.refused("vouchers", "show", "VCH-1") == [("voucher", "voucher_exists")]


async def test_codes_stay_where_nobody_knows_whether_their_batch_is_there(
    shop: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "codes.csv"
    words = ("vouchers", "issue", "1", "25.00", "--type", "given", "--currency", "EUR", "--id", "o1", *WHO, "--output")

    async def lost(_self: Vouchers, _identifier: str) -> None:
        raise DatabaseUnavailableError("the answer was lost after the commit")

    with monkeypatch.context() as patched:
        patched.setattr(Vouchers, "batch", lost)
        failed = await shop.cli(*words, str(file))
    again = await shop.cli.json(*words, str(tmp_path / "again.csv"))

    assert (failed.exit_code, "codes.csv stays" in failed.stderr) == (3, True)
    assert (again["batch"]["vouchers"], again["file"]) == (1, None)
    [row] = csv.DictReader(file.read_text(encoding="utf-8").splitlines())
    redeemed = await shop.cli.typed(row["code"], "vouchers", "redeem", "a2", *WHO, "--json")
    assert redeemed.exit_code == 0, redeemed.stderr


async def test_types_are_exported_as_they_were_applied_and_contradictions_are_refused(
    shop: Company, tmp_path: Path
) -> None:
    exported = await shop.cli.json("definitions", "export", "--json")
    assert [(one["id"], one["payment_method"]) for one in exported["voucher_types"]] == [
        ("given", "gift_voucher"),
        ("sold", "gift_voucher"),
    ]
    assert "reward_expense:vouchers" in (await shop.cli("definitions", "list")).stdout

    cases = (
        ("other", "product", 'product = "plan"\npayment_method = "gift_voucher"', "product_of_vouchers"),
        ("other", "payment_method", 'product = "gift"\npayment_method = "cash"', "method_of_vouchers"),
        ("sold", "product", 'ledger_account = "revenue"\npayment_method = "gift_voucher"', "side_is_fixed"),
        (
            "other",
            "payment_type",
            'product = "gift"\npayment_method = "gift_voucher"\npayment_type = "refund"',
            "transaction_type_exists",
        ),
    )
    for id, field, document, rule in cases:
        path = tmp_path / "vouchers.toml"
        path.write_text(f'[[voucher_types]]\nid = "{id}"\nname = "Other"\n{document}\n', encoding="utf-8")
        printed = await shop.cli("definitions", "apply", str(path), "--json", *WHO)
        assert printed.rules == [(f"voucher_types.0.{field}", rule)]


async def test_reports_tie_to_the_ledger_with_vouchers_in_it(shop: Company) -> None:
    issued = await shop.cli.json("vouchers", "issue", "2", "5.00", "--type", "sold", "--account", "a1", *WHO)
    await shop.cli.typed(issued["vouchers"][0]["code"], "vouchers", "redeem", "a2", *WHO)

    for report in ("transactions", "revenue-by-product", "receipts", "ledger", "vouchers", "vouchers-by-batch"):
        printed = await shop.cli("reports", "run", report, "--from", "2026-01-01", "--json")
        assert printed.exit_code == 0, (report, printed.stdout, printed.stderr)
    [batch] = (
        await shop.cli.json("reports", "run", "vouchers-by-batch", "--from", "2026-01-01", "--to", "2099-12-31")
    )["rows"]
    assert [batch[f"{name}_minor"] for name in ("issued", "redeemed", "cancelled", "expired")] == [1000, 500, 0, 0]
    kept = await shop.cli.json("accounts", "export", "a2", "--json")
    assert [one["kind"] for one in kept["vouchers"]] == ["redeemed"]


async def everything(database: Database) -> str:
    """Return all rows of the tables that could keep what was typed."""
    tables = await database.rows("select table_name from information_schema.tables where table_schema = 'duly'")
    rows = [
        row.text
        for table in tables
        for row in await database.rows(f"select t::text as text from duly.{table.table_name} t")
    ]
    return "\n".join(rows)
