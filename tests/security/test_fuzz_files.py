"""Files that were damaged, or made by somebody who means harm: each is read or refused in words, in little memory."""

import json
import random
import tracemalloc
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import islice
from pathlib import Path

import pytest

from activities.bank.missing.sent_refunds import refunds_in
from activities.bank.refund_file import Instruction, Payer, as_pain_001
from activities.configuration.document import DefinitionsDocument
from activities.documents import read_content, read_document
from activities.imports.csv_files import csv_rows
from activities.imports.spool import ImportSpool
from commands.bank.refund_confirmation import read_answers
from commands.bank.refund_export import read_payees
from commands.bank.statement_files import read_entries
from commands.disputes.disputes import read_evidence
from models.bank.payee import Payee
from models.card_number import holds_card_number
from models.imports.columns import ACCOUNTS, AWARDS, CARDS, COLUMNS, PAYMENT_REQUESTS, SENT_REFUNDS, SUBSCRIPTIONS
from models.imports.rows import ImportReference
from models.money import Money
from models.payments.request_rows import payment_request_line
from models.problem import Problem, RefusedError
from models.reductions.award_rows import award_row
from tests.bank.refund_files import status_report
from tests.bank.statements import camt, csv_statement, entry
from tests.house.source import ROOT
from tests.operations.test_cli_usage import commands
from tests.security.other_files import MAILBOXES, OTHERS, SWIFT, Read, reports_in, zipped
from tests.support.company import Company

SEED = 17
IN_THE_GATE, BY_NIGHT = 60, 2_000
MEMORY_BYTES = 32 * 1024 * 1024
REFERENCE = ImportReference(frozenset({"bread"}), frozenset({"net14"}), frozenset({"UTC"}), frozenset({"en"}))
VALUES = {
    "account_id": "acc_1", "owner_name": "Ada", "currency": "EUR", "product_id": "bread", "price": "9.99",
    "subscription_id": "sub_1", "billing_day": "31", "starts_on": "2026-11-01", "customer": "cus_1", "token": "pm_1",
    "brand": "visa", "last4": "4242", "exp_month": "12", "exp_year": "2030", "iban": "DE89370400440532013000",
    "name": "Ada", "reference": "rf_1", "status": "paid", "award_id": "aw_1", "merchant_id": "bakery", "amount": "2.50",
    "request_id": "req_1", "title": "Consulting", "valid_days": "14", "mail": "no", "description": "Refund 2026-11",
}  # fmt: skip
NASTY = (
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"'", b"\r", b"\n\n", b",,,,", b";", b"\xf0\x9f\x92\xb8", b"\xc3",
    b"9" * 400,
    b"4242 4242 4242 4242", b"1e400", b"-0.00", b"NaN", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;", b"]]>",
    b"<Ntry>", b"</Ntry>",
    b"=cmd|' /C calc'!A0", b"\xe2\x80\xae", b"[[", b"{", b"= {", b"\x1b[2J", b"../../etc/passwd", b"\t" * 300,
)  # fmt: skip


def table(source: str) -> str:
    """Write a file of two good rows."""
    names = [column.name for column in COLUMNS[source]]
    row = ",".join(VALUES.get(name, "") for name in names)
    return f"{','.join(names)}\n{row}\n{row.replace('_1', '_2')}\n"


def spooled(source: str) -> Read:
    """Return what reads a file of an import."""

    def read(path: Path) -> Iterator[object]:
        with closing(ImportSpool()) as spool:
            spool.read(source, path, REFERENCE)
            yield from spool.batches(10)

    return read


def one_of(read: Callable[[Path], object]) -> Read:
    return lambda path: [read(path)]


