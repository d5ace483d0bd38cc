"""A ledger with two products, a tax rate and two accounts, for each test that asks for it."""

from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import settings

from sandbox.servers.postgres import PostgresServer
from tests.fixtures.database import Databases
from tests.ledger.books import TAX_PERCENT, Books

# `--hypothesis-profile nightly` tells nearly as many histories as there are currencies to tell them in, one in each:
# a second one would find what the first has left there, and Hypothesis tries some more than it counts.
settings.register_profile("nightly", max_examples=1200)

# What the product reaches through other functions alone: here each is called by itself.
INNER_FUNCTIONS = (
    "allocate_accounts",
    "book_gateway_fee",
    "book_gateway_movement",
    "day_in_month",
    "draft_payment",
    "due_dates",
    "due_window",
    "fill_roll_ups",
    "mark_roll_up",
    "post_gateway_payment",
    "post_invoices",
    "reject_payment",
)

GRANTS = f"grant execute on function {', '.join(f'duly.{name}' for name in INNER_FUNCTIONS)} to duly_app"

TEMPLATE = "ledger_template"

SETUP = f"""
    insert into duly.tax_rates (id, name, percent) values ('standard', 'Standard', {TAX_PERCENT});
    insert into duly.products (id, name, ledger_account) values
        ('gold', 'Gold card', 'revenue:gold'), ('silver', 'Silver card', 'revenue:silver');
    select duly.open_account('acc_1', 'EUR', 'Ada Lovelace'), duly.open_account('acc_2', 'EUR', 'Charles Babbage');
"""


def set_up(owner: Books) -> None:
    """Configure an empty ledger as the tests expect it."""
    for statement in filter(str.strip, SETUP.split(";")):
        owner.run(statement)


@pytest.fixture(scope="session")
async def ledger_template(postgres_server: PostgresServer, migrated_template: str) -> str:
    """The name of a database that is only ever copied, in which each function can be called by itself."""
    async with postgres_server.administration() as administration:
        await administration.create_database(TEMPLATE, template=migrated_template, strategy="file_copy")
    owner = Books(postgres_server.owner_url(TEMPLATE))
    owner.run(GRANTS)
    owner.close()
    return TEMPLATE


@pytest.fixture(scope="session")
async def databases(postgres_server: PostgresServer, ledger_template: str) -> AsyncIterator[Databases]:
    """The ledgers of these tests."""
    async with postgres_server.administration() as administration:
        yield Databases(postgres_server, administration, ledger_template, "ledger")


@pytest.fixture
def owner(owner_database_url: str) -> Iterator[Books]:
    """The ledger under the role that owns the tables."""
    books = Books(owner_database_url)
    set_up(books)
    yield books
    books.close()


@pytest.fixture
def books(owner: Books, database_url: str) -> Iterator[Books]:
    """The ledger under the runtime role. Whatever a test does, no invariant may be broken at its end."""
    books = Books(database_url)
    yield books
    assert books.violations() == []
    books.close()
