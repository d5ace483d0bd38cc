"""An account with 20,001 open invoices, made once and copied for each test: what grows with an account shows there."""

import json
from collections.abc import AsyncIterator, Iterator

import pytest

from sandbox.servers.postgres import PostgresServer
from tests.fixtures.database import Databases
from tests.ledger.books import Books, line
from tests.ledger.conftest import set_up

TEMPLATE = "large_template"
INVOICES = 20_001
EACH_MINOR = 12
BATCH = 1_000


@pytest.fixture(scope="session")
async def large_template(postgres_server: PostgresServer, ledger_template: str) -> str:
    """The name of a database that is only ever copied: acc_1 owes 20,001 invoices, acc_2 has as many credits."""
    async with postgres_server.administration() as administration:
        await administration.create_database(TEMPLATE, template=ledger_template, strategy="file_copy")
    owner = Books(postgres_server.owner_url(TEMPLATE))
    set_up(owner)
    for start in range(0, INVOICES, BATCH):
        numbers = range(start, min(start + BATCH, INVOICES))
        owner.run("select count(*) from duly.post_invoices(%s)", json.dumps([invoice(n) for n in numbers]))
    owner.run(
        "select count(duly.create_payment('credit/' || n, 'acc_2', %s, 'EUR', 'cash')) from generate_series(1, %s) n",
        EACH_MINOR,
        INVOICES,
    )
    owner.run("vacuum analyze")
    owner.close()
    return TEMPLATE


@pytest.fixture(scope="session")
async def databases(postgres_server: PostgresServer, large_template: str) -> AsyncIterator[Databases]:
    """The copies of the large ledger."""
    async with postgres_server.administration() as administration:
        yield Databases(postgres_server, administration, large_template, "large", uses=1)


@pytest.fixture
def owner(owner_database_url: str) -> Iterator[Books]:
    """The large ledger under the role that owns the tables; it is set up already."""
    books = Books(owner_database_url)
    yield books
    assert books.violations() == []
    books.close()


def invoice(number: int) -> dict[str, object]:
    """Return an invoice of a few cents, as `post_invoices` takes it."""
    return {
        "key": f"large/{number}",
        "account_id": "acc_1",
        "currency": "EUR",
        "posted_on": "2026-05-20",
        "lines": [line(EACH_MINOR)],
    }
