"""The runtime role may call what the code calls and write what it writes, and nothing else: no money of a gateway's."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.house.function_calls import Write, called_functions, names_made_up, written_columns
from tests.house.source import modules
from tests.upgrades.kept_release import releases

_FUNCTIONS = """
    select p.proname as name, p.prosrc as body, p.prosecdef as is_definer,
        has_function_privilege('duly_app', p.oid, 'execute') as is_granted
    from pg_proc p where p.pronamespace = 'duly'::regnamespace and p.prokind = 'f'
"""
# Views, checks, defaults and indexes call their functions with the rights of whoever reads or writes.
_NEEDED_BY_OBJECTS = """
    select distinct p.proname from pg_depend d join pg_proc p on p.oid = d.refobjid
    where d.refclassid = 'pg_proc'::regclass and p.pronamespace = 'duly'::regnamespace
      and d.classid in ('pg_rewrite'::regclass, 'pg_constraint'::regclass, 'pg_attrdef'::regclass, 'pg_class'::regclass)
"""
_CALL = re.compile(r"\bduly\.(\w+)\s*\(")
_GRANTED_COLUMNS = """
    select x.privilege, c.relname, a.attname, has_table_privilege('duly_app', c.oid, x.privilege)
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    cross join (values ('INSERT'), ('UPDATE')) x (privilege)
    where c.relnamespace = 'duly'::regnamespace and c.relkind = 'r'
      and has_column_privilege('duly_app', c.oid, a.attnum, x.privilege)
"""
# Rows of the configuration that are written through the typed tables (activities/configuration), not by a text of SQL.
WRITTEN_BY_ROW = frozenset({
    *(("UPDATE", table) for table in ("card_rules", "alert_rules", "approval_rules", "refund_rules",
      "definitions", "message_rules", "message_templates", "segments")),
    *(("INSERT", table) for table in ("card_rules", "alert_rules", "approval_rules", "refund_rules", "reminder_rules",
      "message_rules", "message_templates", "segments")),
    *((privilege, table) for privilege in ("INSERT", "UPDATE")
      for table in ("transaction_reasons", "due_date_rules", "transaction_types", "card_networks", "creditors",
      "charge_rules", "statement_layouts", "voucher_types")),
    *((privilege, f"wallet_{table}") for table in ("transaction_types", "limits", "top_up_rules")
      for privilege in ("INSERT", "UPDATE")),
})  # fmt: skip
# What operators set, and nothing refers to but by value. Every other table holds money, or the evidence of it.
CONFIGURATION = frozenset({
    "alert_rules", "approval_rules", "card_networks", "card_rules", "charge_rules", "creditors", "definitions",
    "due_date_rules", "dunning_policies", "message_rules", "message_templates", "number_series", "payment_methods",
    "products", "provider_currencies", "provider_methods", "providers", "refund_rules", "reminder_rules",
    "run_definitions", "segments", "sellers", "statement_layouts", "tax_rates", "transaction_reasons",
    "transaction_types", "voucher_types", "wallet_limits", "wallet_top_up_rules", "wallet_transaction_types",
})  # fmt: skip
# Of these some columns are written by hand: an account's own data, and what the import of release 0.1.0 writes.
BY_COLUMN = frozenset({"accounts", "cards", "gateway_customers", "payment_preferences", "subscriptions"})
_TABLES = """
    select c.relname, max(quote_ident(a.attname)) filter (where a.attidentity = '' and a.attgenerated = '')
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'duly'::regnamespace and c.relkind in ('r', 'p') group by 1 order by 1
"""
_WRITES = re.compile(r"\b(?:insert\s+into|update|delete\s+from|merge\s+into)\s+(?:only\s+)?duly\.\w+", re.IGNORECASE)
# Through which of what it may call the runtime role can make the ledger post money that a gateway moved, and what is
# written down for it in the same commit.
POSTS_GATEWAY_MONEY = {
    "record_outcome": "an attempt's outcome, in the same commit",
    "record_refund": "a refund's outcome, in the same commit",
    "receive_debits": "a line of a bank statement, with its debits",
    "refuse_debit": "a debit, with its attempt",
    "refuse_debits_of": "the debits of a file, with their attempts",
    "batch_debits": "a batch, a debit whose mandate has ended, with its attempt: a person's name and reason",
    "cancel_mandate": "a mandate, with what waits for its file: a person's name and reason",
    "confirm_movement": "a stored movement; an attempt and a discrepancy are written for what had none",
    "confirm_object": "an event's object; an attempt and a discrepancy are written for what had none",
    "resolve_discrepancy": "a discrepancy and its stored movement; a person's name and reason",
}


@dataclass(frozen=True)
class Function:
    """A function of the database: whether it runs with its owner's rights, and whether the runtime role may call it."""

    name: str
    body: str
    is_definer: bool
    is_granted: bool


