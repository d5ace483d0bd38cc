"""Success, recovery, refunds and disputes, against figures that were worked out by hand."""

import itertools
from datetime import date
from itertools import product

import pytest
from sqlalchemy import Text, column, select, values
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.reports.source_rows import decline_class
from models.gateway.decline import CLASS_OF_CODE, Advice, Decline, classify
from tests.ledger.books import Books
from tests.reports.conftest import Reports

NOVEMBER = (date(2025, 11, 1), date(2025, 11, 30))
SETUP = """
    insert into duly.providers (id, gateway, mode) values ('stripe', 'stripe', 'test');
    insert into duly.payment_preferences (id, account_id, payment_method_id) values ('pref', 'acc_1', 'card');
    insert into duly.cards (
        id, account_id, preference_id, provider_id, token, brand, last4, exp_month, exp_year, created_at)
        values ('old', 'acc_1', 'pref', 'stripe', 'pm_1', 'visa', '4242', 12, 2030, '2025-01-01'),
            ('new', 'acc_1', 'pref', 'stripe', 'pm_2', 'mastercard', '4444', 12, 2030, '2025-11-10')
"""


class Charges:
    """Receivables of 20.00 with the answers of their issuers, a day apart from 5 November on."""

    def __init__(self, owner: Books) -> None:
        self.owner = owner
        self.numbers = itertools.count(1)

    def add(self, *answers: str, cards: str = "", state: str = "posted", invoices: tuple[str, ...] = ()) -> str:
        """Write down a receivable: `answers` are decline codes, or nothing for a success."""
        request = f"req_{next(self.numbers)}"
        self.owner.run(
            "insert into duly.gateway_requests (id, kind, provider_id, account_id, period, amount_minor, currency,"
            " state, executed_at, invoices) values (%s, 'payment', 'stripe', 'acc_1', %s, 2000, 'EUR', %s,"
            " case when %s in ('posted', 'rejected') then now() end, %s)",
            *(request, f"2025-11-{request}", state, state, list(invoices)),
        )
        names = cards.split() or ["old"] * len(answers)
        for attempt, (code, card) in enumerate(zip(answers, names, strict=True), 1):
            self.owner.run(
                "insert into duly.gateway_attempts (request_id, attempt, idempotency_key, cause, card_id, token,"
                " customer, payment_id, amount_minor, outcome, code, decline_code, sent_at, finished_at)"
                " values (%s, %s, %s, 'scheduled', %s, 'pm', 'cus', 'ft_none', 2000, %s, %s, %s,"
                " date '2025-11-04' + %s::integer, now())",
                *(request, attempt, f"{request}/{attempt}", card, "declined" if code else "succeeded"),
                *("card_declined" if code else "", code, attempt),
            )
        return request


@pytest.fixture
def charges(books: Books, owner: Books) -> Charges:
    """Cards and a gateway, and nothing charged yet."""
    for statement in SETUP.split(";"):
        owner.run(statement)
    return Charges(owner)


@pytest.fixture
def ten(charges: Charges) -> Charges:
    """Seven paid at once, one at the second try, one on a new card after two declines, one given up after four."""
    for _ in range(7):
        charges.add("")
    charges.add("insufficient_funds", "")
    charges.add("expired_card", "do_not_honor", "", cards="old old new")
    charges.add(*["insufficient_funds"] * 4, state="rejected")
    return charges


async def test_attempts_succeed_by_the_attempts_that_were_answered(ten: Charges, reports: Reports) -> None:
    by_gateway = await reports.run("success-by-gateway", *NOVEMBER)
    by_brand = await reports.run("success-by-brand", *NOVEMBER)
    by_attempt = await reports.run("success-by-attempt", *NOVEMBER)
    declines = await reports.run("declines", *NOVEMBER)

    assert by_gateway.texts("provider", "succeeded", "declined", "success_rate") == [("stripe", "9", "7", "56.25")]
    assert by_brand.texts("brand", "success_rate") == [("mastercard", "100.00"), ("visa", "53.33")]
    assert by_attempt.texts("attempt", "success_rate")[:2] == [("1", "70.00"), ("2", "33.33")]
    assert declines.texts("decline_class", "decline_code", "attempts") == [
        ("hard", "expired_card", "1"),
        ("soft", "do_not_honor", "1"),
        ("soft", "insufficient_funds", "5"),
    ]


async def test_receivables_are_paid_at_once_later_or_not(ten: Charges, reports: Reports) -> None:
    rates = await reports.run("payment-rates", *NOVEMBER)
    recovery = await reports.run("recovery", *NOVEMBER)
    recovered_by = await reports.run("recovered-by", *NOVEMBER)

    assert rates.texts("receivables", "first_try_rate", "payment_rate") == [("10", "70.00", "90.00")]
    assert recovery.texts("declined", "recovered", "recovery_rate", "declined_amount", "recovered_amount") == [
        ("3", "2", "66.67", "60.00", "40.00")
    ]
    assert recovered_by.texts("recovered_by", "recovered_amount") == [("new_card", "20.00"), ("same_card", "20.00")]


