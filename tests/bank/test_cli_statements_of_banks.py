"""Statements as banks and payers really write them, imported: each payment once, its own account or suspense."""

import random
from pathlib import Path
from typing import Any

import pytest

from tests.bank.statements import camt, csv_statement, detail, document, entry, statement
from tests.support.company import Company


async def imported(company: Company, file: str) -> dict[str, Any]:
    """Import a file, whatever becomes of it."""
    result: dict[str, Any] = (await company.cli("import", "bank", file, "--json")).document
    return result


async def two_customers(company: Company) -> tuple[str, str]:
    """Accounts with an invoice each; return the invoices' numbers."""
    await company.account("cust-1001")
    await company.account("cust-1002")
    first = await company.invoice("cust-1001", "20.00")
    return first["number"], (await company.invoice("cust-1002", "20.00"))["number"]


def ustrd(*lines: str) -> str:
    return "".join(f"<Ustrd>{line}</Ustrd>" for line in lines)


def without_reference(text: str) -> str:
    return text.replace("<AcctSvcrRef>-</AcctSvcrRef>", "")


async def test_a_bank_that_gives_no_reference_can_be_imported_and_is_known_again(
    company: Company, tmp_path: Path
) -> None:
    await company.account("cust-1001")
    lines = [
        without_reference(entry("-", amount, text="cust-1001", more=more))
        for amount, more in (("20.00", ""), ("20.00", ""), ("21.00", "<NtryRef>1</NtryRef>"))
    ]
    file = camt(tmp_path, *lines)

    await imported(company, file)
    again = await imported(company, file)

    assert await company.balance("cust-1001") == -6100
    assert {one["outcome"] for one in again["entries"]} == {"unchanged"}


async def test_what_looks_the_same_in_another_statement_is_left_to_a_person(company: Company, tmp_path: Path) -> None:
    await company.account("cust-1001")
    line = without_reference(entry("-", "20.00", text="cust-1001"))
    await imported(company, camt(tmp_path, line))

    again = await imported(company, camt(tmp_path, line, statement={"id": "S2"}))

    assert [one["rule"] for one in again["problems"]] == ["line_once"]
    assert again["money"] == [
        {
            "currency": "EUR", "credits_minor": 2000, "posted_minor": 0, "suspense_minor": 0, "unchanged_minor": 0,
            "payout_minor": 0, "direct_debit_minor": 0, "refused_minor": 2000,
        }
    ]  # fmt: skip


async def test_payments_that_share_a_reference_are_payments_each(company: Company, tmp_path: Path) -> None:
    await company.account("cust-1001")
    await company.account("cust-1002")
    lines = [entry("0011", amount, text="cust-1001") for amount in ("20.00", "30.00", "20.00")]
    file = camt(tmp_path, *lines, entry("0011", "20.00", text="cust-1002"))

    await imported(company, file)
    await imported(company, file)

    assert (await company.balance("cust-1001"), await company.balance("cust-1002")) == (-7000, -2000)


async def test_a_reference_that_comes_again_a_year_later_is_another_payment(company: Company, tmp_path: Path) -> None:
    await company.account("cust-1001")
    rows = ("0007,2026-05-20,20.00,EUR,cust-1001,,,,", "0007,2027-05-20,20.00,EUR,cust-1001,,,,")
    await imported(company, csv_statement(tmp_path, rows))

    await imported(company, camt(tmp_path, entry("0007", "20.00", text="cust-1001").replace("2026-05", "2026-06")))

    assert await company.balance("cust-1001") == -6000


async def test_one_line_by_csv_by_camt_and_by_an_intraday_report_is_one_payment(
    company: Company, tmp_path: Path
) -> None:
    await company.account("cust-1001")
    line = entry("B1", "20.00", text="cust-1001")
    report = tmp_path / "report.xml"
    report.write_text(document(statement(line, id="R1"), message="BkToCstmrAcctRpt"), encoding="utf-8")

    await imported(company, csv_statement(tmp_path, ["B1,2026-05-20,20.00,EUR,cust-1001,,,,"]))
    by_report = await imported(company, str(report))
    by_statement = await imported(company, camt(tmp_path, line))

    assert [one["outcome"] for one in (*by_report["entries"], *by_statement["entries"])] == ["unchanged", "unchanged"]
    assert await company.balance("cust-1001") == -2000


async def test_a_batch_and_its_notification_are_the_same_money(company: Company, tmp_path: Path) -> None:
    await company.account("cust-1001")
    details = "".join(f"<TxDtls>{detail(amount='10.00', text='cust-1001')}</TxDtls>" for _ in range(2))
    notice = tmp_path / "notice.xml"
    notice.write_text(
        document(statement(entry("B1", "20.00", details=details), id="N1"), message="BkToCstmrDbtCdtNtfctn"),
        encoding="utf-8",
    )

    await imported(company, str(notice))
    whole = await imported(company, camt(tmp_path, entry("B1", "20.00", details="")))

    assert [one["outcome"] for one in whole["entries"]] == ["unchanged"]
    assert await company.balance("cust-1001") == -2000


async def test_what_a_release_before_has_imported_is_known(company: Company, tmp_path: Path) -> None:
    await company.account("cust-1001")
    await company.run(
        "select duly.create_payment('bank:DE89370400440532013000:B1', 'cust-1001', 2000, 'EUR', 'bank_transfer',"
        " p_issued_on => '2026-05-20', p_origin => 'system', p_actor => 'clerk')"
    )
    lines = (entry("B1", "20.00", text="cust-1001"), entry("B1", "20.00", text="cust-1001").replace("05-20", "06-20"))

    result = await imported(company, camt(tmp_path, *lines))

    assert [one["outcome"] for one in result["entries"]] == ["unchanged", "posted"]


