"""Whoever collects, in whatever order and all at once: no invoice has two owners, and no cent is paid for twice."""

import itertools
import json
import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import psycopg
import pytest

from models.ledger.refusals import LedgerError
from tests.ledger.books import Books
from tests.support.builders import Merchant

ACCOUNTS = ("acc_a", "acc_b")
COLLECTORS = 4
STEPS = 150
NAMES = ("2026-11", "2026-12", *(f"2026-11-order-{number}" for number in range(12)))
RUNS = (
    ("run/monthly/2026-11", "monthly", "2026-11", "2026-12-01"),
    ("run/again/2026-11", "again", "2026-11", "2026-12-01"),
)
RUNS_OF_NEXT_MONTH = (("run/monthly/2026-12", "monthly", "2026-12", "2027-01-01"),)

# The invoices of everything that is open, by receivable: all of them claimed, and by nobody else.
TWO_OWNERS = """
    with open_now as (
        select c.account_id, c.period, unnest(c.invoices) as invoice_id
        from duly.collections c where c.closed_at is null
        union
        select r.account_id, r.period, unnest(r.invoices) from duly.gateway_requests r
        where r.kind = 'payment' and r.state in ('pending', 'under_processing', 'unknown'))
    select coalesce(o.invoice_id, w.invoice_id), o.period, w.period from open_now o
    full join duly.claims w on (w.invoice_id, w.account_id, w.period) = (o.invoice_id, o.account_id, o.period)
    where o.period is null or w.period is null
"""
# One owner of all that is left, and of the others no more than the invoice is of.
CLAIMED_TOO_MUCH = """
    select w.invoice_id from duly.claims w join duly.open_items o on o.transaction_id = w.invoice_id
    group by w.invoice_id, o.amount_minor
    having count(*) filter (where w.amount_minor is null) > 1 or sum(w.amount_minor) > o.amount_minor
"""
# A transfer that comes while a charge is under way may leave credit; what is charged never exceeds what was billed.
CHARGED_TOO_MUCH = """
    select account_id from duly.financial_transactions where posted_at is not null group by account_id
    having sum(total_minor) filter (where provider is not null)
        > sum(total_minor) filter (where classification = 'invoice')
"""
_references = itertools.count(1)


