"""A bank debit from its request to what a statement says of it: once, whatever comes twice, early or in part."""

import asyncio
import json
from pathlib import Path

import pytest

from activities.bank.statement_import import BankImport, Result
from activities.database import Database
from commands.bank.statement_files import read_entries
from models.bank.entry import BankEntry
from models.gateway.gateway_request import CollectOutcome
from tests.bank.debits.direct_debits import (
    BY,
    IBAN,
    OTHER_IBAN,
    DirectDebits,
    credited,
    credited_batch,
    returned,
    written,
)
from tests.bank.refund_files import file_report, status_report
from tests.bank.statements import camt, entry
from tests.support.attempts import broken_invariants
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine


@pytest.fixture
async def debits(merchant: Merchant, cli: CommandLine, database: Database, tmp_path: Path) -> DirectDebits:
    """A company that collects by bank debit."""
    debits = DirectDebits(merchant, cli, database, tmp_path)
    await debits.set_up()
    return debits


async def test_a_debit_is_pending_until_a_statement_brings_its_money(debits: DirectDebits) -> None:
    account = await debits.payer("c1")

    asked = await debits.collect(account)
    again = await debits.collect(account)
    exported = await debits.export()
    imported = await debits.statement(credited(asked.gateway_reference, "25.00"))
    answered = await debits.collect(account)

    assert (asked.outcome, asked.code) == (CollectOutcome.PROCESSING, "answers_later")
    assert again.gateway_reference == asked.gateway_reference
    assert [one["id"] for one in exported["debits"]] == [asked.gateway_reference]
    assert imported["summary"]["direct_debit"] == 1
    assert answered.outcome is CollectOutcome.SETTLED
    assert await debits.merchant.balance(account) == 0
    assert (await debits.ledger("bank"), await debits.ledger("gateway_clearing:sepa")) == (2500, 0)
    assert await broken_invariants(debits.merchant) == []


async def test_the_file_is_the_same_however_often_it_is_written(debits: DirectDebits) -> None:
    await debits.collect(await debits.payer("c1"))
    first = await debits.export("1.xml")
    await debits.collect(await debits.payer("c2"))

    again = await debits.export("2.xml", "--batch", first["batch"])

    assert again["debits"] == first["debits"]
    assert (debits.folder / "2.xml").read_bytes() == (debits.folder / "1.xml").read_bytes()
    (debit,) = written(debits.folder / "1.xml")
    assert (debit["mandate"], debit["amount"], debit["iban"], debit["type"]) == ("M-c1", "25.00", IBAN, "FRST")
    assert debit["payer"] == "Zoe Angstrom + Co"
    assert (debits.folder / "1.xml").stat().st_mode & 0o077 == 0


async def test_what_the_bank_refuses_before_money_moves_is_declined(debits: DirectDebits, tmp_path: Path) -> None:
    poor, closed = await debits.payer("c1"), await debits.payer("c2")
    ids = [(await debits.collect(one)).gateway_reference for one in (poor, closed)]
    await debits.export()
    report = status_report(tmp_path, (ids[0], "RJCT", "AM04"), (ids[1], "RJCT", "AC04"))

    applied = await debits.cli.json("debits", "confirm", report, *BY)
    repeated = await debits.cli.json("debits", "confirm", report, *BY)

    assert (applied["summary"]["rejected"], repeated["summary"]["unchanged"]) == (2, 2)
    assert [(await debits.collect(one)).code for one in (poor, closed)] == ["AM04", "AC04"]
    # The first may be debited again, and it is its first debit still; the other account is closed.
    states = [
        ((await debits.mandate(one))["state"], (await debits.mandate(one))["state_reason"]) for one in (poor, closed)
    ]
    assert states == [("signed", ""), ("suspended", "AC04")]
    assert (await debits.collect(closed, 2)).outcome is CollectOutcome.NO_CARD
    assert (await debits.collect(poor, 2)).outcome is CollectOutcome.PROCESSING


async def test_money_that_is_taken_back_is_owed_again_and_the_bank_s_charges_are_ours(debits: DirectDebits) -> None:
    account = await debits.payer("c1")
    debit = (await debits.collect(account)).gateway_reference
    await debits.export()
    # The bank lists the newest line first.
    lines = (returned(debit, "28.50", "MD06"), credited(debit, "25.00"))

    imported = await debits.statement(*lines)
    again = await debits.statement(*lines)

    assert (imported["summary"]["direct_debit"], again["summary"]["unchanged"]) == (2, 2)
    assert await debits.state(debit) == "returned"
    assert await debits.merchant.balance(account) == 2500
    assert (await debits.mandate(account))["state"] == "suspended"
    names = ("bank", "gateway_clearing:sepa", "gateway_fees:sepa")
    assert [await debits.ledger(name) for name in names] == [-350, 0, 350]
    assert await broken_invariants(debits.merchant) == []


