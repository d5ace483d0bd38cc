"""Banks' own CSV exports become payments by layouts of the configuration: each line once, also if fetched again."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.bank.formats.exports import EXPORTS, Export
from tests.bank.statements import camt, entry
from tests.house.source import ROOT
from tests.support.company import Company

EXAMPLES = str(ROOT / "docs/examples/bank_layouts.toml")
TEXT = Path(EXAMPLES).read_text(encoding="utf-8")
SPARKASSE = EXPORTS["sparkasse"]


def written(folder: Path, export: Export, *more: str, name: str = "export.csv") -> str:
    (folder / name).write_bytes((export.text + "".join(more)).encode(export.encoding))
    return str(folder / name)


def credit(account: str, amount: str = "12,50") -> str:
    return (
        f'"DE89370400440532013000";"20.05.26";"20.05.26";"GUTSCHR. ÜBERWEISUNG";"{account}";"";"";"";"";"";"";"Ann";'
        f'"";"";"{amount}";"EUR";"Umsatz gebucht"\r\n'
    )


async def test_an_export_is_posted_once_and_the_next_one_brings_what_is_new(company: Company, tmp_path: Path) -> None:
    await company.cli.json("definitions", "apply", EXAMPLES)
    for account in ("cust-1001", "cust-1002"):
        await company.account(account)
    await company.invoice("cust-1001", "1020.00")
    first = await company.cli.json("import", "bank", written(tmp_path, SPARKASSE, credit("cust-1002")))
    # Two more that are equal to one of the first to the letter, and one of the same day and amount of another payer.
    more = (credit("cust-1002"), credit("cust-1002"), credit("cust-1001"))
    second = await company.cli.json("import", "bank", written(tmp_path, SPARKASSE, credit("cust-1002"), *more))

    assert [one["outcome"] for one in first["entries"]] == ["posted", "debit", "not_booked", "posted"]
    assert [one["outcome"] for one in second["entries"]] == [
        *("unchanged", "debit", "not_booked", "unchanged"),
        *("posted", "posted", "posted"),
    ]
    assert await company.balance("cust-1001") == -1250
    assert await company.balance("cust-1002") == -3750
    assert second["money"][0]["credits_minor"] == 102000 + 5000


async def test_an_entry_that_came_by_camt_is_not_posted_again_by_the_export(company: Company, tmp_path: Path) -> None:
    await company.cli.json("definitions", "apply", EXAMPLES)
    await company.account("cust-1001")
    await company.invoice("cust-1001", "1020.00")
    await company.cli.json("import", "bank", camt(tmp_path, entry("B1", "1020.00", text="INV-0000000001")))

    imported = await company.cli("import", "bank", written(tmp_path, SPARKASSE), "--json")

    assert imported.exit_code == 1
    assert "line_once" in imported.stdout
    assert await company.balance("cust-1001") == 0


@pytest.mark.nightly
async def test_other_columns_of_a_layout_post_nothing_twice(company: Company, tmp_path: Path) -> None:
    await company.cli.json("definitions", "apply", EXAMPLES)
    await company.account("cust-1001")
    await company.invoice("cust-1001", "1020.00")
    file = written(tmp_path, SPARKASSE)
    await company.cli.json("import", "bank", file)
    changed = tmp_path / "changed.toml"
    changed.write_text(TEXT.replace('["Verwendungszweck"]', '["Verwendungszweck", "Buchungstext"]'), encoding="utf-8")
    await company.cli.json("definitions", "apply", str(changed))

    imported = await company.cli("import", "bank", file, "--json")

    assert (imported.exit_code, "line_once" in imported.stdout) == (1, True)
    assert await company.balance("cust-1001") == 0


async def test_the_layout_is_named_where_two_have_the_columns(company: Company, tmp_path: Path) -> None:
    await company.cli.json("definitions", "apply", EXAMPLES)
    again = tmp_path / "again.toml"
    again.write_text(TEXT.replace('id = "n26"', 'id = "second"'), encoding="utf-8")
    await company.cli.json("definitions", "apply", str(again))
    file = written(tmp_path, replace(EXPORTS["n26"]))

    unnamed = await company.cli("import", "bank", file)
    named = await company.cli.json("import", "bank", file, "--layout", "n26")
    unknown = await company.cli("import", "bank", file, "--layout", "n27")

    assert "layout_ambiguous" in unnamed.stderr
    assert "layout_exists" in unknown.stderr
    assert named["summary"]["suspense"] == 1


@pytest.mark.nightly
async def test_layouts_are_listed_exported_and_taken_away(company: Company, tmp_path: Path) -> None:
    await company.cli.json("definitions", "apply", EXAMPLES)
    listed = await company.cli("definitions", "list")
    exported = tmp_path / "exported.json"
    exported.write_text((await company.cli("definitions", "export")).stdout, encoding="utf-8")
    again = await company.cli.json("definitions", "apply", str(exported))
    none = tmp_path / "none.toml"
    none.write_text('whole = ["statement_layouts"]\n', encoding="utf-8")

    await company.cli.json("definitions", "apply", str(none))

    assert "sparkasse" in listed.stdout
    assert {one["change"] for one in again["changes"] if one["kind"] == "statement_layout"} == {"unchanged"}
    assert (await company.cli.json("definitions", "list"))["statement_layouts"] == []
