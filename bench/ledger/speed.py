"""Postings a second, one by one and in batches, beside what the disk allows and what pgledger does, in turns."""

import itertools
from collections.abc import Callable, Mapping
from statistics import median

from bench.ledger.client import batched, single
from bench.ledger.scratch import POST_INVOICES, Scratch, batch, invoice, open_accounts, post

BARE, BARE_IN_TURN = "One-row commits", "One-row commits, from one connection"
POST, RECEIVE = "Payments posted", "Payments that settle an invoice, FIFO"
BATCH, LARGE_BATCH = "Invoices in batches of 100", "Invoices in batches of 1,000"
PGLEDGER, PGLEDGER_HOT = "pgledger, transfers between all accounts", "pgledger, all to one clearing account"

# Payments that settle something are received on accounts of which each owes so many invoices of one cent.
OWING_SHARE = 10
SETTLED_A_SECOND = 4_000
BATCH_CONNECTIONS = 4

_BARE = "insert into bare (amount) values (1);"
_ON_ANY = "\\set account random(1, {accounts})\n"
_PAY = _ON_ANY + "select duly.create_payment(gen_random_uuid()::text, '{prefix}' || :account, 1, 'EUR', 'cash');"
_PGLEDGER = (
    "\\set payer random(1, {accounts})\n{payee}\n"
    "select pgledger_create_transfer((select id from numbered_accounts where n = :payer),"
    " (select id from numbered_accounts where n = :payee), 1);"
)


def measure_speed(scratch: Scratch, *, rounds: int, seconds: float) -> dict[str, float]:
    """Return the median of the rounds for each thing measured, in postings a second; each round measures all."""
    _owe(scratch, count=round(rounds * seconds * SETTLED_A_SECOND))
    cells = _cells(scratch)
    found: dict[str, list[float]] = {name: [] for name in cells}
    for number in range(rounds):
        # Every other round goes backwards, so that nothing is always measured after the same thing.
        for name in list(cells)[:: -1 if number % 2 else 1]:
            found[name].append(cells[name](seconds))
    return {name: round(median(rates), 1) for name, rates in found.items()}


def _cells(scratch: Scratch) -> Mapping[str, Callable[[float], float]]:
    everyone = {"accounts": scratch.accounts}
    owing = scratch.accounts // OWING_SHARE
    cells = {
        BARE: single(scratch.pgledger_url, _BARE),
        BARE_IN_TURN: single(scratch.pgledger_url, _BARE, connections=1),
        POST: single(scratch.runtime_url, _PAY.format(prefix="quiet_", **everyone)),
        RECEIVE: single(scratch.runtime_url, _PAY.format(prefix="owing_", accounts=owing)),
        BATCH: _batches(scratch, "small", 100),
        LARGE_BATCH: _batches(scratch, "large", 1_000),
    }
    if scratch.pgledger_revision:
        others = f"random(1, {scratch.accounts} - 1)"
        anyone = f"\\set payee 1 + (:payer - 1 + {others}) % {scratch.accounts}"
        clearing = "\\set payee 0"
        cells[PGLEDGER] = single(scratch.pgledger_url, _PGLEDGER.format(payee=anyone, **everyone))
        cells[PGLEDGER_HOT] = single(scratch.pgledger_url, _PGLEDGER.format(payee=clearing, **everyone))
    return cells


def _batches(scratch: Scratch, name: str, size: int) -> Callable[[float], float]:
    turns = itertools.count()

    def run(seconds: float) -> float:
        turn = next(turns)
        send = batched(
            scratch.runtime_url,
            POST_INVOICES,
            lambda number: batch(f"{name}/{turn}", number, size, scratch.accounts),
            size,
            BATCH_CONNECTIONS,
        )
        return send(seconds)

    return run


def _owe(scratch: Scratch, count: int) -> None:
    """Open accounts that owe so many invoices of one cent between them."""
    owing = scratch.accounts // OWING_SHARE
    with scratch.runtime() as connection:
        open_accounts(connection, "owing_", owing)
        post(connection, [invoice(f"owed/{n}", f"owing_{n % owing + 1}", 1) for n in range(count)])
