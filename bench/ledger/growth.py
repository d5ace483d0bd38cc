"""What a posting costs when the ledger has grown a thousandfold."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.ledger.client import server_seconds
from bench.ledger.scratch import Scratch, batch
from bench.ledger.speed import BATCH_CONNECTIONS

SIZE = 1_000
BATCHES, PAYMENTS = 30, 500
# Taxed: a transfer to revenue, and one to the tax office.
TAX_PERCENT, TRANSFERS_OF_INVOICE = 19, 2
_PAY = "select duly.create_payment(gen_random_uuid()::text, 'acc_' || 1 + floor(random() * %s)::int, 1, 'EUR', 'cash')"
_POST = "select count(*) from duly.post_invoices(%s)"


@dataclass(frozen=True)
class Cost:
    """What a posting costs the server, in microseconds of CPU, when there are so many transfers."""

    transfers: int
    payment_us: float
    batched_invoice_us: float


@dataclass(frozen=True)
class Growth:
    """The same before and after the ledger grew, and how fast it grew: invoices a second, in batches."""

    before: Cost
    after: Cost
    invoices_per_second: float

    @property
    def dearer(self) -> float:
        """By how much a posting is dearer afterwards, the worse of both kinds, as a share."""
        payment = self.after.payment_us / self.before.payment_us
        invoice = self.after.batched_invoice_us / self.before.batched_invoice_us
        return round(max(payment, invoice) - 1, 3)


def measure_growth(scratch: Scratch, *, transfers: int) -> Growth:
    """Grow to so many transfers, and weigh a posting before and afterwards."""
    before = _weigh(scratch, "before")
    batches = max(0, transfers - before.transfers) // TRANSFERS_OF_INVOICE // SIZE
    began = time.perf_counter()
    _grow(scratch, batches)
    seconds = time.perf_counter() - began
    with scratch.owner() as owner:
        owner.execute("vacuum analyze")
    return Growth(before, _weigh(scratch, "after"), round(batches * SIZE / seconds, 1))


def _weigh(scratch: Scratch, when: str) -> Cost:
    with scratch.runtime() as connection:
        counted = connection.execute("select count(*) from duly.transfers").fetchone()
        assert counted is not None
        payment = server_seconds(connection, _PAY, ([scratch.accounts] for _ in range(PAYMENTS)))
        batches = ([batch(when, number, SIZE, scratch.accounts, TAX_PERCENT)] for number in range(BATCHES))
        invoice = server_seconds(connection, _POST, batches) / SIZE
    return Cost(int(counted[0]), round(payment * 1e6, 1), round(invoice * 1e6, 1))


def _grow(scratch: Scratch, batches: int) -> None:
    """Post batches from several connections."""
    numbers = iter(range(batches))

    def work() -> None:
        with scratch.runtime() as connection:
            for number in numbers:
                connection.execute(_POST, [batch("growth", number, SIZE, scratch.accounts, TAX_PERCENT)])

    with ThreadPoolExecutor(BATCH_CONNECTIONS) as pool:
        for done in [pool.submit(work) for _ in range(BATCH_CONNECTIONS)]:
            done.result()