class Collector:
    """Somebody who collects: each step is one function of the database, as activities call them."""

    def __init__(self, url: str, seed: int) -> None:
        self._rng = random.Random(seed)
        self._books = Books(url)
        self._steps: tuple[Callable[[], None], ...] = (
            self._freeze,
            self._charge_for_a_run,
            self._charge_for_a_run,
            self._charge_for_a_service,
            self._open_page,
            self._answer,
            self._answer,
            self._answer,
            self._take_over,
            self._close,
            self._go_on,
            self._bill,
            self._receive_from_bank,
        )

    def work(self) -> None:
        """Take so many steps; what is refused is left."""
        with closing(self._books.connection):
            for _ in range(STEPS):
                with suppress(LedgerError, psycopg.errors.LockNotAvailable):
                    self._rng.choice(self._steps)()

    def _call(self, function: str, **arguments: object) -> object:
        names = ", ".join(f"p_{name} => %s" for name in arguments)
        try:
            return self._books.value(f"select duly.{function}({names})", *arguments.values())
        except psycopg.Error as error:
            if (error.sqlstate or "")[:2] != "DU":
                raise
            return None

    def _freeze(self) -> None:
        run_id, definition, period, ends_on = self._rng.choice(RUNS + RUNS_OF_NEXT_MONTH)
        self._call("freeze_payment_run", run_id=run_id, definition_id=definition, period=period, ends_on=ends_on)

    def _charge_for_a_run(self) -> None:
        run_id, _, period, _ = self._rng.choice(RUNS + RUNS_OF_NEXT_MONTH)
        self._attempt(period, run_id)

    def _charge_for_a_service(self) -> None:
        self._attempt(self._rng.choice(NAMES), "", attempt=self._rng.choice((1, 1, 2, 3)))

    def _open_page(self) -> None:
        self._attempt(self._rng.choice(NAMES), "", attempt=self._rng.choice((1, 2)), channel="hosted_page")

    def _attempt(self, name: str, run_id: str, attempt: int = 1, channel: str = "off_session") -> None:
        self._call(
            "open_attempt",
            account_id=self._rng.choice(ACCOUNTS),
            period=name,
            provider_id="stripe",
            run_id=run_id,
            attempt=attempt,
            cause="scheduled",
            card_id="",
            channel=channel,
        )

    def _answer(self) -> None:
        """The gateway answers one of the attempts that are on their way."""
        waiting = self._books.run(
            "select request_id, attempt from duly.gateway_attempts where outcome is null or outcome = 'processing'"
        )
        if waiting:
            request_id, attempt = self._rng.choice(waiting)
            outcome = self._rng.choice(("succeeded", "succeeded", "declined", "did_not_happen", "invalid_request"))
            reference = f"pi_{next(_references)}" if outcome == "succeeded" else ""
            self._call(
                "record_outcome",
                request_id=request_id,
                attempt=attempt,
                outcome=outcome,
                gateway_reference=reference,
                charge_reference=reference.replace("pi", "ch"),
                code="" if outcome == "succeeded" else "no",
            )

    def _take_over(self) -> None:
        self.take_over(is_amount=self._rng.random() < 0.5)

    def take_over(self, *, is_amount: bool) -> None:
        """Claim invoices of some account, or an amount of what it owes."""
        account = self._rng.choice(ACCOUNTS)
        invoices = self._books.run("select transaction_id from duly.open_items where account_id = %s", account)
        named = [self._rng.choice(invoices)[0]] if invoices and self._rng.random() < 0.5 else []
        amount = {"asked": self._rng.randint(50, 900), "asked_currency": "EUR"} if is_amount else {}
        self._call(
            "open_collection",
            account_id=account,
            period=self._rng.choice(NAMES),
            provider_id="stripe",
            run_id="",
            invoices=named,
            owner=f"execution-{next(_references)}",
            **amount,
        )

    def _close(self) -> None:
        stage, reason = self._rng.choice((("settled", "settled"), ("given_up", "tired"), ("given_up", "cancelled")))
        self._call(
            "close_collection",
            account_id=self._rng.choice(ACCOUNTS),
            period=self._a_name(),
            stage=stage,
            reason=reason,
            action="nothing",
        )

    def _go_on(self) -> None:
        self._call("open_next_part", account_id=self._rng.choice(ACCOUNTS), period=self._a_name())

    def _a_name(self) -> str:
        rows = self._books.run("select period from duly.collections union select period from duly.gateway_requests")
        return str(self._rng.choice(rows)[0]) if rows else NAMES[0]

    def _bill(self) -> None:
        post_invoice(self._books, self._rng.choice(ACCOUNTS), self._rng.randint(100, 900))

    def _receive_from_bank(self) -> None:
        self._call(
            "create_payment",
            key=f"bank/{next(_references)}",
            account_id=self._rng.choice(ACCOUNTS),
            amount_minor=self._rng.randint(1, 300),
            currency="EUR",
            method="bank_transfer",
        )


def post_invoice(books: Books, account: str, amount_minor: int) -> None:
    amounts: Mapping[str, object] = {
        "unit_price_minor": amount_minor,
        "net_minor": amount_minor,
        "total_minor": amount_minor,
    }
    document = {
        "key": f"invoice/{next(_references)}",
        "account_id": account,
        "currency": "EUR",
        "issued_on": "2026-11-01",
        "lines": [{"product_id": "plan", "quantity": 1, **amounts}],
    }
    books.run("select count(*) from duly.post_invoices(%s)", json.dumps([document]))


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("seed", range(4))
async def test_no_invoice_is_collected_by_two_owners_whatever_happens_at_once(
    small_parts: Merchant, owner_database_url: str, seed: int
) -> None:
    for account in ACCOUNTS:
        await small_parts.account(account)
        for _ in range(8):
            await small_parts.invoice(account, 500)
    await small_parts.run(
        "insert into duly.run_definitions (id, kind, name, provider_id) values ('again', 'payment', 'Again', 'stripe')"
    )

    collectors = [Collector(owner_database_url, seed * COLLECTORS + number) for number in range(COLLECTORS)]
    # Before anybody else: later claims of an amount may all find nothing left.
    while not await small_parts.value("select count(*) from duly.collections where asked_minor is not null"):
        collectors[0].take_over(is_amount=True)
    with ThreadPoolExecutor(COLLECTORS) as pool:
        for done in [pool.submit(collector.work) for collector in collectors]:
            done.result()

    assert await small_parts.run(TWO_OWNERS) == []
    assert await small_parts.run(CLAIMED_TOO_MUCH) == []
    assert await small_parts.run(CHARGED_TOO_MUCH) == []
    assert await small_parts.run("select * from duly.invariant_violations") == []
    assert await small_parts.value("select count(*) from duly.gateway_requests where state = 'posted'") > 3
    asked = (
        "from duly.collections c join duly.gateway_requests r using (account_id, period)"
        " where c.asked_minor is not null and r.kind = 'payment'"
    )
    assert await small_parts.run(f"select period {asked} and r.amount_minor > c.asked_minor") == []
