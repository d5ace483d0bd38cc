"""Bugs seeded into the ledger's functions. Each must be found by the histories, else the histories prove little."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.ledger.books import Books
from tests.ledger.histories.ledger_history import Disagreement, LedgerHistory
from tests.ledger.histories.test_histories import Seeded

STEPS = 150
HISTORIES = 40
# What side a document is on, what it settles, and what a cancellation undoes: the gate sees these found.
GATED = {"side_of", "allocate_fifo", "cancel_locked", "look_up", "apply_allocations"}


@dataclass(frozen=True)
class Mutant:
    """A change to one function's text that breaks it."""

    function: str
    before: str
    after: str


MUTANTS = (
    Mutant("side_of", "'refund', 'payment_cancellation'", "'payment_cancellation'"),
    Mutant("assign_posting", "version = b.version + 1", "version = b.version + 2"),
    Mutant("assign_posting", "else -t.total_minor", "else -t.total_minor + 1"),
    Mutant("made_before", "v_hash <> p_hash", "false"),
    Mutant("made_before", "return v_id", "return null"),
    Mutant("allocate_fifo", "least(c.open_minor, d.open_minor)", "d.open_minor"),
    Mutant("allocate_fifo", "order by sort_on, account_version", "order by account_version"),
    Mutant("allocate_fifo", "order by sort_on, account_version", "order by sort_on desc, account_version"),
    Mutant("allocate_new", "order by sort_on, account_version", "order by sort_on, account_version desc"),
    Mutant("allocate_new", "exit when v_left = 0", "exit"),
    Mutant("allocate_addressed", "order by i.sort_on, i.account_version", "order by i.account_version desc"),
    Mutant(
        "allocate_addressed",
        "and (select t.state from duly.financial_transactions t where t.id = i.transaction_id) = 'posted'",
        "",
    ),
    Mutant("allocate_addressed", "and i.allocated_minor = i.amount_minor", ""),
    Mutant("allocate_addressed", "if v_settled_ids <> '{}'", "if false"),
    Mutant("displace", "where x.kept_minor < x.amount_minor", "where x.kept_minor = 0"),
    Mutant(
        "displace", "order by c.sort_on, c.account_version, a.id", "order by c.sort_on desc, c.account_version desc"
    ),
    Mutant("settle", "= 'against_item_and_fifo'", "is not null"),
    Mutant("settle", "perform duly.allocate_fifo(t.account_id);", ""),
    Mutant("cancel_locked", "perform duly.deallocate(o.id);", ""),
    Mutant("cancel_locked", "perform duly.allocate_fifo(t.account_id);", ""),
    Mutant("cancel_locked", "set state = 'cancelled'", "set state = 'posted'"),
    Mutant("cancel", "perform duly.refuse_terminated(a);", ""),
    Mutant("cancel", "if o.state <> 'posted'", "if o.state = 'draft'"),
    Mutant("write_off", "w.total_minor := duly.unsettled(o.id);", ""),
    Mutant("write_off", "m := duly.post_mirror(w);", "m := w;"),
    Mutant("check_write_off", "if duly.unsettled(o.id) = 0", "if false"),
    Mutant("check_move", "perform duly.refuse_terminated(d);", ""),
    Mutant("post_moved_payment", "perform duly.settle(t);", ""),
    Mutant("quick_pay", "t.total_minor := duly.unsettled(o.id)", "t.total_minor := o.total_minor"),
    Mutant("quick_pay", "t.addressed_invoice_ids := array[o.id]", "t.addressed_invoice_ids := '{}'"),
    Mutant("post_gateway_draft", "t.account_id := duly.system_account('suspense', t.currency);", ""),
    Mutant("post_draft", "perform duly.refuse_terminated(a);", ""),
    Mutant("check_credit_limit", "> a.credit_limit_minor", ">= a.credit_limit_minor"),
    Mutant("check_addressed", "i.account_id = t.account_id and ", ""),
    Mutant("is_payable", "duly.unsettled(t.id) > 0", "false"),
    Mutant("number_in_series", "+ u.ordinality", "+ u.ordinality + 1"),
    Mutant("look_up", "b.version + row_number() over v", "b.version + 1"),
    Mutant("look_up", "sum(l.total_minor) over v", "l.total_minor"),
    Mutant("look_up", "b.balance_minor < 0 as meets_credit", "false as meets_credit"),
    Mutant("settle_documents", "where d.meets_credit", "where false"),
    Mutant("allocate_open", "order by sort_on, account_version", "order by account_version desc"),
    Mutant("allocate_open", "filter (where e.side = 'debit')", "filter (where e.side = 'credit')"),
    Mutant("allocate_open", "- coalesce(lead(e.up_to)", "- 0 * coalesce(lead(e.up_to)"),
    Mutant("allocate_open", "order by e.up_to desc", "order by e.up_to"),
    Mutant("write_line_transfers", "('vat_payable', l.tax_minor)", "('vat_payable', 0)"),
    Mutant("write_reversing_transfers", "o.credit_account, o.debit_account", "o.debit_account, o.credit_account"),
    Mutant("reject_draft", "perform duly.refuse_draft_under_way(t, p_is_bank_answer);", ""),
    Mutant("edit_draft", "perform duly.refuse_draft_under_way(t);", ""),
    Mutant("edit_draft", "set total_minor = t.total_minor,", "set"),
    Mutant("fill_roll_ups", "x.transfer_id > r.after_transfer_id", "x.transfer_id >= r.after_transfer_id"),
    Mutant("apply_allocations", "+ m.amount_minor", "+ 0"),
    Mutant("undo_allocations", "- s.amount_minor", "- 0"),
)