READERS: dict[str, tuple[str, Read]] = {
    "statement.csv": ("", read_entries),
    "statement.xml": ("", read_entries),
    "answers.csv": (table("answers"), read_answers),
    "answers.xml": ("", read_answers),
    "sent_refunds.csv": (table(SENT_REFUNDS), refunds_in),
    "sent_refunds.xml": ("", refunds_in),
    "payees.csv": (table("payees"), one_of(read_payees)),
    "awards.csv": (table(AWARDS), lambda path: csv_rows(AWARDS, path, award_row)),
    "payment_requests.csv": (
        table(PAYMENT_REQUESTS),
        lambda path: csv_rows(PAYMENT_REQUESTS, path, partial(payment_request_line, sender="maria", reason="asked")),
    ),
    "accounts.csv": (table(ACCOUNTS), spooled(ACCOUNTS)),
    "subscriptions.csv": (table(SUBSCRIPTIONS), spooled(SUBSCRIPTIONS)),
    "cards.csv": (table(CARDS), spooled(CARDS)),
    "definitions.toml": (
        (ROOT / "docs" / "definitions.example.toml").read_text(encoding="utf-8"),
        one_of(lambda path: read_document(path, DefinitionsDocument)),
    ),
    "transaction.json": (json.dumps({"classification": "invoice", "lines": [{"price": "9.99"}]}), one_of(read_content)),
    "evidence.toml": ('uncategorized_text = "He was there"\n', one_of(read_evidence)),
    **{name: ("", read) for name, (_, read) in OTHERS.items()},
    **dict.fromkeys(MAILBOXES, ("", reports_in)),
}
STATEMENTS = ("statement.csv", "statement.xml", "statement.sta", "statement.zip", "export.csv")
# What each command reads, by the option or argument that names the file.
FILES = {
    "accounts import file": ("accounts.csv",),
    "accounts import subscriptions": ("subscriptions.csv",),
    "accounts import cards": ("cards.csv",),
    "debits adopt file": ("debits.xml",),
    "debits confirm file": ("answers.xml", "answers.zip"),
    "definitions apply file": ("definitions.toml",),
    "definitions diff file": ("definitions.toml",),
    "disputes submit-evidence file": ("evidence.toml",),
    "import bank file": STATEMENTS,
    "import rates file": ("rates.xml", "rates.csv", "rates.zip"),
    "merchants apply file": ("merchants.toml",),
    "messages bounces file": tuple(MAILBOXES),
    "payment-requests attach file": ("offer.pdf",),
    "payment-requests create attach": ("offer.pdf",),
    "payment-requests import file": ("payment_requests.csv",),
    "reductions import file": ("awards.csv",),
    "refunds adopt file": ("sent_refunds.csv", "sent_refunds.xml"),
    "refunds adopt payees": ("payees.csv",),
    "refunds confirm file": ("answers.csv", "answers.xml", "answers.zip", *STATEMENTS),
    "refunds export payees": ("payees.csv",),
    "reports run file": ("report.toml",),
    "reports schedule set file": ("schedule.toml",),
    "reports show file": ("report.toml",),
    "transactions create document": ("transaction.json",),
    "transactions edit document": ("transaction.json",),
}


def good(folder: Path, name: str) -> bytes:
    """Return a file of a kind as somebody writes it."""
    written, _ = READERS[name]
    if kept := MAILBOXES.get(name) or OTHERS.get(name, (b"",))[0]:
        return kept
    match name:
        case "statement.csv":
            path = csv_statement(folder, ["B1,2026-05-20,10.00,EUR,,,INV-0000000012 thanks,Ann,"] * 2, name="good.csv")
        case "statement.xml":
            path = camt(
                folder, entry("B1", "20.00", text="INV-0000000012"), entry("B2", "1.00", payer="Ann"), name="g.xml"
            )
        case "answers.xml":
            path = status_report(folder, ("rf_1", "ACSC", ""), ("rf_2", "RJCT", "AC04"))
        case "sent_refunds.csv":
            return written.replace("rf_", "R").encode()
        case "sent_refunds.xml":
            refunds = [Instruction(f"R{n}", "acc_1", Money(700 * n, "EUR"), "Ada") for n in (1, 2)]
            payee, payer = Payee("acc_1", "Ada", VALUES["iban"]), Payer("Company ZX", VALUES["iban"])
            day = date(2026, 11, 28)
            return as_pain_001(refunds, {"acc_1": payee}, payer, period="2026-11", execute_on=day)
        case _:
            return written.encode()
    return Path(path).read_bytes()


def damaged(content: bytes, drawn: random.Random) -> bytes:
    """Damage a file in one to four places."""
    for _ in range(drawn.randint(1, 4)):
        at, length = drawn.randrange(len(content) + 1), drawn.choice((1, 2, 8, 60, 400))
        part = content[at : at + length]
        put = drawn.choice((b"", part + part, part[::-1], bytes(drawn.choices(range(256), k=3)), drawn.choice(NASTY)))
        content = content[:at] + put + content[at + drawn.choice((0, length)) :]
        if drawn.random() < 0.1:
            content = content[: drawn.randrange(len(content) + 1)]
    return content


