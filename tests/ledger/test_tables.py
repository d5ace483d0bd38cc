"""The typed tables say what the migration made."""

import warnings

from sqlalchemy import Connection, create_engine, inspect

from models.currency import EXPONENTS
from models.gateway.amounts import GATEWAY_CURRENCIES, charge_step, chargeable_part, gateway_maximum
from models.ledger.transaction import Classification
from models.money import Money
from models.tables import metadata
from tests.ledger.books import Books
from tests.ledger.oracle.life_cycle import NUMBER_PREFIXES, SIDES
from tests.ledger.oracle.transfers import LedgerAccountKind

HIDDEN = {
    ("any_day_postings", "posted_xid"),
    ("financial_transactions", "posted_xid"),
    ("gateway_bookings", "posted_xid"),
    ("number_counters", "waits_for"),
    ("voucher_transactions", "posted_xid"),
    ("wallet_transactions", "posted_xid"),
}


def test_every_mapped_table_has_the_columns_of_the_database(owner_database_url: str) -> None:
    engine = create_engine(owner_database_url)
    with engine.connect() as connection, warnings.catch_warnings():
        # SQLAlchemy has no type for transaction ids of the server, which no reader needs.
        warnings.filterwarnings("ignore", message="Did not recognize type 'xid8'")
        for table in metadata.tables.values():
            assert mapped_columns(table.name) == stored_columns(connection, table.name), table.name
    engine.dispose()


def test_every_table_of_the_database_is_mapped(owner_database_url: str) -> None:
    engine = create_engine(owner_database_url)
    stored = {f"duly.{name}" for name in inspect(engine).get_table_names(schema="duly")} - {"duly.alembic_version"}
    engine.dispose()

    assert stored == {name for name, table in metadata.tables.items() if not table.info.get("is_view")}


def mapped_columns(table: str) -> dict[str, bool]:
    # PostgreSQL calls every column of a view nullable.
    mapped = metadata.tables[f"duly.{table}"]
    return {column.name: bool(column.nullable or mapped.info.get("is_view")) for column in mapped.columns}


def stored_columns(connection: Connection, table: str) -> dict[str, bool]:
    columns = inspect(connection).get_columns(table, schema="duly")
    return {c["name"]: c["nullable"] for c in columns if (table, c["name"]) not in HIDDEN}


def test_the_currencies_of_the_database_are_those_of_the_code(owner: Books) -> None:
    assert dict(owner.run("select code, exponent from duly.currencies")) == EXPONENTS


def test_the_steps_in_which_gateways_take_a_currency_are_the_same_in_both(owner: Books) -> None:
    steps = dict(owner.run("select code, duly.charge_step(code) from duly.currencies"))

    assert steps == {code: charge_step(code) for code in EXPONENTS}


def test_the_most_that_gateways_take_of_a_currency_is_the_same_in_both(owner: Books) -> None:
    most = dict(owner.run("select code, duly.charge_maximum(code) from duly.currencies"))

    assert {code: most[code] for code in GATEWAY_CURRENCIES} == {
        code: gateway_maximum(code).amount_minor for code in GATEWAY_CURRENCIES
    }


def test_what_the_gateway_takes_of_an_amount_is_the_same_in_both(owner: Books) -> None:
    taken = dict(owner.run("select code, duly.chargeable_part(12345, code) from duly.currencies"))

    assert taken == {code: chargeable_part(Money(12_345, code)).amount_minor for code in EXPONENTS}


def test_sides_prefixes_and_the_chart_are_the_same_in_both(owner: Books) -> None:
    for classification in Classification:
        side = owner.value("select duly.side_of(%s)::text", classification)
        prefix = owner.value("select duly.number_prefix(%s)", classification)
        assert (side, prefix) == (SIDES[classification], NUMBER_PREFIXES[classification])
    assert {row[0] for row in owner.run("select kind from duly.ledger_account_kinds")} == set(LedgerAccountKind)
