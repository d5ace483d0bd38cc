"""Scenario 3: payments imported from the bank, the unidentified ones in suspense and moved later (F122, F123)."""

from pathlib import Path

from tests.bank.statements import camt, entry
from tests.support.company import Company


async def test_staff_move_each_payment_once_its_account_is_confirmed(company: Company, tmp_path: Path) -> None:
    await company.account("cust-1001")
    await company.account("cust-1002")
    invoice = await company.invoice("cust-1002")
    statement = camt(
        tmp_path,
        entry("B1", "50.00", structured="cust-1001"),
        entry("B2", "100.00", text="for Ann, May", payer="Ann Georgiou"),
        entry("B3", "9.00", text="???"),
    )
    await company.cli.json("import", "bank", statement)

    queue = (await company.cli.json("suspense", "list"))["payments"]
    moved = await company.cli.json("transactions", "move", queue[1]["number"], "cust-1002", "--actor", "back-office")
    left = (await company.cli.json("suspense", "list"))["payments"]

    assert [one["note"] for one in queue] == [
        "suspense: account_unknown; text: ???",
        "suspense: account_unknown; payer: Ann Georgiou; text: for Ann, May",
    ]
    assert (moved["transaction"]["account_id"], moved["transaction"]["payment_reference"]) == ("cust-1002", "B2")
    assert (await company.shown(invoice["id"]))["is_settled"] is True
    assert [one["payment_reference"] for one in left] == ["B3"]
    assert [await company.balance(one) for one in ("cust-1001", "cust-1002", "acc_suspense_eur")] == [-5000, 0, -900]


async def test_importing_the_statement_again_brings_nothing_back_that_was_moved(
    company: Company, tmp_path: Path
) -> None:
    await company.account("cust-1001")
    statement = camt(tmp_path, entry("B1", "50.00", text="???"))
    first = await company.cli.json("import", "bank", statement)
    await company.cli.json("transactions", "move", first["entries"][0]["number"], "cust-1001")

    again = await company.cli.json("import", "bank", statement)

    assert [one["outcome"] for one in again["entries"]] == ["unchanged"]
    assert (await company.cli.json("suspense", "list"))["payments"] == []


async def test_the_queue_is_read_a_page_at_a_time_and_fits_a_hundred_columns(company: Company, tmp_path: Path) -> None:
    statement = camt(tmp_path, *(entry(f"B{n}", "1.00", text=f"unreadable {'x' * 90} {n}") for n in range(3)))
    await company.cli.json("import", "bank", statement)

    first = await company.cli.json("suspense", "list", "--limit", "2")
    second = await company.cli.json("suspense", "list", "--limit", "2", "--after", first["next"])
    shown = await company.cli("suspense", "list")

    assert [len(first["payments"]), len(second["payments"]), second["next"]] == [2, 1, None]
    assert max(len(line) for line in shown.stdout.splitlines()) <= 100


async def test_money_for_a_terminated_account_is_not_moved_there(company: Company, tmp_path: Path) -> None:
    await company.account("cust-1001")
    await company.cli.json("accounts", "terminate", "cust-1001")
    result = await company.cli.json("import", "bank", camt(tmp_path, entry("B1", "50.00", structured="cust-1001")))

    refused = await company.refused("transactions", "move", result["entries"][0]["number"], "cust-1001")

    assert refused == [("account", "account_not_terminated")]
