"""What a bank takes back: whole, once, after it was brought, one debit or several; else it is refused by name."""

import json
from pathlib import Path

import pytest

from activities.database import Database
from tests.bank.debits.direct_debits import BY, DirectDebits, credited, credited_batch, returned
from tests.bank.refund_files import status_report
from tests.bank.statements import camt, detail, entry
from tests.support.attempts import broken_invariants
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

SUSPENSE = "suspense:acc_suspense_eur"


@pytest.fixture
async def debits(merchant: Merchant, cli: CommandLine, database: Database, tmp_path: Path) -> DirectDebits:
    """A company that collects by bank debit."""
    debits = DirectDebits(merchant, cli, database, tmp_path)
    await debits.set_up()
    return debits


async def refusals(debits: DirectDebits, *lines: str, name: str) -> list[tuple[str, str]]:
    """Import a statement, and return which lines were refused, by their rule and what is said of it."""
    imported = await debits.cli("import", "bank", camt(debits.folder, *lines, name=name), "--json")
    problems = json.loads(imported.stdout)["problems"]
    assert imported.exit_code == (1 if problems else 0)
    return [(one["rule"], one["message"]) for one in problems]


async def test_a_return_that_cannot_be_booked_is_refused_by_name_until_it_can(debits: DirectDebits) -> None:
    account = await debits.payer("c1")
    debit = (await debits.collect(account)).gateway_reference
    await debits.export()
    line = returned(debit, "25.00", "AM04")

    early = await refusals(debits, line, name="1.xml")
    await debits.statement(credited(debit, "25.00"), name="2.xml")
    in_part = await refusals(debits, returned(debit, "10.00", "AM04", "R0"), name="3.xml")
    in_time = await refusals(debits, line, name="1.xml")
    again = await refusals(debits, returned(debit, "25.00", "AM04", "R2"), line, name="4.xml")

    assert early == [
        (
            "debit_was_collected",
            f"25.00 EUR takes back {debit}: import the statement that brought its money, then this one again",
        )
    ]
    assert in_part == [
        ("debit_was_collected", f"10.00 EUR takes back {debit}: it brought 25.00 EUR, and a debit is taken back whole")
    ]
    assert (in_time, await debits.state(debit), await debits.merchant.balance(account)) == ([], "returned", 2500)
    assert again == [("debit_was_collected", f"25.00 EUR takes back {debit}: it was taken back already")]
    assert (await debits.ledger("bank"), await debits.ledger("gateway_clearing:sepa")) == (0, 0)


@pytest.mark.nightly
async def test_several_debits_that_one_line_takes_back_are_returned_with_the_charges_for_all(
    debits: DirectDebits,
) -> None:
    ids = [(await debits.collect(await debits.payer(f"c{n}", 1000 * n))).gateway_reference for n in (1, 2, 3)]
    await debits.export()
    await debits.statement(*(credited(id, f"{10 * n}.00", f"B{n}") for n, id in enumerate(ids, 1)), name="1.xml")
    details = "".join(f"<TxDtls>{detail(end_to_end=id)}</TxDtls>" for id in ids[:2])

    too_much = await refusals(debits, entry("R1", "130.01", side="DBIT", details=details), name="2.xml")
    await debits.statement(entry("R2", "36.00", side="DBIT", details=details), name="3.xml")

    assert [rule for rule, _ in too_much] == ["charges_within_limit"]
    assert [await debits.state(one) for one in ids] == ["returned", "returned", "collected"]
    assert [(await debits.mandate(f"c{n}"))["state"] for n in (1, 2)] == ["active", "active"]
    names = ("bank", "gateway_clearing:sepa", "gateway_fees:sepa")
    assert [await debits.ledger(name) for name in names] == [2400, 0, 600]
    assert await broken_invariants(debits.merchant) == []


