"""What a company of 0.1.0 had configured by SQL is configured still, and from then on kept by documents."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from migrations import run
from sandbox.servers.postgres import PostgresServer
from tests.ledger.books import Books
from tests.support.command_line import CommandLine
from tests.upgrades.kept_release import KeptRelease
from tests.upgrades.postgres_tools import restore_release

NAME = "configured_by_sql"
BY_SQL = """
    insert into duly.due_date_rules (id, kind, number_of_days, proximity_operator, proximity_days)
        values ('agreed', 'days_after', 20, 'plus_minus', 5);
    insert into duly.transaction_types (id, name, classification, allowed_methods, allowed_categories)
        values ('voucher_payment', 'Voucher', 'payment', '{voucher}', '{retail}');
    update duly.definitions set allocation_principle = 'fifo', due_date_rule_id = 'agreed';
    update duly.alert_rules set failures_min = 4;
    update duly.card_rules set warn_days = '{90}';
    update duly.refund_rules set watch_days = 3;
    insert into duly.reminder_rules (segment, version, days_before) values ('business', 1, '{10}');
    update duly.card_networks set declines_max = 9 where brand = 'visa';
    insert into duly.transaction_reasons (id, name, purpose) values ('no_order', 'Nobody ordered it', 'rejection');
"""
TABLES = (
    *("tax_rates", "products", "payment_methods", "transaction_types", "transaction_reasons", "due_date_rules"),
    *("definitions", "card_rules", "card_networks", "alert_rules", "reminder_rules", "refund_rules"),
    *("providers", "provider_currencies", "provider_methods", "dunning_policies"),
)


@pytest.fixture
async def old(postgres_server: PostgresServer, tmp_path: Path) -> AsyncIterator[str]:
    """A database of 0.1.0 with its data."""
    await restore_release(postgres_server, KeptRelease("0.1.0"), NAME, tmp_path)
    yield postgres_server.owner_url(NAME)
    await postgres_server.drop_database(NAME)


def configured(books: Books) -> Mapping[str, list[dict[str, Any]]]:
    """Every row of the configuration, by table."""
    return {
        table: [row[0] for row in books.run(f"select to_jsonb(t) from duly.{table} t order by 1")] for table in TABLES
    }


@pytest.mark.nightly
async def test_what_was_configured_by_sql_is_there_after_the_upgrade_and_can_be_had_as_a_document(
    cli: CommandLine, old: str, tmp_path: Path
) -> None:
    books = Books(old)
    for statement in filter(None, map(str.strip, BY_SQL.split(";"))):
        books.run(statement)
    before = configured(books)

    await asyncio.to_thread(run.migrate, old)

    after = configured(books)
    lost = {
        table: missing
        for table, rows in before.items()
        if (missing := [row for row in rows if not any(row.items() <= now.items() for now in after[table])])
    }
    as_owner = CommandLine({**cli.environment, "DULY_DATABASE_URL": old})
    given = await as_owner.json("definitions", "export")
    (tmp_path / "all.json").write_text(json.dumps(given), encoding="utf-8")
    applied = await as_owner.json("definitions", "apply", str(tmp_path / "all.json"))
    history = await as_owner.json("definitions", "history")
    books.close()
    assert lost == {}
    assert {change["change"] for change in applied["changes"]} == {"unchanged"}
    assert (applied["version"], history["changes"]) == (None, [])
