"""What auditors get: everything that was posted, from which they work the seals out themselves."""

import csv
import hashlib
import json
from decimal import Decimal
from pathlib import Path

from models.currency import exponent_of
from tests.ledger.books import Books
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