async def test_a_file_that_comes_whole_though_the_bank_had_refused_a_part_of_it_is_settled_and_that_part_waits(
    debits: DirectDebits,
) -> None:
    ids = [(await debits.collect(await debits.payer(f"c{n}", 1000 * n))).gateway_reference for n in (1, 2, 3)]
    batch = (await debits.export())["batch"]
    await debits.cli.json("debits", "confirm", status_report(debits.folder, (ids[1], "RJCT", "AM04")), *BY)

    came = await debits.statement(credited_batch(f"{batch}-1", "60.00"), name="1.xml")
    waiting = [await debits.ledger(name) for name in ("bank", "gateway_clearing:sepa", SUSPENSE)]
    taken = [await refusals(debits, returned(ids[1], "23.50", "AM04"), name="2.xml") for _ in range(2)]
    again = await refusals(debits, returned(ids[1], "20.00", "AM04", "R2"), name="3.xml")

    assert [(one["outcome"], one["reason"]) for one in came["entries"]] == [
        ("direct_debit", f"{batch}-1 (refused: {ids[1]})")
    ]
    assert (waiting, taken) == ([6000, 0, -2000], [[], []])
    assert [rule for rule, _ in again] == ["debit_was_collected"]
    assert [await debits.state(one) for one in ids] == ["collected", "rejected", "collected"]
    assert [await debits.merchant.balance(f"c{n}") for n in (1, 2, 3)] == [0, 2000, 0]
    names = ("bank", "gateway_clearing:sepa", "gateway_fees:sepa", SUSPENSE)
    assert [await debits.ledger(name) for name in names] == [3650, 0, 350, 0]
    assert await broken_invariants(debits.merchant) == []


@pytest.mark.gate_cases("True")
@pytest.mark.parametrize("is_moved", [False, True])
async def test_money_of_a_refused_debit_is_taken_back_from_suspense_or_from_whom_it_was_given(
    debits: DirectDebits, is_moved: bool
) -> None:
    account = await debits.payer("c1")
    debit = (await debits.collect(account)).gateway_reference
    await debits.export()
    await debits.cli.json("debits", "confirm", status_report(debits.folder, (debit, "RJCT", "AM04")), *BY)

    came = await debits.statement(credited(debit, "25.00"), name="1.xml")
    if is_moved:
        payment = "select id from duly.financial_transactions where payment_reference = :debit"
        brought = await debits.merchant.value(payment, debit=debit)
        await debits.cli.json("transactions", "move", brought, account, *BY)
    meanwhile = await debits.merchant.balance(account)
    await debits.statement(returned(debit, "25.00", "AM04"), name="2.xml")

    assert (came["summary"]["suspense"], meanwhile) == (1, 0 if is_moved else 2500)
    assert await debits.merchant.balance(account) == 2500
    assert [await debits.ledger(name) for name in ("bank", "gateway_clearing:sepa", SUSPENSE)] == [0, 0, 0]
    assert await broken_invariants(debits.merchant) == []


async def test_what_the_bank_says_without_a_file_is_noted_once_and_not_of_what_has_been_paid(
    debits: DirectDebits,
) -> None:
    refused, paid = [(await debits.collect(await debits.payer(name))).gateway_reference for name in ("c1", "c2")]
    await debits.export()
    await debits.statement(credited(paid, "25.00"), name="1.xml")

    noted = [await debits.cli.json("debits", "refuse", refused, "--code", "AC04", *BY) for _ in range(2)]
    wrong = [
        (await debits.cli("debits", "refuse", *words, *BY, "--json")).rules
        for words in (
            (paid, "--code", "AC04"),
            ("DD-999", "--code", "AC04"),
            (refused, "--code", "closed"),
            (refused, "--code", "AM05"),
        )
    ]

    assert [one["outcome"] for one in noted] == ["rejected", "unchanged"]
    assert (await debits.mandate("c1"))["state"] == "suspended"
    assert [rule for [(_, rule)] in wrong] == ["debit_waits", "debit_exists", "iso_20022_code", "payment_sent_twice"]
    assert await broken_invariants(debits.merchant) == []


@pytest.mark.nightly
async def test_a_debit_that_returns_for_an_invoice_with_a_credit_note_leaves_what_is_owed(debits: DirectDebits) -> None:
    account = await debits.payer("c1")
    debit = (await debits.collect(account)).gateway_reference
    await debits.export()
    await debits.statement(credited(debit, "25.00"), name="1.xml")
    invoice = await debits.merchant.value("select id from duly.financial_transactions where classification = 'invoice'")
    note = ("create", "credit_note", account, "--line", "product=plan,price=10.00,tax_rate=none", "--invoice", invoice)
    await debits.cli.json("transactions", *note, *BY)

    await debits.statement(returned(debit, "25.00", "MS03"), name="2.xml")

    assert await debits.merchant.balance(account) == 1500
    assert await broken_invariants(debits.merchant) == []
