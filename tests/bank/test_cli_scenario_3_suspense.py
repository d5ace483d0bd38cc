"""Scenario 3: payments imported from the bank, the unidentified ones in suspense and moved later (F122, F123)."""

from pathlib import Path

from tests.bank.statements import camt, entry
from tests.support.shop import Shop


async def test_staff_move_each_payment_once_its_account_is_confirmed(shop: Shop, tmp_path: Path) -> None:
    await shop.account("cust-1001")
    await shop.account("cust-1002")
    invoice = await shop.invoice("cust-1002")
    statement = camt(
        tmp_path,
        entry("B1", "50.00", structured="cust-1001"),
        entry("B2", "100.00", text="for Ann, May", payer="Ann Georgiou"),
        entry("B3", "9.00", text="???"),
    )
    await shop.cli.json("import", "bank", statement)

    queue = (await shop.cli.json("suspense", "list"))["payments"]
    moved = await shop.cli.json("transactions", "move", queue[0]["number"], "cust-1002", "--actor", "back-office")
    left = (await shop.cli.json("suspense", "list"))["payments"]

    assert [one["note"] for one in queue] == [
        "suspense: account_unknown; payer: Ann Georgiou; text: for Ann, May",
        "suspense: account_unknown; text: ???",
    ]
    assert (moved["transaction"]["account_id"], moved["transaction"]["payment_reference"]) == ("cust-1002", "B2")
    assert (await shop.shown(invoice["id"]))["is_settled"] is True
    assert [one["payment_reference"] for one in left] == ["B3"]
    assert [await shop.balance(one) for one in ("cust-1001", "cust-1002", "acc_suspense_eur")] == [-5000, 0, -900]


async def test_importing_the_statement_again_brings_nothing_back_that_was_moved(shop: Shop, tmp_path: Path) -> None:
    await shop.account("cust-1001")
    statement = camt(tmp_path, entry("B1", "50.00", text="???"))
    first = await shop.cli.json("import", "bank", statement)
    await shop.cli.json("transactions", "move", first["entries"][0]["number"], "cust-1001")

    again = await shop.cli.json("import", "bank", statement)

    assert [one["outcome"] for one in again["entries"]] == ["unchanged"]
    assert (await shop.cli.json("suspense", "list"))["payments"] == []


async def test_the_queue_is_read_a_page_at_a_time_and_fits_a_hundred_columns(shop: Shop, tmp_path: Path) -> None:
    statement = camt(tmp_path, *(entry(f"B{n}", "1.00", text=f"unreadable {'x' * 90} {n}") for n in range(3)))
    await shop.cli.json("import", "bank", statement)

    first = await shop.cli.json("suspense", "list", "--limit", "2")
    second = await shop.cli.json("suspense", "list", "--limit", "2", "--after", first["next"])
    shown = await shop.cli("suspense", "list")

    assert [len(first["payments"]), len(second["payments"]), second["next"]] == [2, 1, None]
    assert max(len(line) for line in shown.stdout.splitlines()) <= 100


async def test_money_for_a_terminated_account_is_not_moved_there(shop: Shop, tmp_path: Path) -> None:
    await shop.account("cust-1001")
    await shop.cli.json("accounts", "terminate", "cust-1001")
    said = await shop.cli.json("import", "bank", camt(tmp_path, entry("B1", "50.00", structured="cust-1001")))

    refused = await shop.refused("transactions", "move", said["entries"][0]["number"], "cust-1001")

    assert refused == [("account", "account_not_terminated")]