@pytest.mark.nightly
async def test_one_credit_for_a_file_settles_what_the_bank_has_not_refused(
    debits: DirectDebits, tmp_path: Path
) -> None:
    ids = [(await debits.collect(await debits.payer(f"c{n}", 1000 * n))).gateway_reference for n in (1, 2, 3)]
    batch = (await debits.export())["batch"]
    too_much = await debits.statement(credited_batch(f"{batch}-1", "60.01"), name="1.xml")
    await debits.cli.json("debits", "confirm", status_report(tmp_path, (ids[1], "RJCT", "AM04")), *BY)

    settled = await debits.statement(credited_batch(f"{batch}-1", "40.00", "B2"), name="2.xml")

    # What nobody can tell is somebody's to look at.
    assert too_much["summary"]["suspense"] == 1
    assert settled["summary"]["direct_debit"] == 1
    assert [await debits.state(one) for one in ids] == ["collected", "rejected", "collected"]
    assert await broken_invariants(debits.merchant) == []


async def test_an_answer_may_come_before_anybody_noted_the_file_as_sent(debits: DirectDebits, tmp_path: Path) -> None:
    await debits.collect(await debits.payer("c1"))
    batch = (await debits.export())["batch"]
    unknown = file_report(tmp_path, group="DDB-9999=RJCT", code="FF01")
    refused = await debits.cli("debits", "confirm", unknown, *BY, "--json")

    whole = file_report(tmp_path, group=f"{batch}=RJCT", code="FF01")
    applied = await debits.cli.json("debits", "confirm", whole, *BY)

    assert [one["rule"] for one in json.loads(refused.stdout)["problems"]] == ["batch_exists"]
    assert applied["summary"]["rejected"] == 1
    assert await debits.merchant.value("select state from duly.debit_batches where id = :id", id=batch) == "sent"


async def test_a_cancelled_mandate_is_debited_no_more(debits: DirectDebits) -> None:
    account = await debits.payer("c1")
    await debits.collect(account)

    await debits.cli.json("mandates", "cancel", "M-c1", "--yes", *BY)

    assert (await debits.export())["batch"] is None
    assert (await debits.collect(account)).code == "MD01"
    assert (await debits.mandate(account))["state"] == "cancelled"


@pytest.mark.nightly
async def test_a_payer_may_change_the_bank_account_and_keep_the_mandate(debits: DirectDebits) -> None:
    account = await debits.payer("c1", 1000)
    first = (await debits.collect(account)).gateway_reference
    await debits.export("1.xml")
    await debits.statement(credited(first, "10.00"))
    await debits.cli.json("mandates", "amend", "M-c1", "--iban", OTHER_IBAN, *BY)
    await debits.merchant.invoice(account, 2000)

    await debits.collect(account, period="2026-12")
    await debits.export("2.xml")

    (debit,) = written(debits.folder / "2.xml")
    assert (debit["type"], debit["amended"], debit["iban"]) == ("RCUR", "true", OTHER_IBAN)
    shown = await debits.mandate(account)
    assert (shown["state"], shown["iban_end"], shown["is_amended"]) == ("active", OTHER_IBAN[-4:], False)


@pytest.mark.nightly
async def test_a_change_of_bank_account_is_named_again_when_its_debit_was_refused(
    debits: DirectDebits, tmp_path: Path
) -> None:
    account = await debits.payer("c1", 1000)
    first = (await debits.collect(account)).gateway_reference
    await debits.export("1.xml")
    await debits.statement(credited(first, "10.00"))
    await debits.cli.json("mandates", "amend", "M-c1", "--iban", OTHER_IBAN, *BY)
    await debits.merchant.invoice(account, 2000)
    second = (await debits.collect(account, period="2026-12")).gateway_reference
    await debits.export("2.xml")
    await debits.cli.json("debits", "confirm", status_report(tmp_path, (second, "RJCT", "AM04")), *BY)

    await debits.collect(account, 2, period="2026-12")
    await debits.export("3.xml")

    assert [(debit["amended"], debit["iban"]) for debit in written(debits.folder / "3.xml")] == [("true", OTHER_IBAN)]


async def test_a_mandate_ends_after_36_months_without_a_debit(debits: DirectDebits) -> None:
    account = await debits.payer("c1")
    await debits.merchant.run("update duly.mandates set signed_on = current_date - interval '36 months'")

    result = await debits.collect(account)

    assert result.outcome is CollectOutcome.NO_CARD
    assert (await debits.mandate(account))["state"] == "expired"
    assert (await debits.cli.json("mandates", "list", "--state", "active"))["mandates"] == []
    assert len((await debits.cli.json("mandates", "list", "--state", "expired"))["mandates"]) == 1


