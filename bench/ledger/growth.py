"""What a posting costs in a ledger that has grown a thousandfold."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import psycopg

from bench.ledger.client import server_seconds, side_by_side
from bench.ledger.scratch import POST_INVOICES, TAX_PERCENT, TRANSFERS_OF_INVOICE, Scratch, batch
from bench.ledger.speed import BATCH_CONNECTIONS

SIZE = 1_000
ROUNDS, BATCHES, PAYMENTS = 7, 3, 200
# Batches posted before anything is measured: a connection lives for days, and the
# first change of a page after a checkpoint logs all of it, in a large ledger a page for nearly each invoice.
WARM_UP_OF_SMALL, WARM_UP_OF_LARGE = 5, 100
_PAY = (
    "select duly.create_payment(gen_random_uuid()::text, 'quiet_' || 1 + floor(random() * %s)::int, 1, 'EUR', 'cash')"
)


@dataclass(frozen=True)
class Cost:
    """What a posting costs the server, in microseconds of CPU, when there are so many transfers."""

    transfers: int
    payment_us: float
    batched_invoice_us: float


@dataclass(frozen=True)
class Growth:
    """A small ledger and one that has grown, measured in turns on one server; its growth in invoices a second."""

    small: Cost
    large: Cost
    invoices_per_second: float

    @property
    def dearer(self) -> float:
        """By how much a posting is dearer in the large one, the worse of both kinds, as a share."""
        payment = self.large.payment_us / self.small.payment_us
        invoice = self.large.batched_invoice_us / self.small.batched_invoice_us
        return round(max(payment, invoice) - 1, 3)


def measure_growth(scratch: Scratch, *, transfers: int) -> Growth:
    """Grow to so many transfers, and measure a posting there and in the ledger's small copy."""
    small = scratch.small
    batches = max(0, transfers - _transfers(scratch)) // TRANSFERS_OF_INVOICE // SIZE
    began = time.perf_counter()
    _grow(scratch, batches)
    seconds = time.perf_counter() - began
    for ledger in (small, scratch):
        with ledger.owner() as owner:
            owner.execute("vacuum analyze")
    sizes = _transfers(small), _transfers(scratch)
    with small.runtime() as one, scratch.runtime() as other:
        _warm_up(one, scratch.accounts, WARM_UP_OF_SMALL)
        _warm_up(other, scratch.accounts, WARM_UP_OF_LARGE)
        # In turns, since a machine's speed changes from minute to minute.
        rounds = [
            [_cost_of(each, scratch.accounts, f"measured/{number}") for each in (one, other)]
            for number in range(ROUNDS)
        ]
    of_small, of_large = zip(*rounds, strict=True)
    return Growth(_median(sizes[0], of_small), _median(sizes[1], of_large), round(batches * SIZE / seconds, 1))


def _warm_up(connection: psycopg.Connection, accounts: int, batches: int) -> None:
    for number in range(batches):
        connection.execute(POST_INVOICES, [batch("warm_up", number, SIZE, accounts, TAX_PERCENT)])
    server_seconds(connection, _PAY, ([accounts] for _ in range(PAYMENTS)))


def _cost_of(connection: psycopg.Connection, accounts: int, name: str) -> tuple[float, float]:
    """Return what a payment and an invoice of a batch cost, in seconds of CPU."""
    payment = server_seconds(connection, _PAY, ([accounts] for _ in range(PAYMENTS)))
    batches = ([batch(name, each, SIZE, accounts, TAX_PERCENT)] for each in range(BATCHES))
    return payment, server_seconds(connection, POST_INVOICES, batches) / SIZE


def _median(transfers: int, costs: Sequence[tuple[float, float]]) -> Cost:
    payment, invoice = (median(kind) for kind in zip(*costs, strict=True))
    return Cost(transfers, round(payment * 1e6, 1), round(invoice * 1e6, 1))


def _transfers(scratch: Scratch) -> int:
    with scratch.runtime() as connection:
        counted = connection.execute("select count(*) from duly.transfers").fetchone()
    assert counted is not None
    return int(counted[0])


def _grow(scratch: Scratch, batches: int) -> None:
    """Post batches from several connections."""
    numbers = iter(range(batches))

    def work(_: int) -> None:
        with scratch.runtime() as connection:
            for number in numbers:
                connection.execute(POST_INVOICES, [batch("growth", number, SIZE, scratch.accounts, TAX_PERCENT)])

    side_by_side(work, BATCH_CONNECTIONS)
