"""What is kept of a person is given out, and erased while the books stay."""

import json
import stat
from pathlib import Path

import psycopg
import pytest

from tests.support.company import Company

# A view of one person's documents is named after that person.
VIEWS = """
    insert into duly.users (id, role) values ('maria', 'agent');
    insert into duly.saved_views (list, name, filters, is_shared, saved_by) values
        ('transactions', 'Ada King', '{{"account": "{account}"}}', true, 'maria'),
        ('transactions', 'of another', '{{"account": "acc_other"}}', true, 'maria')
"""
# What has an account's id and says nothing of a person: how what is given out came about, step by step.
STEPS = {
    *("account_balances", "account_dimensions", "allocations", "claims", "mrr_amounts", "open_items"),
    *("charge_holds", "collection_assignees", "collections", "payment_orders", "refund_run_items", "run_items"),
    *("discrepancies", "gateway_events", "gateway_expectations", "recovery_left"),
    *("merchant_customers", "merchant_payers", "payment_preferences", "voucher_batches", "wallet_top_up_choices"),
    # Hashes of links that were mailed.
    *("opt_out_links", "portal_links"),
    # A merchant's own account; what a person's approval is asked for.
    *("approvals", "merchants"),
}
TABLES = """
    select c.relname, position('duly.' || c.relname || ' ' in p.prosrc) > 0 from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'account_id', pg_proc p
    where c.relnamespace = 'duly'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        and p.oid = 'duly.account_data'::regproc
"""
WHO = ("--actor", "maria", "--reason", "she asked for it")


async def an_account(company: Company) -> str:
    given = ("--owner", "Ada Lovelace", "--currency", "EUR", "--email", "ada@example.com", "--region", "north")
    await company.cli.json("accounts", "create", "acc_ada", *given, "--owner-reference", "L-17", *WHO)
    await company.cli.json("accounts", "edit", "acc_ada", "--owner", "Ada King", *WHO)
    return "acc_ada"


async def test_everything_that_is_kept_of_a_person_is_written_to_a_file_of_ones_own(
    company: Company, tmp_path: Path
) -> None:
    account, file = await an_account(company), tmp_path / "ada.json"

    answer = await company.cli.json("accounts", "export", account, "--file", str(file))
    again = await company.cli("accounts", "export", account, "--file", str(file), "--json")

    kept = json.loads(file.read_text(encoding="utf-8"))
    assert answer["rows"]["changes"] == 2
    assert (kept["account"]["owner_name"], kept["account"]["email"]) == ("Ada King", "ada@example.com")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert again.exit_code == 2


def test_every_table_with_an_accounts_id_is_given_out_or_says_nothing_of_a_person(database_url: str) -> None:
    with psycopg.connect(database_url.replace("+psycopg", "")) as runtime:
        tables: dict[str, bool] = dict(runtime.execute(TABLES).fetchall())

    assert {name for name, is_given_out in tables.items() if not is_given_out} == STEPS


async def test_erasing_takes_the_person_away_and_leaves_who_did_it_and_the_books(
    company: Company, owner_database_url: str
) -> None:
    account = await an_account(company)
    with psycopg.connect(owner_database_url.replace("+psycopg", "")) as owner:
        owner.execute(VIEWS.format(account=account))
    early = await company.cli("accounts", "erase", account, *WHO, "--json")
    await company.cli.json("accounts", "terminate", account, *WHO)

    answer = await company.cli.json("accounts", "erase", account, *WHO)
    await company.cli.json("accounts", "erase", account, *WHO)

    kept = await company.cli.json("accounts", "export", account)
    with psycopg.connect(owner_database_url.replace("+psycopg", "")) as owner:
        views = owner.execute("select name from duly.saved_views").fetchall()
    assert views == [("of another",)]
    assert (early.exit_code, early.rules) == (1, [("account", "account_terminated_first")])
    assert answer == {"account": account, "outcome": "erased", "delete_at_gateway": []}
    assert [word for word in ("Ada", "King", "ada@", "L-17", "north") if word in json.dumps(kept)] == []
    assert {change["actor"] for change in kept["changes"]} == {"maria"}
    assert [change["changes"] for change in kept["changes"]] == [{"erased": True}] * 4


@pytest.mark.parametrize(
    "statement",
    [
        "update duly.account_changes set changes = '{}'",
        "update duly.account_changes set changes = '{\"erased\": true}', actor = 'nobody'",
        "delete from duly.account_changes",
    ],
)
async def test_the_changes_of_an_account_can_be_erased_and_not_be_changed(
    company: Company, owner_database_url: str, statement: str
) -> None:
    await an_account(company)

    with (
        psycopg.connect(owner_database_url.replace("+psycopg", "")) as owner,
        pytest.raises(psycopg.Error, match="append_only"),
    ):
        owner.execute(statement)


async def test_an_account_that_is_not_there_is_named(company: Company) -> None:
    exported = await company.cli("accounts", "export", "acc_nobody", "--json")
    erased = await company.cli("accounts", "erase", "acc_nobody", *WHO, "--json")

    assert exported.rules == [("account", "account_exists")]
    assert (erased.exit_code, "acc_nobody" in erased.stderr) == (1, True)
