"""Figure: what the ledger does in a second, alone on a server, and what that costs when it has grown."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.ledger.growth import Growth, measure_growth
from bench.ledger.scratch import scratch_ledger
from bench.ledger.settling import BulkFifo, LongStatement, measure_bulk_fifo, measure_statement
from bench.ledger.speed import BARE, BATCH, LARGE_BATCH, PGLEDGER, PGLEDGER_HOT, POST, RECEIVE, measure_speed
from bench.machine import Machine, machine_of


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    accounts: int
    rounds: int
    seconds: float
    documents: int
    statement: int
    transfers: int


FULL = Size(accounts=20_000, rounds=3, seconds=8, documents=100_000, statement=10_000, transfers=10_000_000)
QUICK = Size(accounts=200, rounds=1, seconds=1, documents=200, statement=100, transfers=10_000)


@dataclass(frozen=True)
class LedgerFigures:
    """Everything measured in one run on one server. Rates are postings a second."""

    machine: Machine
    accounts: int
    rounds: int
    rates: dict[str, float]
    pgledger_revision: str
    bulk_fifo: BulkFifo
    statement: LongStatement
    growth: Growth

    @property
    def posted(self) -> float:
        """Single postings a second."""
        return self.rates[POST]

    @property
    def of_bare(self) -> float:
        """Single postings, as a share of one-row commits."""
        return self.rates[POST] / self.rates[BARE]

    @property
    def of_pgledger(self) -> float | None:
        """Single postings over pgledger's; None when it was not measured."""
        return self.rates[POST] / self.rates[PGLEDGER] if PGLEDGER in self.rates else None

    @property
    def of_hot_pgledger(self) -> float | None:
        """Single postings, which all debit one account of the ledger, over pgledger's to one account."""
        return self.rates[POST] / self.rates[PGLEDGER_HOT] if PGLEDGER_HOT in self.rates else None

    @property
    def best_batch(self) -> float:
        """Invoices a second in the better of both sizes of batches."""
        return max(self.rates[BATCH], self.rates[LARGE_BATCH])

    @property
    def received(self) -> float:
        """Payments a second that settle an invoice each."""
        return self.rates[RECEIVE]


async def measure_ledger(size: Size) -> LedgerFigures:
    """Measure on one server: what a posting costs, how fast it is, statements and bulk, and how it bears growth."""
    with tempfile.TemporaryDirectory() as folder:
        async with scratch_ledger(Path(folder), size.accounts) as scratch:
            rates = measure_speed(scratch, rounds=size.rounds, seconds=size.seconds)
            statement = await measure_statement(scratch, transactions=size.statement)
            bulk_fifo = measure_bulk_fifo(scratch, documents=size.documents)
            growth = measure_growth(scratch, transfers=size.transfers)
            machine = await machine_of(scratch.runtime_url)
            return LedgerFigures(
                machine, size.accounts, size.rounds, rates, scratch.pgledger_revision, bulk_fifo, statement, growth
            )