async def functions_of(owner: AsyncEngine) -> Mapping[str, Function]:
    async with owner.connect() as connection:
        return {row.name: Function(*row) for row in await connection.execute(text(_FUNCTIONS))}


async def needed_by_objects(owner: AsyncEngine) -> frozenset[str]:
    async with owner.connect() as connection:
        return frozenset((await connection.execute(text(_NEEDED_BY_OBJECTS))).scalars())


def with_what_they_call(names: frozenset[str], functions: Mapping[str, Function]) -> frozenset[str]:
    """Add what is called with the caller's rights: by a function that does not run with its owner's."""
    found = set(names)
    while (
        more := {
            called
            for name in found
            if not functions[name].is_definer
            for called in _CALL.findall(functions[name].body)
            if called in functions
        }
        - found
    ):
        found |= more
    return frozenset(found)


def all_called_by(name: str, functions: Mapping[str, Function]) -> frozenset[str]:
    """Return what a function calls, and what that calls in turn."""
    found: set[str] = set()
    unread = {name}
    while unread:
        called = set(_CALL.findall(functions[unread.pop()].body)) & functions.keys()
        unread |= called - found
        found |= called
    return frozenset(found)


def called_by_releases(names: frozenset[str], folder: Path) -> frozenset[str]:
    """What workers of a kept release call: during an upgrade they go on with the new functions and rights."""
    return frozenset().union(
        *(called_functions(modules(release.unpack_code(folder / release.version)), names) for release in releases())
    )


async def test_the_runtime_role_may_call_what_the_code_calls_and_nothing_else(
    owner_engine: AsyncEngine, tmp_path: Path
) -> None:
    functions = await functions_of(owner_engine)
    called = called_functions(modules(), frozenset(functions))
    called_before = called_by_releases(frozenset(functions), tmp_path)
    needed = with_what_they_call(called | called_before | await needed_by_objects(owner_engine), functions)
    granted = {name for name, function in functions.items() if function.is_granted}

    assert "events_to_deliver" in called_before - called
    assert {"open_attempt", "record_outcome", "cancel_invoice", "freeze_shadow_run", "standing_payment"} <= called
    assert sorted(granted - needed) == []
    assert sorted(needed - granted) == []


async def test_money_of_a_gateway_is_posted_only_by_what_is_written_down_first(owner_engine: AsyncEngine) -> None:
    functions = await functions_of(owner_engine)
    posting = {
        name
        for name, function in functions.items()
        if function.is_granted and "post_gateway_draft" in all_called_by(name, functions)
    }

    assert posting == POSTS_GATEWAY_MONEY.keys()


async def test_a_granted_function_that_writes_has_the_rights_of_its_owner(owner_engine: AsyncEngine) -> None:
    functions = await functions_of(owner_engine)
    writing = [one for one in functions.values() if one.is_granted and _WRITES.search(one.body)]

    assert {"note_charge", "record_dispute"} <= {one.name for one in writing}
    assert [one.name for one in writing if not one.is_definer] == []