def read_damaged(folder: Path, name: str, times: int) -> list[str]:
    """Read damaged files; return what each was refused for. Anything but a refusal is raised."""
    drawn, (_, read) = random.Random(f"{SEED} {name}"), READERS[name]
    whole, path, refused = good(folder, name), folder / name, []
    for _ in range(times):
        path.write_bytes(damaged(whole, drawn))
        try:
            problems = [one for one in islice(read(path), 10_000) if isinstance(one, Problem)]
        except RefusedError as error:
            problems = list(error.problems)
        # Where a line's number stands before digits of the file, both together are no number of a card.
        refused += [str(replace(problem, line=0)) for problem in problems]
    return refused


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("times", [IN_THE_GATE, pytest.param(BY_NIGHT, marks=pytest.mark.nightly)])
def test_a_damaged_file_is_read_or_refused_in_one_line_that_repeats_no_card_number(
    tmp_path: Path, name: str, times: int
) -> None:
    refused = read_damaged(tmp_path, name, times)

    assert refused or name in MAILBOXES
    assert [line for line in refused if holds_card_number(line) or "Traceback" in line] == []


def test_every_file_that_a_command_reads_is_damaged_here() -> None:
    reading = {
        f"{' '.join(words)} {one.name}"
        for words, command in commands()
        for one in command.params
        # What has to be there is read; of mail a folder or a pipe may stand there instead.
        if getattr(one.type_descriptor.parameter_info, "exists", False)
        or (words, one.name) == (("messages", "bounces"), "file")
    }

    assert FILES.keys() == reading
    assert {name for names in FILES.values() for name in names} == READERS.keys()


@pytest.mark.parametrize("name", READERS)
def test_the_file_that_is_damaged_is_good_before(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(good(tmp_path, name))

    assert [one for one in READERS[name][1](path) if isinstance(one, Problem)] == []


def test_a_name_in_a_zip_file_that_is_none_is_refused_or_read(tmp_path: Path) -> None:
    read, path = READERS["statement.zip"][1], tmp_path / "statement.zip"
    path.write_bytes(zipped(**{"": SWIFT}))
    unnamed = list(read(path))
    path.write_bytes(zipped(ä=SWIFT).replace("ä".encode(), b"\xff\xff"))

    with pytest.raises(RefusedError, match="zip_readable"):
        list(read(path))
    assert [one for one in unnamed if isinstance(one, Problem)] == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("statement.csv", b'bank_reference,booked_on,amount,currency\n"' + b"x" * 20_000_000),
        ("statement.xml", b"<Document><BkToCstmrStmt><Stmt>" + b"<Ntry>" * 300_000),
        ("statement.xml", b"<Document>" + b"<a/>" * 2_000_000),
        ("rates.csv", b"Date, USD\n2026-11-27, " + b"1" * 200_000),
        ("debits.xml", b"<Document><CstmrDrctDbtInitn><PmtInf>" + b"<DrctDbtTxInf>" * 300_000),
        ("mails.mbox", b"From x Mon Nov 30 10:00:00 2026\n" + (b"so much text " * 100 + b"\n") * 30_000),
        ("evidence.toml", b"uncategorized_text = " + b"9" * 5000),
        ("definitions.toml", b"x = 0x" + b"f" * 100_000),
        ("definitions.toml", b"x = " + b"[" * 100_000),
        ("transaction.json", b"[" * 100_000),
        ("evidence.toml", b"x = " + b"[" * 100_000),
    ],
)
def test_a_file_that_is_made_to_fill_the_memory_is_refused_before_it_does(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with suppress(RefusedError):
            deque(READERS[name][1](path), maxlen=0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < MEMORY_BYTES


@pytest.mark.nightly
async def test_a_damaged_statement_is_posted_line_by_line_or_not_at_all(company: Company, tmp_path: Path) -> None:
    drawn = random.Random(SEED)
    await company.cli.json(
        "accounts", "create", "acc_1", "--owner", "Ada", "--currency", "EUR", "--actor", "m", "--reason", "r"
    )
    for name in ("statement.csv", "statement.xml"):
        whole = good(tmp_path, name)
        for _ in range(40):
            (tmp_path / name).write_bytes(damaged(whole, drawn))
            imported = await company.cli("import", "bank", str(tmp_path / name), "--json")

            assert imported.exit_code in {0, 1}, imported.stderr
            assert "Traceback" not in imported.stderr