async def test_what_is_paid_by_bank_is_recovered_and_what_is_written_off_or_open_is_not(
    charges: Charges, books: Books, reports: Reports
) -> None:
    paid, written_off = (books.invoice(f"n{number}", "acc_1", 20_00) for number in range(2))
    charges.add("do_not_honor", state="rejected", invoices=(paid,))
    charges.add("do_not_honor", state="rejected", invoices=(written_off,))
    charges.add("do_not_honor", state="under_processing")
    charges.owner.run("update duly.gateway_attempts set sent_at = '2025-11-05'")
    books.pay("bank", "acc_1", 20_00, method="bank_transfer", addressed_invoice_ids=[paid])
    books.call("write_off", key="w", invoice_id=written_off, type_id="write_off")

    recovery = await reports.run("recovery", *NOVEMBER)
    recovered_by = await reports.run("recovered-by", *NOVEMBER)

    assert recovery.texts("declined", "recovered", "still_open", "given_up", "recovered_amount") == [
        ("3", "1", "1", "1", "20.00")
    ]
    assert recovered_by.texts("recovered_by", "recovered_amount") == [("bank", "20.00")]


async def test_what_is_paid_in_part_is_recovered_when_nothing_of_it_is_owed_any_more(
    charges: Charges, books: Books, reports: Reports
) -> None:
    half, written_off, credited = (books.invoice(f"n{number}", "acc_1", 20_00) for number in range(3))
    for invoice, state in ((half, "under_processing"), (written_off, "rejected"), (credited, "rejected")):
        charges.add("do_not_honor", state=state, invoices=(invoice,))
        books.pay(f"bank {invoice}", "acc_1", 5_00, method="bank_transfer", addressed_invoice_ids=[invoice])
    charges.owner.run("update duly.gateway_attempts set sent_at = '2025-11-05'")
    books.call("write_off", key="w", invoice_id=written_off, type_id="write_off")
    books.credit_note("c", "acc_1", 15_00, addressed_invoice_ids=[credited])

    recovery = await reports.run("recovery", *NOVEMBER)

    assert recovery.texts("declined", "recovered", "still_open", "given_up", "recovered_amount") == [
        ("3", "1", "1", "1", "15.00")
    ]


async def test_disputes_and_refunds_are_told_by_their_own_month_and_by_that_of_the_payment(
    charges: Charges, books: Books, reports: Reports
) -> None:
    *_, payment = [books.pay(f"p{number}", "acc_1", 10_00, posted_on=date(2025, 10, 20)) for number in range(20)]
    request = charges.add("")
    charges.owner.run("update duly.gateway_requests set transaction_id = %s where id = %s", payment, request)
    charges.owner.run(
        "insert into duly.disputes (id, provider_id, request_id, account_id, amount_minor, currency, state, status,"
        " opened_at) values ('du_1', 'stripe', %s, 'acc_1', 1000, 'EUR', 'open', 'needs_response', '2025-11-08')",
        request,
    )
    books.call(
        "create_refund",
        key="r",
        account_id="acc_1",
        amount_minor=5_00,
        currency="EUR",
        method="cash",
        posted_on=date(2025, 11, 9),
    )

    own = await reports.run("returns", date(2025, 10, 1), date(2025, 11, 30))
    by_payment = await reports.run("returns-by-payment", date(2025, 10, 1), date(2025, 11, 30))

    assert own.texts("month", "payments", "disputes", "refunded", "dispute_rate") == [
        ("2025-10", "20", "0", "0.00", "0.00"),
        ("2025-11", "0", "1", "5.00", "\N{EN DASH}"),
    ]
    assert by_payment.texts("payment_month", "disputes", "dispute_rate")[0] == ("2025-10", "1", "5.00")


async def test_the_database_classes_a_decline_as_the_code_does(engine: AsyncEngine) -> None:
    codes = ["", "card_declined", "expired_card", "authentication_required", "nobody_knows_it", *CLASS_OF_CODE]
    advised = ["", *Advice]
    given = list(product(codes[:5], codes, advised))
    named = values(column("code", Text), column("decline_code", Text), column("advice_code", Text), name="given")
    rows = named.data([(code, decline, str(advice)) for code, decline, advice in given]).alias("given")

    async with engine.connect() as connection:
        found = await connection.execute(select(*rows.c, decline_class(rows.c).label("known")))
        differing = [
            row
            for row in found
            if row.known != ("" if not (row.decline_code or row.code) else classify(Decline(*row[:3])))
        ]

    assert differing == []