async def test_no_table_of_money_or_of_its_evidence_can_be_changed_by_hand(
    owner_engine: AsyncEngine, database_url: str
) -> None:
    async with owner_engine.connect() as connection:
        tables = {str(row[0]): str(row[1]) for row in await connection.execute(text(_TABLES))}

    allowed = []
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as runtime:
        for table, column in tables.items():
            statements = [f"delete from duly.{table}", f"truncate duly.{table}"]
            if table not in CONFIGURATION | BY_COLUMN:
                statements += [
                    f"lock duly.{table}",
                    f"insert into duly.{table} default values",
                    f"update duly.{table} set {column} = {column}",
                    f"create index on duly.{table} ({column})",
                ]
            allowed += [statement for statement in statements if not is_refused(runtime, statement)]

    assert {"gateway_requests", "gateway_attempts", "gateway_events", "transfers", "commands"} <= tables.keys()
    assert allowed == []
    assert sorted((CONFIGURATION | BY_COLUMN) - tables.keys()) == []


def is_refused(runtime: "psycopg.Connection[tuple[object, ...]]", statement: str) -> bool:
    """Say whether the runtime role has no right to a statement; it is undone where it has."""
    try:
        with runtime.transaction(force_rollback=True):
            runtime.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return True
    except psycopg.Error:
        return False
    return False


def test_the_runtime_role_is_no_role_that_could_give_itself_a_right(database_url: str) -> None:
    with psycopg.connect(database_url.replace("+psycopg", "")) as runtime:
        may = runtime.execute(
            "select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,"
            " has_schema_privilege('duly', 'create'), has_database_privilege(current_database(), 'create'),"
            " pg_has_role(current_user, (select nspowner from pg_namespace where nspname = 'duly'), 'member')"
            " from pg_roles where rolname = current_user"
        ).fetchone()

    assert may == (False,) * 8


async def test_the_runtime_role_may_write_what_the_code_writes_and_an_operator_configures(
    owner_engine: AsyncEngine, tmp_path: Path
) -> None:
    needed = written_columns(modules()).union(
        *(written_columns(modules(release.unpack_code(tmp_path / release.version))) for release in releases())
    )
    async with owner_engine.connect() as connection:
        granted = {Write(*row[:3]): row[3] for row in await connection.execute(text(_GRANTED_COLUMNS))}
    whole_tables = {(write.privilege, write.table) for write, is_whole in granted.items() if is_whole}
    single_columns = {write for write, is_whole in granted.items() if not is_whole}

    assert Write("INSERT", "cards", "token") in needed & single_columns
    assert sorted(needed - granted.keys()) == []
    assert sorted(single_columns - needed) == []
    assert sorted(whole_tables - {write[:2] for write in needed} - WRITTEN_BY_ROW) == []
    assert {table for _, table in whole_tables} & {"accounts", "cards", "gateway_customers"} == set()


@pytest.mark.nightly
def test_the_name_of_a_function_stands_in_the_code_and_is_not_put_together() -> None:
    assert names_made_up(modules()) == []


@pytest.mark.parametrize(
    "statement",
    [
        "select duly.draft_payment('k', 'acc_1', 2500, 'EUR', 'card', 'stripe', '{}', 'system')",
        "select duly.post_gateway_payment('pay_1', 'pi_1')",
        "select duly.make_payment('k', 'acc_1', 2500, 'EUR', 'card', 'stripe', p_gateway_reference => 'pi_1')",
        "select duly.book_gateway_fee('k', 'stripe', 'EUR', 30, 'ch_1')",
        "select * from duly.post_invoices('[]')",
        "update duly.cards set token = 'pm_another'",
        "update duly.cards set state = 'active'",
        "insert into duly.cards (account_id, preference_id, provider_id, state) values ('a', 'p', 'stripe', 'active')",
        "insert into duly.cards (account_id, preference_id, provider_id, fingerprint) values ('a', 'p', 'stripe', 'f')",
        "update duly.gateway_customers set customer_reference = 'cus_another'",
    ],
)
def test_money_that_no_gateway_moved_and_another_customers_card_are_out_of_reach(
    database_url: str, statement: str
) -> None:
    with (
        psycopg.connect(database_url.replace("+psycopg", "")) as runtime,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        runtime.execute(statement)