async def test_nothing_is_taken_by_a_mandate_that_ended_or_was_stopped_before_its_file_is_written(
    debits: DirectDebits,
) -> None:
    for account in ("c1", "c2", "c3"):
        await debits.collect(await debits.payer(account))
    await debits.merchant.run("update duly.mandates set signed_on = '2020-01-15' where id = 'M-c1'")
    await debits.merchant.run("update duly.mandates set state = 'suspended', state_reason = 'AC04' where id = 'M-c2'")

    exported = await debits.export()

    assert [debit["mandate"] for debit in written(debits.folder / "debits.xml")] == ["M-c3"]
    assert len(exported["debits"]) == 1
    assert [(await debits.collect(account)).code for account in ("c1", "c2")] == ["MD01", "AC04"]
    states = [(await debits.mandate(account))["state"] for account in ("c1", "c2", "c3")]
    assert states == ["expired", "suspended", "active"]
    assert await broken_invariants(debits.merchant) == []


async def test_an_iban_is_in_no_answer(debits: DirectDebits) -> None:
    await debits.collect(await debits.payer("c1"))
    await debits.export()

    printed = [
        await debits.cli(*words) for words in (("mandates", "show", "M-c1"), ("mandates", "list"), ("debits", "list"))
    ]

    assert all(one.exit_code == 0 and IBAN not in one.stdout for one in printed)


async def test_a_credit_of_who_pays_by_debit_goes_back_by_a_transfer(debits: DirectDebits) -> None:
    account = await debits.payer("cust-1001")
    asked = await debits.collect(account)
    await debits.export()
    await debits.statement(credited(asked.gateway_reference, "25.00"), entry("B2", "10.00", text=account))

    written = debits.folder / "refunds.csv"
    payment = await debits.merchant.value("select id from duly.financial_transactions where provider = 'sepa'")
    refused = [await debits.cli("refunds", what, payment, *BY, "--json") for what in ("create", "cancel")]
    exported = await debits.cli.json("refunds", "export", "2026-11", str(written), "--format", "csv", *BY)

    # What could never be sent is asked of nobody.
    assert [one.rules for one in refused] == [[("payment", "refund_by_transfer")]] * 2
    assert [(one["account_id"], one["amount_minor"]) for one in exported["refunds"]] == [(account, 1000)]


async def test_two_imports_of_one_statement_at_once_book_its_money_once(debits: DirectDebits, tmp_path: Path) -> None:
    account = await debits.payer("c1")
    debit = (await debits.collect(account)).gateway_reference
    await debits.export()
    entries = [
        one for one in read_entries(Path(camt(tmp_path, credited(debit, "25.00")))) if isinstance(one, BankEntry)
    ]

    both = await asyncio.gather(*(BankImport(debits.database, actor="maria").write(entries) for _ in range(2)))

    outcomes = sorted(str(one.outcome) for results in both for one in results if isinstance(one, Result))
    assert outcomes == ["direct_debit", "unchanged"]
    assert (await debits.ledger("bank"), await debits.ledger("gateway_clearing:sepa")) == (2500, 0)


@pytest.mark.nightly
async def test_what_is_far_above_its_debit_is_refused_by_name_and_costs_no_other_line(debits: DirectDebits) -> None:
    ids = [(await debits.collect(await debits.payer(one))).gateway_reference for one in ("c1", "c2")]
    await debits.export()
    await debits.statement(*(credited(debit, "25.00", f"B{debit}") for debit in ids), name="1.xml")
    lines = (returned(ids[0], "75.01", "MS03", "R1"), returned(ids[1], "75.00", "MS03", "R2"))

    imported = await debits.cli("import", "bank", camt(debits.folder, *lines, name="2.xml"), "--json")

    problems = json.loads(imported.stdout)["problems"]
    assert [(one["rule"], one["field"]) for one in problems] == [("charges_within_limit", "amount")]
    assert [await debits.state(one) for one in ids] == ["collected", "returned"]
    assert await broken_invariants(debits.merchant) == []


async def test_a_mandate_that_expires_before_the_day_of_collection_is_not_debited(debits: DirectDebits) -> None:
    account = await debits.payer("c1")
    await debits.merchant.run(
        "update duly.mandates set signed_on = current_date - interval '36 months' + interval '5 days'"
    )
    await debits.merchant.run("update duly.creditors set notice_days = 14")

    assert (await debits.collect(account)).code == "MD01"
    assert (await debits.mandate(account))["state"] == "signed"
