"""Files of refunds that the bank has and a restored database has forgotten: nobody is paid twice, nothing is lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.bank.bank_refunds import BankRefundActivities
from activities.database import SendingHeldError
from sandbox.servers.postgres import PostgresServer
from tests.bank.refund_files import IBANS, PAYER, answers, message_id, payees, transfers
from tests.bank.statements import camt, detail, entry
from tests.recovery.conftest import Backup, Books
from tests.recovery.steps import owner_of, pass_time
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine, CommandResult

MONTH = "2026-11"
WHY = ("--reason", "the disk was lost")
BY = ("--actor", "maria", "--reason", "the bank has it since Monday")


@dataclass(frozen=True)
class Restored:
    """A database that was restored from a backup, at work again."""

    books: Books
    cli: CommandLine
    folder: Path

    async def __call__(self, *words: str) -> CommandResult:
        return await self.cli(*words, "--json", DULY_DATABASE_URL=self.books.url)

    async def answer(self, *words: str) -> Any:
        done = await self(*words)
        assert done.exit_code == 0, done.stderr + done.stdout
        return done.document

    async def export(self, name: str, *accounts: str, period: str = MONTH) -> Any:
        known = payees(self.folder, *accounts, name=f"{name}.csv")
        return await self.answer(
            "refunds", "export", period, str(self.folder / name), *PAYER, "--payees", known, "--include-gateway"
        )

    async def adopt(self, file: str, *words: str) -> Any:
        return (await self("refunds", "adopt", file, *BY, *words)).document

    async def settled(self) -> Any:
        (left,) = (await self.answer("recover", "show"))["files"]
        return await self.answer("recover", "settle", left, "--reason", "all files of the gap are known")

    async def balances(self, *accounts: str) -> list[int]:
        return [await self.books.merchant.balance(account) for account in accounts]


async def in_credit(merchant: Merchant, **paid: int) -> None:
    for account, amount in paid.items():
        await merchant.account(account, cards=(), owes_minor=0)
        await merchant.transfer(account, amount)


async def recovered(restored: Restored, server: PostgresServer) -> None:
    owner_url = owner_of(restored.books, server)
    await restored.answer("recover", "declare", *WHY, "--moment", "2026-11-01T10:00:00")
    await pass_time(restored.books, owner_url, minutes=16)
    await restored.answer("recover", "read")
    await pass_time(restored.books, owner_url, minutes=11)
    await restored.answer("recover", "read")
    await restored.answer("recover", "release", *WHY)


@pytest.fixture
async def forgotten(
    merchant: Merchant, cli: CommandLine, backup: Backup, postgres_server: PostgresServer, tmp_path: Path
) -> Restored:
    """A company whose file of the month was written, and given to the bank, after the backup that is restored now."""
    await in_credit(merchant, c1=1250, c2=700)
    bring_back = await backup()
    known = payees(tmp_path, "c1", "c2")
    await cli.json("refunds", "export", MONTH, str(tmp_path / "sent.xml"), *PAYER, "--payees", known)
    restored = Restored(await bring_back(), cli, tmp_path)
    await recovered(restored, postgres_server)
    return restored


def references(sent: Path) -> Sequence[str]:
    return [reference for reference, *_ in transfers(sent)]


async def test_no_refund_is_written_before_the_bank_s_files_are_known_and_each_is_paid_once(
    forgotten: Restored,
) -> None:
    sent = forgotten.folder / "sent.xml"
    known = str(forgotten.folder / "payees.csv")

    held = await forgotten("refunds", "export", MONTH, str(forgotten.folder / "twice.xml"), *PAYER, "--payees", known)
    first = await forgotten.adopt(str(sent), "--payees", known)
    again = await forgotten.adopt(str(sent), "--payees", known)
    await forgotten.settled()
    after = await forgotten.export("after.xml", "c1", "c2")
    next_month = await forgotten.export("december.xml", "c1", "c2", period="2026-12")
    rows = [f"{reference},paid,{amount}," for reference, amount, *_ in transfers(sent)]
    paid = await forgotten.answer("refunds", "confirm", answers(forgotten.folder, *rows))

    assert [rule for _, rule in held.rules] == ["files_are_known"]
    assert (first["summary"], again["summary"]) == (
        {"adopted": 2, "unchanged": 0, "refused": 0},
        {"adopted": 0, "unchanged": 2, "refused": 0},
    )
    assert [one["reference"] for one in first["refunds"]] == references(sent)
    assert (after["file"], [one["state"] for one in after["refunds"]]) == (None, ["draft", "draft"])
    assert next_month["refunds"] == []
    assert paid["summary"]["posted"] == 2
    assert await forgotten.balances("c1", "c2") == [0, 0]


@pytest.mark.nightly
async def test_recover_and_doctor_say_that_files_wait_until_a_person_has_settled_them(forgotten: Restored) -> None:
    before = await forgotten.cli("recover", "show", DULY_DATABASE_URL=forgotten.books.url)
    doctor = await forgotten("doctor")
    await forgotten.settled()
    after = await forgotten.answer("recover", "show")

    assert "recover settle refund-files/2" in before.stdout
    assert "refund-files/2" in doctor.stdout
    assert after["files"] == []


@pytest.mark.nightly
async def test_what_the_bank_answers_or_books_is_shown_as_well_as_the_file(forgotten: Restored) -> None:
    (first, amount, *_), (second, other, *_) = transfers(forgotten.folder / "sent.xml")
    known = str(forgotten.folder / "payees.csv")
    text = f"<RmtInf><Ustrd>Refund {MONTH}</Ustrd></RmtInf>"
    payee = f"<RltdPties><CdtrAcct><Id><IBAN>{IBANS['c1']}</IBAN></Id></CdtrAcct></RltdPties>"
    booked = f"<TxDtls>{detail(end_to_end=first)}{payee}{text}</TxDtls>"
    statement = camt(forgotten.folder, entry("B1", amount, side="DBIT", details=booked))
    report = forgotten.folder / "status.xml"
    report.write_text(
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt><OrgnlGrpInfAndSts>'
        f"<OrgnlMsgId>{message_id(forgotten.folder / 'sent.xml')}</OrgnlMsgId></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts>"
        f"<TxInfAndSts><OrgnlEndToEndId>{second}</OrgnlEndToEndId><TxSts>ACSC</TxSts><OrgnlTxRef>"
        f'<Amt><InstdAmt Ccy="EUR">{other}</InstdAmt></Amt><CdtrAcct><Id><IBAN>{IBANS["c2"]}</IBAN></Id></CdtrAcct>'
        "</OrgnlTxRef></TxInfAndSts></OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    )

    by_statement = await forgotten.adopt(statement, "--payees", known)
    by_answer = await forgotten.adopt(str(report), "--payees", known)
    paid = [
        (await forgotten.answer("refunds", "confirm", file))["summary"]["posted"] for file in (statement, str(report))
    ]

    assert [one["account_id"] for one in by_statement["refunds"] + by_answer["refunds"]] == ["c1", "c2"]
    assert paid == [1, 1]
    assert await forgotten.balances("c1", "c2") == [0, 0]


@pytest.mark.nightly
async def test_a_refund_whose_account_nobody_can_tell_is_named_and_adopted_by_a_file_that_names_it(
    forgotten: Restored,
) -> None:
    sent = forgotten.folder / "sent.xml"
    first, _ = references(sent)
    named = forgotten.folder / "named.csv"
    header = "reference,account_id,amount,currency,description"
    named.write_text(f"{header}\n{first},c1,12.50,EUR,Refund {MONTH}\n")

    unknown = await forgotten.adopt(str(sent))
    adopted = await forgotten.adopt(str(named))
    named.write_text(f"{header}\n{first},c1,12.51,EUR,Refund {MONTH}\nR999999999,c2,7.00,EUR,Refund {MONTH}\n")
    wrong = await forgotten.adopt(str(named))
    await forgotten.settled()
    late = await forgotten.adopt(str(sent), "--payees", str(forgotten.folder / "payees.csv"))

    assert [one["rule"] for one in unknown["problems"]] == ["account_of_refund", "account_of_refund"]
    assert adopted["summary"]["adopted"] == 1
    assert [one["rule"] for one in wrong["problems"]] == ["refund_of_file", "refund_of_file"]
    assert (late["summary"]["unchanged"], [one["rule"] for one in late["problems"]]) == (1, ["file_is_missing"])


@pytest.mark.nightly
async def test_a_month_of_the_schedule_waits_for_the_files_and_adds_nobody_to_what_the_bank_has(
    forgotten: Restored,
) -> None:
    schedule = BankRefundActivities(forgotten.books.database)
    with pytest.raises(SendingHeldError, match="files of refunds"):
        await ActivityEnvironment().run(schedule.open_bank_refunds, MONTH)

    await forgotten.adopt(str(forgotten.folder / "sent.xml"), "--payees", str(forgotten.folder / "payees.csv"))
    await forgotten.settled()
    month = await ActivityEnvironment().run(schedule.open_bank_refunds, MONTH)

    assert (month.state, month.refunds) == ("released", 2)
