"""Random stories of wallets agree with an oracle, and bugs that are seeded into the functions do not get by them."""

import contextlib
import re
from pathlib import Path

import psycopg
import pytest

from models.ledger.refusals import LedgerError
from tests.ledger.books import Books
from tests.ledger.histories.test_mutants import Mutant, mutated
from tests.wallets.wallet_history import DisagreementError, WalletHistory

STEPS, HISTORIES = 60, 6

MUTANTS = (
    Mutant("wallet_credit", "if p_amount_minor > v_room", "if false"),
    Mutant("wallet_debit", "if p_amount_minor > duly.wallet_balance(a.id)", "if false"),
    Mutant("wallet_credits", "order by w.expires_on nulls last, w.wallet_version", "order by w.wallet_version"),
    Mutant("wallet_credits", "w.amount_minor > u.used_minor", "w.amount_minor >= u.used_minor"),
    Mutant(
        "use_wallet_credits", "order by c.expires_on nulls last, c.wallet_version", "order by c.wallet_version desc"
    ),
    Mutant("use_wallet_credits", "least(x.left_minor, w.amount_minor - x.before_minor)", "x.left_minor"),
    Mutant("expire_wallet", "where expires_on < v_today", "where expires_on <= v_today"),
    Mutant("expire_wallet", "perform duly.use_wallet_credits(w);", ""),
    Mutant("wallet_void", "having sum(amount_minor) <> 0", "having false"),
    Mutant("wallet_void", "or exists (select from duly.wallet_transactions where voids_id = o.id)", ""),
    Mutant("void_wallet_locked", "-u.amount_minor", "u.amount_minor"),
    Mutant("void_wallet_locked", "if o.made_invoice_id is not null", "if false"),
    Mutant("void_wallet_locked", "if o.transaction_id is not null", "if false"),
    Mutant("fund_by", "least(p_amount_minor, coalesce(duly.wallet_room(a), p_amount_minor))", "p_amount_minor"),
    Mutant("fund_by", "perform duly.allocate(a.id, t.id, i.id, v_amount);", ""),
    Mutant("void_funded_credit", "and t.type_id = any (y.voided_by)", ""),
    Mutant("void_funded_credit", "having sum(u.amount_minor) <> 0", "having false"),
    Mutant("post_wallet", "'wallet:' || w.account_id", "'wallet:acc_1'"),
    Mutant("post_wallet", "+ case w.direction", "- case w.direction"),
    Mutant("wallet_room", "l.maximum_minor - duly.wallet_balance(a.id)", "l.maximum_minor"),
)


def test_the_ledger_and_the_oracle_agree_on_wallets(wallets: Books, wallet_owner: Books) -> None:
    for seed in range(4):
        history = WalletHistory(wallets, wallet_owner, seed)
        for _ in range(STEPS):
            history.step()
        history.finish()


def test_each_mutant_of_wallets_names_a_function_and_applies() -> None:
    folder = Path(__file__).parents[2] / "migrations" / "functions" / "wallets"
    source = "\n".join(script.read_text() for script in sorted(folder.glob("*.sql")))
    bodies = dict(
        re.findall(r"create or replace function duly\.(\w+)(.*?)^(?:end )?\$\$;$", source, re.DOTALL | re.MULTILINE)
    )

    assert [mutant for mutant in MUTANTS if mutant.before not in bodies.get(mutant.function, "")] == []


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.function}: {mutant.before[:40]}")
def test_a_bug_in_wallets_is_found(mutant: Mutant, wallet_owner: Books, database_url: str) -> None:
    definition = wallet_owner.value("select pg_get_functiondef(%s::regproc)", f"duly.{mutant.function}")
    wallet_owner.connection.execute(mutated(definition, mutant))

    with contextlib.closing(Books(database_url)) as books:
        assert is_found(books, wallet_owner)


def is_found(books: Books, owner: Books) -> bool:
    """Tell stories until the ledger and the oracle differ, or the database itself refuses what it should not."""
    for seed in range(HISTORIES):
        history = WalletHistory(books, owner, 77 + seed)
        try:
            for _ in range(STEPS):
                history.step()
            history.finish()
        except (DisagreementError, LedgerError, psycopg.Error):
            return True
    return False
