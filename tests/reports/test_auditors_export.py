"""What auditors get: everything that was posted, from which they work the seals out themselves."""

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from models.currency import exponent_of
from tests.ledger.books import Books
from tests.reports.conftest import make_history
from tests.support.command_line import CommandLine


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def hash_of(transfer: dict[str, str]) -> bytes:
    minor = int(Decimal(transfer["amount"]).scaleb(exponent_of(transfer["currency"])))
    names = ("source_id", "position", "debit_account", "credit_account", "currency")
    return hashlib.sha256(
        "|".join([*(transfer[name] for name in names), str(minor), transfer["posted_on"]]).encode()
    ).digest()


async def test_the_seals_follow_from_the_exported_transfers(books: Books, cli: CommandLine, tmp_path: Path) -> None:
    books.open_account("acc_yen", "JPY")
    for part in range(2):
        invoice = books.invoice(f"n{part}", "acc_1", 100_00)
        books.pay(f"p{part}", "acc_1", 60_00)
        books.pay(f"y{part}", "acc_yen", 500, currency="JPY")
        books.call("write_off", key=f"w{part}", invoice_id=invoice, type_id="write_off")
        books.run("select duly.mark_roll_up(), duly.fill_roll_ups()")
    books.pay("not sealed yet", "acc_1", 1)

    written = await cli.json("reports", "audit", str(tmp_path / "books"))

    seal = b""
    transfers = rows_of(tmp_path / "books" / "transfers.csv")
    for known in rows_of(tmp_path / "books" / "seals.csv"):
        after, upto = int(known["after_transfer_id"]), int(known["upto_transfer_id"])
        hashes = [
            hash_of(one)
            for one in sorted(transfers, key=lambda one: int(one["transfer_id"]))
            if after < int(one["transfer_id"]) <= upto
        ]
        assert known["previous_seal"] == seal.hex()
        seal = hashlib.sha256(seal + b"".join(hashes)).digest()
        assert known["seal"] == seal.hex()
    assert seal
    assert json.loads((tmp_path / "books" / "manifest.json").read_text())["files"] == written["files"]
    for one in written["files"]:
        content = (tmp_path / "books" / one["file"]).read_bytes()
        assert one["sha256"] == hashlib.sha256(content).hexdigest()


async def test_what_auditors_have_is_not_written_over(books: Books, cli: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("looked at")

    refused = await cli("reports", "audit", str(tmp_path), "--json")

    assert (refused.exit_code, refused.rules) == (1, [("folder", "folder_is_empty")])


async def test_reports_are_worked_out_again_from_the_export_alone(
    books: Books, owner: Books, cli: CommandLine, tmp_path: Path
) -> None:
    for seed, currency in ((5, "EUR"), (6, "JPY")):
        make_history(books, owner, seed, currency)
    days = ("--from", "2025-01-01", "--to", "2026-12-31")
    await cli.json("reports", "audit", str(tmp_path / "books"))
    transfers = rows_of(tmp_path / "books" / "transfers.csv")

    balances = await cli.json("reports", "run", "trial-balance", "--to", "2026-12-31")
    revenue = await cli.json("reports", "run", "monthly-revenue", *days)
    receipts = await cli.json("reports", "run", "monthly-receipts", *days)
    ageing = await cli.json("reports", "run", "ageing", "--to", "2026-12-31")

    posted = [
        (one[side], one["currency"], sign * minor(one, "amount"))
        for one in transfers
        for side, sign in (("debit_account", 1), ("credit_account", -1))
    ]
    controls = summed((control_of(account), currency, amount) for account, currency, amount in posted)
    assert controls == figures(balances, "ledger_account", "balance")
    assert {key: amount for key, amount in summed(posted).items() if key[0].startswith("receivable:") and amount} == {
        (f"receivable:{account}", currency): amount
        for (account, currency), amount in figures(ageing, "account_id", "balance").items()
        if amount
    }
    sold = summed(
        (one["posted_on"][:7], one["currency"], minor(one, "net"))
        for one in rows_of(tmp_path / "books" / "lines.csv")
        if one["classification"] in {"invoice", "credit_note", "invoice_cancellation"}
    )
    assert sold == without_nothing(figures(revenue, "month", "net"), sold)
    came = summed(
        (one["posted_on"][:7], one["currency"], -minor(one, "total"))
        for one in rows_of(tmp_path / "books" / "transactions.csv")
        if one["classification"] in {"payment", "payment_cancellation", "refund"}
    )
    assert came == without_nothing(figures(receipts, "month", "amount"), came)


def control_of(account: str) -> str:
    """Return the account of the trial balance: all accounts of a kind that people have are one."""
    kind = account.partition(":")[0]
    return kind if kind in {"receivable", "suspense", "written_off", "internal", "wallet"} else account


def minor(row: dict[str, str], name: str) -> int:
    return int(Decimal(row[name]).scaleb(exponent_of(row["currency"])))


def summed(amounts: Iterable[tuple[str, str, int]]) -> dict[tuple[str, str], int]:
    sums: Counter[tuple[str, str]] = Counter()
    for group, currency, amount in amounts:
        sums[group, currency] += amount
    return dict(sums)


def figures(report: Any, group: str, measure: str) -> dict[tuple[str, str], int]:
    return {(row[group], row["currency"]): row[f"{measure}_minor"] for row in report["rows"]}


def without_nothing(found: dict[tuple[str, str], int], known: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """Leave out the months of a report in which there was nothing."""
    return {key: amount for key, amount in found.items() if amount or key in known}