@pytest.fixture(scope="module")
def sources() -> str:
    folder = Path(__file__).parents[3] / "migrations" / "functions" / "ledger"
    return "\n".join(script.read_text() for script in sorted(folder.glob("*.sql")))


def mutated(definition: str, mutant: Mutant) -> str:
    """Return a function's definition with the bug in it; a mutant that no longer applies is an error of the test."""
    assert mutant.before in definition, f"{mutant} does not apply any more"
    return definition.replace(mutant.before, mutant.after)


def is_found(books: Books, owner: Books, first_currency: int) -> bool:
    """Tell histories until the ledger and the oracle differ, or the database itself refuses what it should not."""
    for number in range(HISTORIES):
        history = LedgerHistory(books, owner, Seeded(77 + number), first_currency + number)
        try:
            for _ in range(STEPS):
                history.step()
            history.finish()
        except (Disagreement, psycopg.Error):
            return True
    return False


def test_each_mutant_names_a_function_of_the_ledger(sources: str) -> None:
    functions = set(re.findall(r"create or replace function duly\.(\w+)", sources))

    assert {mutant.function for mutant in MUTANTS} - functions == set()


def test_each_mutant_applies(owner: Books) -> None:
    functions = sorted({mutant.function for mutant in MUTANTS})

    texts = {name: owner.value("select pg_get_functiondef(%s::regproc)", f"duly.{name}") for name in functions}

    assert [mutant for mutant in MUTANTS if mutated(texts[mutant.function], mutant) == texts[mutant.function]] == []


def cases() -> Iterator[Any]:
    """All of them; the gate has a bug of each of some functions, and sees that the others still apply."""
    seen: set[str] = set()
    for mutant in MUTANTS:
        is_gated = mutant.function in GATED and mutant.function not in seen
        marks = () if is_gated else pytest.mark.nightly
        seen.add(mutant.function)
        yield pytest.param(mutant, id=f"{mutant.function}: {mutant.before[:40]}", marks=marks)


@pytest.mark.gate_cases(16)
@pytest.mark.slow
@pytest.mark.parametrize("mutant", list(cases()))
def test_a_seeded_bug_is_found(mutant: Mutant, owner: Books, database_url: str) -> None:
    definition = owner.value("select pg_get_functiondef(%s::regproc)", f"duly.{mutant.function}")
    owner.connection.execute(mutated(definition, mutant))

    with contextlib.closing(Books(database_url)) as books:
        assert is_found(books, owner, 0)