async def test_a_number_that_the_bank_has_cut_is_the_payers_and_nobody_elses(company: Company, tmp_path: Path) -> None:
    await two_customers(company)
    lines = ustrd("Zahlung Mai Kunde Muster INV-000000000", "2 danke")

    await imported(company, camt(tmp_path, entry("B1", "20.00", details=f"<TxDtls><RmtInf>{lines}</RmtInf></TxDtls>")))

    assert (await company.balance("cust-1001"), await company.balance("cust-1002")) == (2000, 0)


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize(
    "more",
    [
        "<RmtInf><Strd><RfrdDocInf><Nb>{}</Nb></RfrdDocInf></Strd></RmtInf>",
        "<RmtInf><Strd><AddtlRmtInf>{}</AddtlRmtInf></Strd></RmtInf>",
        "<AddtlTxInf>Kunde zahlt {}</AddtlTxInf>",
    ],
)
async def test_a_number_is_found_wherever_the_bank_puts_it(company: Company, tmp_path: Path, more: str) -> None:
    _, number = await two_customers(company)

    await imported(company, camt(tmp_path, entry("B1", "20.00", details=f"<TxDtls>{more.format(number)}</TxDtls>")))

    assert (await company.balance("cust-1001"), await company.balance("cust-1002")) == (2000, 0)


async def test_a_batch_that_does_not_come_to_its_details_waits_whole(company: Company, tmp_path: Path) -> None:
    await company.account("cust-1001")
    details = "".join(f"<TxDtls>{detail(amount=share, text='cust-1001')}</TxDtls>" for share in ("10.00", "5.00"))

    result = await imported(company, camt(tmp_path, entry("B1", "15.26", details=details)))
    waiting = (await company.cli.json("suspense", "list"))["payments"]

    assert [(one["amount_minor"], one["reason"]) for one in result["entries"]] == [(1526, "details_differ")]
    assert waiting[0]["note"] == "suspense: details_differ; text: cust-1001 cust-1001"


async def test_a_payment_that_the_bank_took_back_is_shown_with_its_account(company: Company, tmp_path: Path) -> None:
    _, number = await two_customers(company)
    back = entry("B2", "20.00", side="DBIT", text=number, more="<RvslInd>1</RvslInd>")

    result = await imported(company, camt(tmp_path, entry("B1", "20.00", text=number), back))

    taken = result["entries"][1]
    assert (taken["outcome"], taken["account_id"], taken["reason"]) == ("debit", "cust-1002", "returned_transfer")


async def test_an_entry_of_nothing_is_listed_and_is_no_fault(company: Company, tmp_path: Path) -> None:
    file = camt(tmp_path, entry("B1", "0.00", text="Abschluss"), entry("B2", "0.00", side="DBIT"))

    result = await company.cli.json("import", "bank", file)

    assert [one["outcome"] for one in result["entries"]] == ["nothing", "nothing"]


async def test_a_line_break_in_the_payers_text_costs_no_line(company: Company, tmp_path: Path) -> None:
    await company.account("cust-1001")
    rows = (
        'B1,2026-05-20,12.50,EUR,,,"Rechnung Mai\ncust-1001",Ann,\n'
        'B2,2026-05-20,1.00,EUR,,,"cust-10\r\n01\x00\t",Ann,\n'
    )

    await company.cli.json("import", "bank", csv_statement(tmp_path, rows))

    assert await company.balance("cust-1001") == -1350


async def test_a_statement_that_lacks_an_entry_says_so(company: Company, tmp_path: Path) -> None:
    await company.account("cust-1001")
    file = camt(tmp_path, entry("B1", "20.00", text="cust-1001"), statement={"balances": ("100.00", "150.00")})

    result = await imported(company, file)

    assert [(one["rule"], one["id"]) for one in result["problems"]] == [("balance_adds_up", "S1")]
    assert (result["summary"]["posted"], result["summary"]["refused"]) == (1, 0)


@pytest.mark.parametrize("seed", [7, 19])
async def test_every_credit_of_a_file_is_posted_in_suspense_or_refused_by_name(
    company: Company, tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)
    await company.account("cust-1001")
    await company.account("cust-1002", "JPY")
    lines: list[str] = []
    came = 0
    for _ in range(120):
        minor = draw.choice((100, 100, 2599))
        side = draw.choice(("CRDT", "CRDT", "CRDT", "DBIT"))
        text = draw.choice(("cust-1001", "cust-1002", "nobody", "cust-1001 cust-1002"))
        more = draw.choice(("", "", "<RvslInd>true</RvslInd>"))
        reference = draw.choice(("B1", "B2", "NONREF", str(len(lines))))
        lines.append(entry(reference, f"{minor // 100}.{minor % 100:02}", side=side, text=text, more=more))
        came += minor if side == "CRDT" else 0

    first = await imported(company, camt(tmp_path, *lines))
    again = await imported(company, camt(tmp_path, *lines))

    posted, suspense = first["money"][0]["posted_minor"], first["money"][0]["suspense_minor"]
    assert (first["money"][0]["credits_minor"], posted + suspense) == (came, came)
    assert (await company.balance("cust-1001"), await company.balance("acc_suspense_eur")) == (-posted, -suspense)
    assert again["money"][0]["unchanged_minor"] == came
    assert await company.violations() == []
